// Header sections of HTTP/2 (RFC 9113, section 8), turned into the HTTP/1.1 head that means the
// same. The parsers of HTTP/1.1 then judge that: one set of rules for both versions, so that no
// message can be read in two ways by us and by the server behind us.
//
// Pseudo-header fields become the start line and Host; a body without Content-Length is announced
// as chunked, the message model's word for "ends when the codec says so". An extended CONNECT for
// "websocket" (RFC 8441) becomes the GET that asks for an upgrade, without a key.
#ifndef POSTERN_SRC_HTTP_H2_HEAD_H_
#define POSTERN_SRC_HTTP_H2_HEAD_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "src/base/text_buffer.h"
#include "src/http/h1_parser.h"
#include "src/http/message.h"

namespace postern::http {

class H2HeadText {
 public:
  enum class Kind : uint8_t { kRequest, kResponse, kTrailers };

  // `pool` outlives this. Holds blocks only from Begin to Clear.
  explicit H2HeadText(base::BlockPool* pool) : pseudo_(pool), cookie_(pool), text_(pool) {}

  void Begin(Kind kind);
  // False: malformed (RFC 9113, 8.1.1). A section over its limits goes on and shows in error().
  [[nodiscard]] bool Add(std::string_view name, std::string_view value);
  // `end_stream`: no body follows. False: malformed.
  [[nodiscard]] bool Finish(bool end_stream);
  void Clear();

  Kind kind() const { return kind_; }
  // After Finish: a head that ends in an empty line; for trailers their lines alone.
  std::string_view text() const { return text_.view(); }
  // A head that is well-formed but not accepted; text() is then only part of it.
  HeadError error() const { return error_; }
  // As RFC 9113, 10.5.1 counts: 32 bytes for each field on top of its own.
  size_t list_bytes() const { return list_bytes_; }

 private:
  enum class Pseudo : uint8_t { kMethod, kScheme, kAuthority, kPath, kProtocol, kStatus };
  static constexpr size_t kPseudos = 6;
  struct Span {
    uint32_t begin = 0;
    uint32_t size = 0;
    bool present = false;
  };

  bool AddPseudo(std::string_view name, std::string_view value);
  bool AddField(std::string_view name, std::string_view value);
  bool WriteStartLine();
  std::string_view Of(Pseudo pseudo) const;
  template <typename... Parts>
  void Append(base::TextBuffer* to, const Parts&... parts);

  Kind kind_ = Kind::kRequest;
  HeadError error_ = HeadError::kNone;
  bool start_line_written_ = false;
  bool has_length_ = false;   // other than 0
  bool zero_length_ = false;  // the field was "content-length: 0"
  bool websocket_ = false;
  size_t list_bytes_ = 0;
  size_t fields_ = 0;
  Span spans_[kPseudos];
  base::TextBuffer pseudo_;
  base::TextBuffer cookie_;  // the pieces that have come, joined (RFC 9113, 8.2.3)
  base::TextBuffer text_;
};

// For heads made by H2HeadText; otherwise as ParseRequestHead and ParseResponseHead.
[[nodiscard]] HeadError ParseH2RequestHead(std::string_view head, const HeadLimits& limits,
                                           RequestHead* out);
[[nodiscard]] HeadError ParseH2ResponseHead(std::string_view head, Method request_method,
                                            const HeadLimits& limits, ResponseHead* out);

}  // namespace postern::http

#endif  // POSTERN_SRC_HTTP_H2_HEAD_H_
