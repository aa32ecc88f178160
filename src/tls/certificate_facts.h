// What an operator wants to know of the certificates in a file, before they expire.
#ifndef POSTERN_SRC_TLS_CERTIFICATE_FACTS_H_
#define POSTERN_SRC_TLS_CERTIFICATE_FACTS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::tls {

struct CertificateFacts {
  std::string subject;  // RFC 2253 text
  int64_t not_after_s = 0;
  int64_t not_before_s = 0;
};

// Of every certificate in `pem`, in order. What cannot be read is left out: whoever uses the file
// says what is wrong with it.
std::vector<CertificateFacts> FactsOfCertificates(std::string_view pem);

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_CERTIFICATE_FACTS_H_
