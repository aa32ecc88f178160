// What revocation and resumption need to know of a certificate, read without making an X.509 object
// of it.
#ifndef POSTERN_SRC_TLS_CERTIFICATE_VIEW_H_
#define POSTERN_SRC_TLS_CERTIFICATE_VIEW_H_

#include <cstdint>
#include <span>

namespace postern::tls {

// Views into the certificate's bytes, which outlive this.
struct CertificateView {
  std::span<const uint8_t> serial;   // content octets of the INTEGER without leading zero octets
  std::span<const uint8_t> issuer;   // the Name, DER
  std::span<const uint8_t> subject;  // likewise
  std::span<const uint8_t> spki;     // SubjectPublicKeyInfo, DER
  int64_t not_before_s = 0;          // seconds since 1970
  int64_t not_after_s = 0;
};

// False on anything malformed (RFC 5280, 4.1); then nothing in `out` means anything. Says nothing
// about the signature, nor about what the extensions hold: that is the verifier's work.
bool ParseCertificateView(std::span<const uint8_t> der, CertificateView* out);

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_CERTIFICATE_VIEW_H_
