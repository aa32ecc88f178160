// The way of a line from whoever has written it to the logs.
#ifndef POSTERN_SRC_PROXY_LOG_LINE_H_
#define POSTERN_SRC_PROXY_LOG_LINE_H_

#include "src/http/h1_writer.h"
#include "src/proxy/env.h"

namespace postern::proxy {

// A whole line on its way; one that is too long or finds no room is counted.
inline void AppendLine(Env* env, LogKind kind, const http::ByteWriter& line) {
  if (line.overflowed() || !env->log->Append(kind, line.view())) {
    ++env->counters.log_lines_dropped;
  }
}

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_LOG_LINE_H_
