// Field lines of HTTP/1.1, shared by heads and trailers, and what the fields of a head say about
// the connection and the body. Internal to src/http.
#ifndef POSTERN_SRC_HTTP_H1_FIELDS_H_
#define POSTERN_SRC_HTTP_H1_FIELDS_H_

#include <cstdint>
#include <string_view>

#include "src/http/h1_parser.h"
#include "src/http/message.h"

namespace postern::http {

// Parses one field line at `begin`. [begin, end) must end in CRLF, which is what stops every loop
// inside. On kNone `*next` is behind the line's CRLF.
[[nodiscard]] HeadError ParseFieldLine(const char* begin, const char* end, Field* field,
                                       const char** next);

// What a head's fields say, collected while they are read.
struct FieldFacts {
  bool has_length = false;
  bool has_encoding = false;  // exactly one Transfer-Encoding, and it is "chunked"
  bool close = false;
  bool keep_alive = false;
  bool upgrade = false;            // named by Connection
  bool upgrade_websocket = false;  // an Upgrade field names it
  bool has_host = false;
  bool host_repeated = false;
  bool expect_continue = false;
  bool expect_other = false;
  uint64_t content_length = 0;
  std::string_view host;  // not validated: it means nothing in a response
};

// Parses the field section and its empty line: all of [begin, end), which is CRLF alone or ends in
// CRLF CRLF. Stops at the first error.
[[nodiscard]] HeadError ParseFieldSection(const char* begin, const char* end,
                                          const HeadLimits& limits, FieldList* fields,
                                          ConnectionOptions* options, FieldFacts* facts);

// The checks that hold for requests and responses alike (RFC 9112, 6.1 and 6.3). Sets framing
// (kNone when the fields say nothing) and content_length.
[[nodiscard]] HeadError DecideFraming(const FieldFacts& facts, Version version,
                                      BodyFraming* framing, uint64_t* content_length);

// RFC 9112, 9.3.
[[nodiscard]] bool DecideKeepAlive(const FieldFacts& facts, Version version);

// "HTTP/d.d" at `begin`, with at least 8 bytes there. Any 1.x above 1.1 is taken as 1.1 (RFC
// 9110, 6.2).
[[nodiscard]] HeadError ParseVersion(const char* begin, Version* version);

// uri-host [ ":" port ] with a host that is not empty (RFC 9110, 7.2). IPvFuture is not supported.
[[nodiscard]] bool IsValidAuthority(std::string_view authority, bool port_required);

// The first byte at or after `begin` that is no field value character; [begin, end) holds such a
// byte.
const char* SkipFieldValue(const char* begin, const char* end);

}  // namespace postern::http

#endif  // POSTERN_SRC_HTTP_H1_FIELDS_H_
