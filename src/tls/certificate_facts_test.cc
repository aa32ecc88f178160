#include "src/tls/certificate_facts.h"

#include <gtest/gtest.h>

#include "src/tls/tls_test_util.h"

namespace postern::tls {
namespace {

TEST(CertificateFactsTest, OfEveryCertificateInTheFile) {
  const TestPki& pki = TestPki::Get();
  Cert other = MakeCert({.cn = "a,b", .not_after_s = kNow + 12'345}, &pki.root);
  std::vector<CertificateFacts> facts =
      FactsOfCertificates(other.pem() + pki.client.key_pem() + pki.root.pem());
  ASSERT_EQ(facts.size(), 2u);
  EXPECT_EQ(facts[0].subject, "CN=a\\,b");
  EXPECT_EQ(facts[0].not_after_s, kNow + 12'345);
  EXPECT_EQ(facts[1].subject, "CN=Test Root");
}

TEST(CertificateFactsTest, OfWhatIsNone) {
  EXPECT_TRUE(FactsOfCertificates("").empty());
  EXPECT_TRUE(FactsOfCertificates("nonsense").empty());
  // Decodes, and is no certificate.
  EXPECT_TRUE(FactsOfCertificates("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
                  .empty());
}

}  // namespace
}  // namespace postern::tls
