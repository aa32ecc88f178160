#include "src/tls/anchors.h"

#include <gtest/gtest.h>

#include "src/base/limits.h"
#include "src/tls/cert_test_util.h"

namespace postern::tls {
namespace {

// So many certificates with names of their own, or all with one; unsigned: nobody asks.
size_t ComparisonsOf(size_t count, size_t names) {
  Anchors anchors;
  for (size_t i = 0; i < count; ++i) {
    bssl::UniquePtr<X509> certificate(X509_new());
    // Far from any order.
    AddEntry(X509_get_subject_name(certificate.get()), NID_commonName,
             std::to_string(i * 7919 % names));
    anchors.Add(std::move(certificate));
  }
  anchors.Sort();
  return anchors.comparisons();
}

TEST(Anchors, TwiceAsManyCostHardlyMoreThanTwice) {
  for (const bool are_namesakes : {false, true}) {
    const size_t once = ComparisonsOf(2000, are_namesakes ? 1 : 2000);
    const size_t twice = ComparisonsOf(4000, are_namesakes ? 1 : 4000);
    EXPECT_LE(twice * 10, once * 22);
  }
}

class AnchorsSearch : public ::testing::Test {
 protected:
  void Add(const Cert& cert) { anchors_.Add(bssl::UpRef(cert.x509)); }
  // The anchor that the library finds for this leaf; null: none.
  X509* Find(const Cert& leaf) {
    context_.reset(X509_STORE_CTX_new());
    terms_ = {&anchors_, kNow, base::limits::kChainCertificatesMax};
    CHECK(X509_STORE_CTX_init(context_.get(), anchors_.store(), leaf.x509.get(), nullptr) == 1);
    CHECK(X509_STORE_CTX_set_app_data(context_.get(), &terms_) == 1);
    X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(context_.get()), kNow);
    if (X509_verify_cert(context_.get()) != 1) {
      return nullptr;
    }
    STACK_OF(X509)* chain = X509_STORE_CTX_get0_chain(context_.get());
    return sk_X509_value(chain, sk_X509_num(chain) - 1);
  }

  Anchors anchors_;
  Anchors::SearchTerms terms_;
  bssl::UniquePtr<X509_STORE_CTX> context_;
};

TEST_F(AnchorsSearch, ByNameAndIdentifier) {
  CertOptions named = CaOptions("Namesake");
  named.subject_key_id = "hash";
  std::vector<Cert> cas;
  for (int i = 0; i < 20; ++i) {
    cas.push_back(MakeCert(i % 2 == 0 ? named : CaOptions("CA " + std::to_string(i))));
  }
  for (const Cert& ca : cas) {
    Add(ca);
  }
  anchors_.Sort();
  for (const Cert& ca : cas) {
    EXPECT_EQ(Find(MakeCert({.authority_key_id = "keyid"}, &ca)), ca.x509.get());
  }
  EXPECT_EQ(Find(TestPki::Get().client), nullptr);
}

}  // namespace
}  // namespace postern::tls
