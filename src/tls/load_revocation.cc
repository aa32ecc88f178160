#include "src/tls/load_revocation.h"

#include <iterator>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "src/tls/pem.h"

namespace postern::tls {

absl::StatusOr<std::unique_ptr<RevocationIndex>> LoadRevocation(
    const TrustInput& trust, std::vector<CrlFile> files, int64_t now_s,
    std::vector<std::string>* warnings) {
  RevocationInput input;
  for (const std::vector<NamedPem>* named : {&trust.anchors, &trust.intermediates}) {
    for (const NamedPem& file : *named) {
      auto certificates = ParseCertificates(file.pem);
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

}  // namespace postern::tls
