// The message model: what every codec produces and every codec can write, whatever the protocol
// version.
//
// A head owns no bytes. Its views point into storage that the codec's caller keeps alive for as
// long as the head is used (the exchange's head storage). Nothing here allocates: lists are fixed
// arrays, because a request that needs more fields than `kFieldsMax` is refused (431) before it
// costs memory.
#ifndef POSTERN_SRC_HTTP_MESSAGE_H_
#define POSTERN_SRC_HTTP_MESSAGE_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace postern::http {

// The most fields one head may carry (ALB and nginx-like limit; see base/limits.h for the byte
// limits).
inline constexpr size_t kFieldsMax = 100;

// Methods with a meaning to a proxy: HEAD and CONNECT change framing, TRACE is refused, and the
// idempotent ones (RFC 9110, 9.2.2) may be retried. Every other token is kOther and is forwarded as
// it came.
enum class Method : uint8_t {
  kGet,
  kHead,
  kPost,
  kPut,
  kDelete,
  kConnect,
  kOptions,
  kTrace,
  kPatch,
  kOther
};

enum class Version : uint8_t { kHttp10, kHttp11, kHttp2 };

// Fields that the proxy itself acts on. Assigned once, while parsing, so that nobody compares names
// twice.
enum class FieldId : uint8_t {
  kOther,
  kConnection,
  kContentLength,
  kCookie,
  kDate,
  kExpect,
  kHost,
  kKeepAlive,
  kProxyAuthenticate,
  kProxyAuthorization,
  kProxyConnection,
  kTe,
  kTrailer,
  kTransferEncoding,
  kUpgrade,
  kVia,
  kXForwardedFor,
  kXForwardedPort,
  kXForwardedProto,
};

// One header or trailer field. `name` keeps the sender's spelling; compare it case-insensitively.
// `value` has no leading or trailing white space.
struct Field {
  std::string_view name;
  std::string_view value;
  FieldId id = FieldId::kOther;
};

// A list of fields in the order of the message. Fixed capacity; Append answers false when it is
// full.
class FieldList {
 public:
  // Elements are set when they are appended: to prepare a hundred for a head of five would be a
  // good part of what a request costs.
  FieldList() {}
  FieldList(const FieldList& other) { *this = other; }
  FieldList& operator=(const FieldList& other) {
    std::copy(other.begin(), other.end(), fields_.data());
    size_ = other.size_;
    return *this;
  }

  bool Append(Field field) {
    if (size_ == fields_.size()) {
      return false;
    }
    fields_[size_++] = field;
    return true;
  }
  void Clear() { size_ = 0; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const Field& operator[](size_t index) const { return fields_[index]; }
  const Field* begin() const { return fields_.data(); }
  const Field* end() const { return fields_.data() + size_; }

  // The first field with this id, or null. For kOther use FindName.
  const Field* Find(FieldId id) const;
  // The first field of this name, compared without regard to case, or null.
  const Field* FindName(std::string_view name) const;

 private:
  static_assert(std::is_trivially_destructible_v<Field> && std::is_trivially_copyable_v<Field>);
  union {
    std::array<Field, kFieldsMax> fields_;  // [0, size_)
  };
  size_t size_ = 0;
};

// What the Connection fields of a message name beside the options that have a meaning of their own
// (close, keep-alive, upgrade): fields that end with this connection (RFC 9110, 7.6.1). The lists
// are read once, into a bounded set, so that removing those fields costs no more than the bytes.
class ConnectionOptions {
 public:
  // More than any client or server names; a message with more is refused.
  static constexpr size_t kMax = 32;

  ConnectionOptions() {}
  ConnectionOptions(const ConnectionOptions& other) { *this = other; }
  ConnectionOptions& operator=(const ConnectionOptions& other) {
    std::copy(other.names_.data(), other.names_.data() + other.size_, names_.data());
    size_ = other.size_;
    return *this;
  }

