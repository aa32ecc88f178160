#include "src/tls/certificate_policies.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "src/tls/cert_test_util.h"

namespace postern::tls {
namespace {

constexpr char kDemand[] = "critical,requireExplicitPolicy:0";
constexpr char kA[] = "1.2.3.1";
constexpr char kB[] = "1.2.3.2";
constexpr char kAny[] = "2.5.29.32.0";

// What becomes of a chain below an anchor, from the top down to the leaf. "": it is good, else
// where it is at fault.
std::string Check(const std::vector<CertOptions>& chain) {
  std::vector<Cert> certificates;
  certificates.push_back(MakeCert(CaOptions("Anchor")));
  for (size_t i = 0; i < chain.size(); ++i) {
    CertOptions options = chain[i];
    options.cn = "certificate " + std::to_string(i);
    certificates.push_back(MakeCert(options, &certificates.back()));
  }
  bssl::UniquePtr<STACK_OF(X509)> path(sk_X509_new_null());
  for (size_t i = certificates.size(); i-- > 0;) {
    bssl::PushToStack(path.get(), bssl::UpRef(certificates[i].x509));
  }
  int depth = -1;
  const Reason reason = CheckPolicies(path.get(), &depth);
  return reason == Reason::kNone ? "" : std::string(NameOf(reason)) + " " + std::to_string(depth);
}

CertOptions With(const std::string& policies, const std::string& constraints = "",
                 const std::string& inhibit = "") {
  CertOptions options;
  options.policies = policies;
  options.policy_constraints = constraints;
  options.inhibit_any_policy = inhibit;
  return options;
}

TEST(CertificatePoliciesTest, WithoutADemandAllAreGood) {
  EXPECT_EQ(Check({With("")}), "");
  EXPECT_EQ(Check({With(kA), With(kB)}), "");
  EXPECT_EQ(Check({With(kAny, "", "critical,0"), With("")}), "");
  EXPECT_EQ(Check({With("", "critical,inhibitPolicyMapping:0"), With("")}), "");
}

TEST(CertificatePoliciesTest, ADemandIsMet) {
  EXPECT_EQ(Check({With(kA, kDemand), With(kA)}), "");
  EXPECT_EQ(Check({With(kAny, kDemand), With(kA)}), "");
  EXPECT_EQ(Check({With(kA, kDemand), With(kAny)}), "");
  EXPECT_EQ(Check({With(kAny, kDemand), With(kAny)}), "");
  EXPECT_EQ(Check({With(std::string(kA) + "," + kB, kDemand), With(kB), With(kB)}), "");
  EXPECT_EQ(Check({With(kA), With(kA, kDemand)}), "") << "the leaf's own";
}

TEST(CertificatePoliciesTest, OrNot) {
  EXPECT_EQ(Check({With("", kDemand)}), "certificate_policy 0");
  EXPECT_EQ(Check({With(kA, kDemand), With("")}), "certificate_policy 0");
  EXPECT_EQ(Check({With(kA, kDemand), With(kB)}), "certificate_policy 0");
  EXPECT_EQ(Check({With(kA, kDemand), With(kB), With(kB)}), "certificate_policy 1");
  EXPECT_EQ(Check({With("", kDemand), With(kA)}), "certificate_policy 0")
      << "what one does not name is no longer good below it";
}

TEST(CertificatePoliciesTest, ADemandMayBeginLater) {
  constexpr char kLater[] = "critical,requireExplicitPolicy:1";
  EXPECT_EQ(Check({With("", kLater)}), "");
  EXPECT_EQ(Check({With("", kLater), With("")}), "certificate_policy 0");
  EXPECT_EQ(Check({With("", "critical,requireExplicitPolicy:2"), With("")}), "");
  EXPECT_EQ(Check({With(kA, kLater), With(kA), With(kB)}), "certificate_policy 0");
}

TEST(CertificatePoliciesTest, AnyPolicyInhibited) {
  EXPECT_EQ(Check({With(kA, kDemand, "critical,0"), With(kAny)}), "certificate_policy 0");
  EXPECT_EQ(Check({With(kA, kDemand, "critical,1"), With(kAny), With(kA)}), "");
  EXPECT_EQ(Check({With(kA, kDemand, "critical,1"), With(kAny), With(kAny)}),
            "certificate_policy 0");
}

// What is not followed is not taken for good.
TEST(CertificatePoliciesTest, Mappings) {
  CertOptions mapping = With(kA);
  mapping.policy_mappings = std::string(kA) + ":" + kB;
  EXPECT_EQ(Check({mapping, With(kB)}), "") << "nobody asks";
  mapping.policy_constraints = kDemand;
  EXPECT_EQ(Check({mapping, With(kB)}), "certificate_policy 1");
}

}  // namespace
}  // namespace postern::tls
