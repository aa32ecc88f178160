#include "src/tls/ca_cache.h"

#include <gtest/gtest.h>

#include "absl/status/statusor.h"
#include "src/tls/tls_test_util.h"
#include "src/tls/trusted_cas.h"

namespace postern::tls {
namespace {

const TestPki& Pki() {
  return TestPki::Get();
}

NamedPem File(const Cert& certificate) {
  return {"ca.pem", certificate.pem()};
}

std::shared_ptr<const TrustedCas> Get(CaCache* cache, const std::vector<NamedPem>& anchors,
                                      const std::vector<NamedPem>& intermediates = {}) {
  auto cas = cache->Get(anchors, intermediates);
  EXPECT_TRUE(cas.ok()) << cas.status();
  return *cas;
}

TEST(CaCacheTest, TheSameFilesAreOneObject) {
  CaCache cache;
  const NamedPem root = File(Pki().root);
  const NamedPem other = File(Pki().other_root);
  const auto cas = Get(&cache, {root});
  EXPECT_EQ(Get(&cache, {root}), cas);
  EXPECT_NE(Get(&cache, {root, other}), cas);
  EXPECT_NE(Get(&cache, {other}), cas);
  EXPECT_NE(Get(&cache, {root}, {other}), Get(&cache, {root, other}));
  EXPECT_EQ(Get(&cache, {root}, {other}), Get(&cache, {root}, {other}));
}

// Sets that share a file share its certificates.
TEST(CaCacheTest, AFileIsParsedOnce) {
  CaCache cache;
  const NamedPem root = File(Pki().root);
  const NamedPem sub = File(Pki().sub_ca);
  const auto one = Get(&cache, {root}, {sub});
  const auto other = Get(&cache, {File(Pki().other_root)}, {sub});
  ASSERT_EQ(one->intermediates().all().size(), 1u);
  EXPECT_EQ(one->intermediates().all()[0].get(), other->intermediates().all()[0].get());
}

TEST(CaCacheTest, ContentTellsSetsAndRolesApart) {
  CaCache cache;
  const auto one = Get(&cache, {File(Pki().root)}, {File(Pki().sub_ca)});
  EXPECT_EQ(Get(&cache, {File(Pki().root)}, {File(Pki().sub_ca)})->content(), one->content());
  EXPECT_NE(Get(&cache, {File(Pki().root), File(Pki().sub_ca)})->content(), one->content());
  EXPECT_NE(Get(&cache, {File(Pki().root)})->content(), one->content());
}

// A client looks there for whoever has issued its certificate, which is an intermediate more often
// than not. One name once.
TEST(CaCacheTest, NamesOfBoth) {
  CaCache cache;
  const NamedPem twice = {"ca.pem", Pki().root.pem() + Pki().root.pem()};
  const auto cas = Get(&cache, {twice, File(Pki().root)}, {File(Pki().sub_ca)});
  EXPECT_EQ(sk_CRYPTO_BUFFER_num(cas->Names().get()), 2u);
  EXPECT_GT(cas->names_bytes(), Get(&cache, {twice})->names_bytes());
}

TEST(CaCacheTest, ErrorsNameTheFile) {
  CaCache cache;
  const NamedPem bad = {"bad.pem", std::string("nothing")};
  for (int i = 0; i < 2; ++i) {
    const auto cas = cache.Get(std::vector<NamedPem>{File(Pki().root)}, std::vector<NamedPem>{bad});
    EXPECT_EQ(cas.status().message().substr(0, 9), "bad.pem: ");
  }
}

}  // namespace
}  // namespace postern::tls