  // False when it is full. `name` points into the message.
  bool Append(std::string_view name) {
    if (size_ == names_.size()) {
      return false;
    }
    names_[size_++] = name;
    return true;
  }
  void Clear() { size_ = 0; }
  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  // Compared without regard to case.
  bool Contains(std::string_view name) const;

 private:
  static_assert(std::is_trivially_destructible_v<std::string_view>);
  union {
    std::array<std::string_view, kMax> names_;  // [0, size_)
  };
  size_t size_ = 0;
};

// How the end of a body is found (RFC 9112, section 6.3). HTTP/2 streams are kChunked in this model
// when they carry no content-length: "ends when the codec says so".
enum class BodyFraming : uint8_t {
  kNone,        // no body at all
  kLength,      // exactly content_length bytes (may be 0)
  kChunked,     // until the codec reports the end; trailers are possible
  kUntilClose,  // responses only: until the connection ends
};

struct RequestHead {
  Method method = Method::kOther;
  std::string_view method_text;
  // Path and query in origin-form, "*" for OPTIONS *, or the authority for CONNECT. An
  // absolute-form target (RFC 9112, 3.2.2) is split into `authority` and this by the parser.
  std::string_view target;
  // The authority the client asked for: that of an absolute-form target, else the Host field's
  // value. Host and port as sent. Empty only for HTTP/1.0 without Host.
  std::string_view authority;
  Version version = Version::kHttp11;
  BodyFraming framing = BodyFraming::kNone;
  uint64_t content_length = 0;   // valid for kLength
  bool keep_alive = true;        // what the client allows for its connection after this exchange
  bool expect_continue = false;  // "Expect: 100-continue" on an HTTP/1.1 request (RFC 9110, 10.1.1)
  // Asks for a WebSocket (RFC 6455, 4.1; RFC 8441): after a 101 the connection, or stream, carries
  // bytes both ways without framing.
  bool websocket = false;
  FieldList fields;  // every field as received, in order, Host and framing fields included
  ConnectionOptions connection_options;

  void Clear();
};

struct ResponseHead {
  uint16_t status = 0;
  std::string_view reason;
  Version version = Version::kHttp11;
  BodyFraming framing = BodyFraming::kNone;
  uint64_t content_length = 0;  // valid for kLength
  bool keep_alive = true;       // what the server allows for its connection after this exchange
  FieldList fields;
  ConnectionOptions connection_options;

  // 101 is the last response in HTTP (RFC 9110, 15.2.2). From HTTP/2 it never comes; there a 2xx
  // says the same.
  bool interim() const { return status >= 100 && status < 200 && status != 101; }
  void Clear();
};

// RFC 9110, 9.2.2: sending the request twice has the effect of sending it once.
bool IsIdempotent(Method method);

// ASCII only, as field names and tokens are.
bool EqualsIgnoreCase(std::string_view a, std::string_view b);
bool ContainsIgnoreCase(std::string_view text, std::string_view part);

// The elements of a comma-separated header value (RFC 9110, 5.6.1), without the white space around
// them. Empty ones are passed over, as 5.6.1.2 asks, up to a number: they are bytes to read, and
// nobody has a use for many.
class ListReader {
 public:
  // Elements and commas, of one value.
  static constexpr size_t kMax = 256;

  explicit ListReader(std::string_view list) : rest_(list) {}

  // False: there are no more, or too many.
  bool Next(std::string_view* element);
  // There were more than are read.
  bool overflowed() const { return steps_ > kMax; }

 private:
  std::string_view rest_;
  size_t steps_ = 0;
};

// Whether `list` contains `token`, compared without regard to case, among the elements that are
// read.
bool ListContainsToken(std::string_view list, std::string_view token);

// The standard reason phrase of a status code; "Unknown" for one without.
std::string_view ReasonPhrase(uint16_t status);

}  // namespace postern::http

#endif  // POSTERN_SRC_HTTP_MESSAGE_H_
