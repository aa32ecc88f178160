#include "tests/gate/certificates.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <utility>

#include "absl/status/statusor.h"
#include "src/base/check.h"
#include "tools/ca/certificate.h"
#include "tools/ca/keys.h"
#include "tools/ca/pem.h"

namespace postern::gate {
namespace {

constexpr int64_t kDay = 86400;

struct Made {
  bssl::UniquePtr<X509> certificate;
  bssl::UniquePtr<EVP_PKEY> key;
};

Made Make(ca::CertificateSpec spec, const Made* issuer) {
  auto key = ca::GenerateKey(ca::KeyType::kEcP256);
  CHECK(key.ok());
  ca::Issuer by;
  if (issuer != nullptr) {
    by = {issuer->certificate.get(), issuer->key.get()};
  }
  auto certificate = ca::IssueCertificate(spec, key->get(), issuer == nullptr ? nullptr : &by);
  CHECK(certificate.ok());
  return {*std::move(certificate), *std::move(key)};
}

ca::CertificateSpec Spec(const std::string& name, int64_t from, int64_t to) {
  ca::CertificateSpec spec;
  spec.subject.common_name = name;
  spec.not_before = from;
  spec.not_after = to;
  return spec;
}

Pair ToPair(const Made& made) {
  auto key = ca::KeyToPem(made.key.get());
  CHECK(key.ok());
  return {ca::ToPem(made.certificate.get()), *key};
}

}  // namespace

Certificates MakeCertificates(int64_t now_s) {
  ca::CertificateSpec root = Spec("root", now_s - 30 * kDay, now_s + 30 * kDay);
  root.is_ca = true;
  Made ca = Make(root, nullptr);
  root.subject.common_name = "another root";
  Made other = Make(root, nullptr);

  ca::CertificateSpec server = Spec("gate.example.test", now_s - kDay, now_s + 30 * kDay);
  server.alternative_names.dns = {"gate.example.test"};
  server.extended_key_usage = {"serverAuth"};
  ca::CertificateSpec client = Spec("client", now_s - kDay, now_s + 30 * kDay);
  client.extended_key_usage = {"clientAuth"};
  ca::CertificateSpec expired = client;
  expired.not_after = now_s - 3600;

  Certificates all;
  all.root_pem = ca::ToPem(ca.certificate.get());
  all.other_root_pem = ca::ToPem(other.certificate.get());
  all.server = ToPair(Make(server, &ca));
  all.client = ToPair(Make(client, &ca));
  all.stranger = ToPair(Make(client, &other));
  all.expired = ToPair(Make(expired, &ca));
  return all;
}

}  // namespace postern::gate
