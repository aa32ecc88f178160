#include "src/tls/certificate_facts.h"

#include <openssl/pool.h>
#include <openssl/x509.h>

#include <span>

#include "absl/status/statusor.h"
#include "src/tls/certificate_view.h"
#include "src/tls/name_text.h"
#include "src/tls/pem.h"

namespace postern::tls {

std::vector<CertificateFacts> FactsOfCertificates(std::string_view pem) {
  std::vector<CertificateFacts> facts;
  auto certificates = ParseCertificates(pem);
  if (!certificates.ok()) {
    return facts;
  }
  for (const bssl::UniquePtr<CRYPTO_BUFFER>& certificate : *certificates) {
    CertificateView view;
    if (!ParseCertificateView(
            {CRYPTO_BUFFER_data(certificate.get()), CRYPTO_BUFFER_len(certificate.get())}, &view)) {
      continue;
    }
    const uint8_t* at = view.subject.data();
    bssl::UniquePtr<X509_NAME> name(
        d2i_X509_NAME(nullptr, &at, static_cast<long>(view.subject.size())));
    facts.push_back(
        {name != nullptr ? NameText(name.get()) : "", view.not_after_s, view.not_before_s});
  }
  return facts;
}

}  // namespace postern::tls
