// A trailer section that came by HTTP/2: kept, and judged by the rules for trailers of chunked
// bodies. One set of rules for both versions.
#ifndef POSTERN_SRC_HTTP_H2_TRAILERS_H_
#define POSTERN_SRC_HTTP_H2_TRAILERS_H_

#include <string_view>

#include "src/base/block_pool.h"
#include "src/http/h1_body.h"
#include "src/http/h1_parser.h"
#include "src/http/message.h"

namespace postern::http {

class H2Trailers {
 public:
  // `pool` outlives this. Holds a block only while there are trailers.
  explicit H2Trailers(base::BlockPool* pool) : decoder_(pool) {}

  // `lines`: each with its CRLF. False: malformed.
  [[nodiscard]] bool Parse(std::string_view lines, HeadError error);
  // Views into this object.
  void Read(FieldList* out) const { decoder_.ReadTrailers(out); }

 private:
  BodyDecoder decoder_;
};

}  // namespace postern::http

#endif  // POSTERN_SRC_HTTP_H2_TRAILERS_H_
