#include "src/tls/load_revocation.h"

#include <openssl/pool.h>
#include <openssl/sha.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "src/tls/pem.h"

namespace postern::tls {

absl::StatusOr<std::unique_ptr<RevocationIndex>> LoadRevocation(
    std::span<const NamedPem> anchors, std::span<const NamedPem> intermediates,
    std::vector<CrlFile> files, int64_t now_s, std::vector<std::string>* warnings) {
  RevocationInput input;
  for (std::span<const NamedPem> named : {anchors, intermediates}) {
    for (const NamedPem& file : named) {
      auto certificates = ParseCertificates(file.pem.view());
      if (!certificates.ok()) {
        return absl::InvalidArgumentError(
            absl::StrCat(file.name, ": ", certificates.status().message()));
      }
      std::move(certificates->begin(), certificates->end(), std::back_inserter(input.issuers));
    }
  }
  input.files = std::move(files);
  input.now_s = now_s;
  return BuildRevocationIndex(std::move(input), warnings);
}

std::vector<RevocationIndex::CertificateHash> HashesOfCertificates(std::string_view pem) {
  std::vector<RevocationIndex::CertificateHash> hashes;
  auto certificates = ParseCertificates(pem);
  for (size_t i = 0; certificates.ok() && i < certificates->size(); ++i) {
    const CRYPTO_BUFFER* certificate = (*certificates)[i].get();
    SHA256(CRYPTO_BUFFER_data(certificate), CRYPTO_BUFFER_len(certificate),
           hashes.emplace_back().data());
  }
  std::sort(hashes.begin(), hashes.end());
  return hashes;
}

}  // namespace postern::tls
