// The request that is made again and again.
#ifndef POSTERN_TOOLS_LOAD_REQUEST_H_
#define POSTERN_TOOLS_LOAD_REQUEST_H_

#include <string>

#include "absl/status/statusor.h"
#include "src/http/message.h"
#include "tools/load/options.h"

namespace postern::load {

struct Request {
  Url url;
  http::Method method = http::Method::kGet;
  std::string method_text;
  std::string lines;  // header fields but Host, each with its CRLF
  std::string body;
  std::string h1;  // all of it, as HTTP/1.1 says it
};

// Reads --body_file.
absl::StatusOr<Request> MakeRequest(const Options& options);

}  // namespace postern::load

#endif  // POSTERN_TOOLS_LOAD_REQUEST_H_
