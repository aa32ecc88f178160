// Certificates, keys, PKCS#12 and CRLs as BoringSSL reads them. tools/ca/ca_test.py has openssl
// read them too.
#include "tools/ca/certificate.h"

#include <gtest/gtest.h>
#include <openssl/bytestring.h>
#include <openssl/pkcs8.h>
#include <openssl/stack.h>
#include <openssl/x509v3.h>

#include <set>
#include <utility>

#include "absl/status/statusor.h"
#include "tools/ca/crl.h"
#include "tools/ca/keys.h"
#include "tools/ca/pem.h"
#include "tools/ca/pkcs12.h"

namespace postern::ca {
namespace {

constexpr int64_t kNow = 1'900'000'000;

CertificateSpec Spec(const std::string& name) {
  CertificateSpec spec;
  spec.subject.common_name = name;
  spec.not_before = kNow;
  spec.not_after = kNow + 86400;
  return spec;
}

struct Issued {
  bssl::UniquePtr<EVP_PKEY> key;
  bssl::UniquePtr<X509> certificate;
  Issuer AsIssuer() const { return {certificate.get(), key.get()}; }
};

Issued Make(const CertificateSpec& spec, const Issued* issuer, KeyType type = KeyType::kEcP256) {
  Issued result;
  result.key = GenerateKey(type).value();
  const Issuer signer = issuer == nullptr ? Issuer{} : issuer->AsIssuer();
  result.certificate =
      IssueCertificate(spec, result.key.get(), issuer == nullptr ? nullptr : &signer).value();
  return result;
}

Issued MakeRoot() {
  CertificateSpec spec = Spec("Root");
  spec.is_ca = true;
  return Make(spec, nullptr);
}

TEST(Certificate, ChainsUp) {
  const Issued root = MakeRoot();
  CertificateSpec spec = Spec("leaf");
  spec.extended_key_usage = {"clientAuth", "1.2.3.4"};
  spec.alternative_names.dns = {"leaf.example.test"};
  const Issued leaf = Make(spec, &root, KeyType::kEcP384);
  X509* c = leaf.certificate.get();
  EXPECT_EQ(X509_check_issued(root.certificate.get(), c), X509_V_OK);
  EXPECT_EQ(X509_verify(c, root.key.get()), 1);
  EXPECT_EQ(X509_verify(root.certificate.get(), root.key.get()), 1);
  EXPECT_EQ(X509_check_ca(root.certificate.get()), 1);
  EXPECT_EQ(X509_check_ca(c), 0);
  EXPECT_EQ(X509_check_purpose(c, X509_PURPOSE_SSL_CLIENT, 0), 1);
  EXPECT_EQ(X509_check_purpose(c, X509_PURPOSE_SSL_SERVER, 0), 0);
  EXPECT_EQ(X509_check_host(c, "leaf.example.test", 17, 0, nullptr), 1);
  EXPECT_EQ(FromAsn1Time(X509_get0_notAfter(c)), kNow + 86400);
  EXPECT_TRUE(IsSelfIssued(root.certificate.get()));
  EXPECT_FALSE(IsSelfIssued(c));
}

TEST(Certificate, SerialsArePositiveAndDiffer) {
  const Issued root = MakeRoot();
  std::set<std::string> seen;
  for (int i = 0; i < 200; ++i) {
    const bssl::UniquePtr<X509> certificate =
        IssueCertificate(Spec("x"), root.key.get(), nullptr).value();
    const std::string serial = FormatSerial(X509_get0_serialNumber(certificate.get()));
    EXPECT_EQ(serial.size(), 32u);
    EXPECT_LT(serial[0], '8') << serial;
    EXPECT_TRUE(seen.insert(serial).second);
  }
  CertificateSpec spec = Spec("x");
  spec.serial = "c0:ff:ee";
  const bssl::UniquePtr<X509> certificate = IssueCertificate(spec, root.key.get(), nullptr).value();
  EXPECT_EQ(FormatSerial(X509_get0_serialNumber(certificate.get())), "C0FFEE");
}

TEST(Certificate, RefusesNonsense) {
  const bssl::UniquePtr<EVP_PKEY> key = GenerateKey(KeyType::kEcP256).value();
  CertificateSpec backwards = Spec("x");
  backwards.not_after = kNow - 1;
  CertificateSpec usage = Spec("x");
  usage.extended_key_usage = {"nonsense"};
  CertificateSpec name = Spec("x");
  name.alternative_names.dns = {"a b"};
  CertificateSpec serial = Spec("x");
  serial.serial = "0";
  for (const CertificateSpec& spec : {Spec(""), backwards, usage, name, serial}) {
    EXPECT_EQ(IssueCertificate(spec, key.get(), nullptr).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST(Keys, Types) {
  EXPECT_EQ(DescribeKey(GenerateKey(ParseKeyType("ec-p384").value())->get()), "EC P-384");
  EXPECT_EQ(DescribeKey(GenerateKey(ParseKeyType("rsa-2048").value())->get()), "RSA 2048");
  EXPECT_EQ(ParseKeyType("dsa").status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(Keys, EncryptedKeyOpens) {
  const bssl::UniquePtr<EVP_PKEY> key = GenerateKey(KeyType::kEcP256).value();
  const std::string der = KeyToEncryptedDer(key.get(), "open sesame").value();
  const auto open = [&der](const std::string& passphrase) {
    CBS cbs;
    CBS_init(&cbs, reinterpret_cast<const uint8_t*>(der.data()), der.size());
    return bssl::UniquePtr<EVP_PKEY>(
        PKCS8_parse_encrypted_private_key(&cbs, passphrase.data(), passphrase.size()));
  };
  const bssl::UniquePtr<EVP_PKEY> opened = open("open sesame");
  ASSERT_NE(opened, nullptr);
  EXPECT_EQ(EVP_PKEY_cmp(opened.get(), key.get()), 1);
  EXPECT_EQ(open("wrong"), nullptr);
}

class Pkcs12Test : public testing::TestWithParam<Pkcs12Cipher> {};

TEST_P(Pkcs12Test, Opens) {
  const Issued root = MakeRoot();
  Issued leaf = Make(Spec("leaf"), &root);
  Certificates chain;
  chain.push_back(bssl::UpRef(leaf.certificate));
  chain.push_back(bssl::UpRef(root.certificate));
  // Longer than the block of the MAC's key derivation.
  const std::string passphrase = "a passphrase of more than thirty-two characters";
  const std::string der = MakePkcs12({.passphrase = passphrase,
                                      .name = "my name",
                                      .key = leaf.key.get(),
                                      .chain = &chain,
                                      .cipher = GetParam()})
                              .value();
  const auto open = [&der](const std::string& with, STACK_OF(X509) * certificates) {
    CBS cbs;
    CBS_init(&cbs, reinterpret_cast<const uint8_t*>(der.data()), der.size());
    EVP_PKEY* key = nullptr;
    PKCS12_get_key_and_certs(&key, certificates, &cbs, with.c_str());
    return bssl::UniquePtr<EVP_PKEY>(key);
  };
  bssl::UniquePtr<STACK_OF(X509)> certificates(sk_X509_new_null());
  EXPECT_EQ(open("wrong", certificates.get()), nullptr);
  const bssl::UniquePtr<EVP_PKEY> key = open(passphrase, certificates.get());
  ASSERT_NE(key, nullptr);
  EXPECT_EQ(EVP_PKEY_cmp(key.get(), leaf.key.get()), 1);
  ASSERT_EQ(sk_X509_num(certificates.get()), 2u);
  EXPECT_EQ(X509_cmp(sk_X509_value(certificates.get(), 0), leaf.certificate.get()), 0);
  EXPECT_EQ(X509_cmp(sk_X509_value(certificates.get(), 1), root.certificate.get()), 0);
}

INSTANTIATE_TEST_SUITE_P(Ciphers, Pkcs12Test,
                         testing::Values(Pkcs12Cipher::kAes256, Pkcs12Cipher::k3Des));

TEST(Pkcs12, RefusesWhatDoesNotFit) {
  const Issued root = MakeRoot();
  const bssl::UniquePtr<EVP_PKEY> other = GenerateKey(KeyType::kEcP256).value();
  Certificates chain;
  chain.push_back(bssl::UpRef(root.certificate));
  EXPECT_FALSE(
      MakePkcs12({.passphrase = "x", .name = "n", .key = other.get(), .chain = &chain}).ok());
  EXPECT_FALSE(
      MakePkcs12({.passphrase = "\xc3\xa4", .name = "n", .key = root.key.get(), .chain = &chain})
          .ok());
}

TEST(Crl, SaysWhatIsRevoked) {
  const Issued root = MakeRoot();
  CrlSpec spec;
  spec.entries = {{.serial = "7FFF", .time = kNow, .reason = "keyCompromise", .comment = ""},
                  {.serial = "01", .time = kNow - 5, .reason = "unspecified", .comment = "x"}};
  spec.number = 12;
  spec.this_update = kNow;
  spec.next_update = kNow + 60;
  const std::string der = MakeCrl(spec, root.AsIssuer()).value();
  const auto* data = reinterpret_cast<const uint8_t*>(der.data());
  const bssl::UniquePtr<X509_CRL> crl(d2i_X509_CRL(nullptr, &data, static_cast<long>(der.size())));
  ASSERT_NE(crl, nullptr);
  EXPECT_EQ(X509_CRL_verify(crl.get(), root.key.get()), 1);
  EXPECT_EQ(FromAsn1Time(X509_CRL_get0_nextUpdate(crl.get())), kNow + 60);
  X509_REVOKED* entry = nullptr;
  const bssl::UniquePtr<ASN1_INTEGER> serial = ParseSerial("7FFF");
  ASSERT_EQ(X509_CRL_get0_by_serial(crl.get(), &entry, serial.get()), 1);
  EXPECT_EQ(FromAsn1Time(X509_REVOKED_get0_revocationDate(entry)), kNow);
  const bssl::UniquePtr<ASN1_INTEGER> unknown = ParseSerial("02");
  EXPECT_EQ(X509_CRL_get0_by_serial(crl.get(), &entry, unknown.get()), 0);
}

TEST(Crl, MayBeEmpty) {
  const Issued root = MakeRoot();
  const std::string der =
      MakeCrl({.entries = {}, .number = 1, .this_update = kNow, .next_update = kNow},
              root.AsIssuer())
          .value();
  const auto* data = reinterpret_cast<const uint8_t*>(der.data());
  const bssl::UniquePtr<X509_CRL> crl(d2i_X509_CRL(nullptr, &data, static_cast<long>(der.size())));
  ASSERT_NE(crl, nullptr);
  EXPECT_EQ(X509_CRL_verify(crl.get(), root.key.get()), 1);
}

}  // namespace
}  // namespace postern::ca
