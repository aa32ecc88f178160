// What certificates and revocation lists have in common, read from DER. Internal to tls/. Every
// function takes what it reads off the front of `in`, and is false on anything malformed; then how
// much was taken is not defined. Everything read is a view into the input.
#ifndef POSTERN_SRC_TLS_DER_H_
#define POSTERN_SRC_TLS_DER_H_

#include <openssl/bytestring.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace postern::tls {

// More extensions than this has no certificate, list or entry; it bounds the search for an
// extension that is there twice.
inline constexpr size_t kExtensionsMax = 32;

inline std::span<const uint8_t> SpanOf(const CBS& cbs) {
  return {CBS_data(&cbs), CBS_len(&cbs)};
}

inline bool Equal(const CBS& cbs, std::span<const uint8_t> bytes) {
  return CBS_mem_equal(&cbs, bytes.data(), bytes.size()) == 1;
}

// For messages: "2.5.29.28" out of an OBJECT IDENTIFIER's content octets; upper-case hex.
std::string OidText(const CBS& id);
std::string HexText(const CBS& bytes);

// An INTEGER's content octets without leading zero octets: empty for 0. A negative one keeps its
// two's complement (RFC 5280, 4.1.2.2: be prepared for negative serial numbers).
bool ReadInteger(CBS* in, CBS* content);
// The same, and not negative.
bool ReadUnsigned(CBS* in, CBS* content);

// UTCTime or GeneralizedTime in the only forms that RFC 5280, 4.1.2.5 allows; seconds since 1970.
bool ReadTime(CBS* in, int64_t* seconds);
bool IsTime(const CBS& in);

// A BIT STRING of whole octets.
bool ReadOctetBits(CBS* in, CBS* octets);

struct Extension {
  CBS id;  // content octets of the OBJECT IDENTIFIER
  bool critical;
  CBS value;
};

// Goes through the content of an Extensions SEQUENCE (RFC 5280, 4.1.2.9):
//   while (reader.Next(&extension)) { ... }
//   if (!reader.ok()) { malformed, empty, more than kExtensionsMax, or one of them twice (4.2) }
class ExtensionReader {
 public:
  explicit ExtensionReader(const CBS& extensions) : rest_(extensions) {
    ok_ = CBS_len(&rest_) != 0;
  }

  bool Next(Extension* extension);
  bool ok() const { return ok_; }

 private:
  bool Read(Extension* extension);

  CBS rest_;
  std::array<CBS, kExtensionsMax> seen_;
  size_t seen_count_ = 0;
  bool ok_;
};

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_DER_H_
