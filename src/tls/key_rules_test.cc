#include "src/tls/key_rules.h"

#include <gtest/gtest.h>

#include "src/tls/cert_test_util.h"

namespace postern::tls {
namespace {

// A certificate signed anew with RSASSA-PSS and these hashes.
bssl::UniquePtr<X509> SignedWithPss(const EVP_MD* digest, const EVP_MD* mask) {
  const Cert& cert = TestPki::Get().server_rsa;
  bssl::UniquePtr<X509> copy(X509_dup(cert.x509.get()));
  bssl::ScopedEVP_MD_CTX context;
  EVP_PKEY_CTX* terms = nullptr;
  CHECK(EVP_DigestSignInit(context.get(), &terms, digest, nullptr, cert.key.get()) == 1);
  CHECK(EVP_PKEY_CTX_set_rsa_padding(terms, RSA_PKCS1_PSS_PADDING) == 1);
  CHECK(EVP_PKEY_CTX_set_rsa_mgf1_md(terms, mask) == 1);
  CHECK(X509_sign_ctx(copy.get(), context.get()) > 0);
  return copy;
}

TEST(KeyRules, PssNeedsSha2InBothPlaces) {
  auto check = [](const EVP_MD* digest, const EVP_MD* mask) {
    return CheckSignatureAlgorithm(SignedWithPss(digest, mask).get());
  };
  EXPECT_EQ(check(EVP_sha256(), EVP_sha256()), Reason::kNone);
  EXPECT_EQ(check(EVP_sha384(), EVP_sha384()), Reason::kNone);
  EXPECT_EQ(check(EVP_sha1(), EVP_sha1()), Reason::kWeakSignature);
  EXPECT_EQ(check(EVP_sha256(), EVP_sha1()), Reason::kWeakSignature);
}

}  // namespace
}  // namespace postern::tls
