// HTTP/1.1 heads, strict and sans-I/O (RFC 9110, RFC 9112).
//
// Two steps, so that a client that sends its head byte by byte costs linear time: HeadScanner looks
// at each byte once and finds where the head ends; ParseRequestHead / ParseResponseHead then run
// once over the complete head. Whatever could be read in two ways by us and by the peer behind us
// is an error, never repaired: bare CR or LF, obs-fold, white space before the colon, empty or
// invalid names, control characters and NUL in values, Content-Length with Transfer-Encoding, two
// Content-Length fields (even equal ones) or a list in one, Content-Length that is not 1*DIGIT or
// overflows, Transfer-Encoding other than exactly one final "chunked", Transfer-Encoding in
// HTTP/1.0, Host missing (1.1), repeated, or not a valid uri-host[:port], an absolute-form target
// whose authority differs from Host, white space other than one SP in the start line, userinfo,
// fragments, and characters that no URI has in the target. Absolute-form is taken for http and
// https only, and not with a query behind an empty path ("http://host?query"), which would mean a
// target ("/?query") that is not among the bytes of the head.
#ifndef POSTERN_SRC_HTTP_H1_PARSER_H_
#define POSTERN_SRC_HTTP_H1_PARSER_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "src/http/message.h"

namespace postern::http {

// Byte limits of a head. The defaults are ALB's: 32 KB a URI and a field, 64 KB in all.
struct HeadLimits {
  size_t start_line_bytes_max = 32 * 1024 + 32;
  size_t field_line_bytes_max = 32 * 1024;
  size_t head_bytes_max = 64 * 1024;
  size_t fields_max = kFieldsMax;
};

// Why a head was refused. One counter each; StatusOf gives the answer a client gets.
enum class HeadError : uint8_t {
  kNone,
  kBadStartLine,         // not method SP target SP version, or not a status line
  kBadTarget,            // 400
  kUriTooLong,           // 414
  kBadVersion,           // 505 for HTTP/x with another major version, else kBadStartLine
  kHeadTooLarge,         // 431
  kTooManyFields,        // 431
  kBadFieldName,         // includes white space before the colon and obs-fold
  kBadFieldValue,        // control characters, bare CR
  kBareLineFeed,         // a line that ends in LF alone
  kBadContentLength,     // not a number, repeated, a list, above 2^63 - 1
  kLengthAndEncoding,    // Content-Length together with Transfer-Encoding
  kBadTransferEncoding,  // anything but one final "chunked"; any at all in HTTP/1.0
  kBadHost,              // missing, repeated, invalid, or different from the absolute-form target's
  kUnsupportedExpectation,  // 417
};

// The status code with which a request head error is answered.
uint16_t StatusOf(HeadError error);
// Stable lower_case names for metrics and logs.
std::string_view NameOf(HeadError error);

// Finds the end of a head in bytes that grow at the end. Never looks at a byte twice.
class HeadScanner {
 public:
  enum class Status : uint8_t { kNeedMore, kComplete, kError };

  // Prepares for a new head. `skip_empty_lines`: RFC 9112, 2.2 lets a server ignore CRLF before a
  // request line (at most 4 of them here; more is kBadStartLine).
  void Reset(const HeadLimits& limits, bool skip_empty_lines);

  // `bytes` is everything received of this head so far, always from the same first byte. On
  // kComplete the head is bytes[head_begin(), head_end()), its final empty line included. On kError
  // see error().
  [[nodiscard]] Status Scan(std::string_view bytes);

  size_t head_begin() const { return begin_; }
  size_t head_end() const { return end_; }
  HeadError error() const { return error_; }

 private:
  Status Fail(HeadError error);
  HeadError CheckSize(size_t line_end) const;

  HeadLimits limits_;
  size_t position_ = 0;    // next byte to look at
  size_t line_start_ = 0;  // first byte of the current line
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t lines_ = 0;        // that are not empty
  size_t empty_lines_ = 0;  // skipped in front
  bool skip_empty_lines_ = false;
  HeadError error_ = HeadError::kNone;
};

// Parses a complete head as found by HeadScanner. Views in `*out` point into `head`. Returns kNone
// on success; on error `*out` holds what was read so far (for the log) and must not be forwarded.
[[nodiscard]] HeadError ParseRequestHead(std::string_view head, const HeadLimits& limits,
                                         RequestHead* out);

// `request_method` decides about bodies of responses to HEAD (RFC 9112, 6.3). 1xx, 204 and 304 have
// none. A response with neither length nor encoding is kUntilClose.
[[nodiscard]] HeadError ParseResponseHead(std::string_view head, Method request_method,
                                          const HeadLimits& limits, ResponseHead* out);

// The field name's id; for codecs.
FieldId FieldIdOf(std::string_view name);
// RFC 9110, 5.1 and 5.5; a value with white space at either end is not valid.
bool IsValidFieldName(std::string_view name);
bool IsValidFieldValue(std::string_view value);

}  // namespace postern::http

#endif  // POSTERN_SRC_HTTP_H1_PARSER_H_
