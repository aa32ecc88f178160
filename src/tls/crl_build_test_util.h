// Builds an index from lists given as strings; for tests.
#ifndef POSTERN_SRC_TLS_CRL_BUILD_TEST_UTIL_H_
#define POSTERN_SRC_TLS_CRL_BUILD_TEST_UTIL_H_

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "src/tls/certificate_view.h"
#include "src/tls/crl.h"
#include "src/tls/crl_test_util.h"

namespace postern::tls {

inline std::span<const uint8_t> AsBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

inline KeyId KeyOf(const Cert& cert) {
  CertificateView view;
  CHECK(ParseCertificateView(AsBytes(cert.der), &view));
  return KeyIdOf(view.spki);
}

inline const Cert& Root() {
  static const Cert* const kRoot = new Cert(MakeCert(CaOptions("Root")));
  return *kRoot;
}

// One build: its index, or its error.
struct Built {
  std::unique_ptr<RevocationIndex> index;
  std::string error;
  std::vector<std::string> warnings;

  RevocationIndex::Verdict Find(const Cert& issuer, const Bytes& serial, bool is_ca = false) const {
    CHECK(index != nullptr);
    return index->Find(KeyOf(issuer), serial, is_ca);
  }
};

inline Built Build(std::vector<std::string> files, const std::vector<const Cert*>& issuers) {
  Built built;
  RevocationInput input;
  for (size_t i = 0; i < files.size(); ++i) {
    input.files.push_back({"crl" + std::to_string(i), std::move(files[i])});
  }
  for (const Cert* issuer : issuers) {
    input.issuers.emplace_back(
        CRYPTO_BUFFER_new(AsBytes(issuer->der).data(), issuer->der.size(), nullptr));
  }
  input.now_s = kNow;
  auto index = BuildRevocationIndex(std::move(input), &built.warnings);
  if (index.ok()) {
    built.index = *std::move(index);
  } else {
    CHECK(index.status().code() == absl::StatusCode::kInvalidArgument);
    built.error = std::string(index.status().message());
  }
  return built;
}

inline Built Build(std::string file) {
  std::vector<std::string> files;
  files.push_back(std::move(file));
  return Build(std::move(files), {&Root()});
}

// The error of a list of the root's.
inline std::string ErrorOf(const CrlOptions& options) {
  return Build(MakeCrl(options, Root())).error;
}

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_CRL_BUILD_TEST_UTIL_H_
