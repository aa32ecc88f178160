#include "src/tls/name_constraints.h"

#include <gtest/gtest.h>

#include <string>

#include "src/tls/tls_test_util.h"

namespace postern::tls {
namespace {

// Whether a client with these alternative names is served below a CA with these constraints.
bool IsServed(const std::string& constraints, const std::string& names) {
  CertOptions options = CaOptions("Constrained");
  options.name_constraints = constraints;
  const Cert ca = MakeCert(options, &TestPki::Get().root);
  TestServer server(MakeContext(BasicInput(config::ClientAuth::kRequire)));
  TestClient client(WithCertificate(MakeCert({.subject_alt_name = names}, &ca), {ca.der}));
  const bool is_served = Connect(&client, &server) == Engine::HandshakeStep::kDone;
  EXPECT_EQ(NameOf(server.refusal().reason),
            NameOf(is_served ? Reason::kNone : Reason::kNameConstraint));
  return is_served;
}

TEST(NameConstraintsTest, AddressesInNetworks) {
  const std::string ten = "critical,permitted;IP:10.0.0.0/255.0.0.0";
  EXPECT_TRUE(IsServed(ten, "IP:10.1.2.3"));
  EXPECT_TRUE(IsServed(ten, "IP:10.0.0.0,IP:10.255.255.255"));
  EXPECT_FALSE(IsServed(ten, "IP:11.0.0.0"));
  EXPECT_FALSE(IsServed(ten, "IP:10.1.2.3,IP:9.255.255.255"));
  EXPECT_FALSE(IsServed(ten, "IP:2001:db8::1"));
  EXPECT_TRUE(IsServed(ten, "DNS:a.test"));
  EXPECT_TRUE(IsServed(ten, ""));
  const std::string no_ten = "critical,excluded;IP:10.0.0.0/255.0.0.0";
  EXPECT_FALSE(IsServed(no_ten, "IP:10.1.2.3"));
  EXPECT_TRUE(IsServed(no_ten, "IP:11.0.0.1,IP:2001:db8::1"));
  EXPECT_FALSE(IsServed(no_ten, "IP:11.0.0.1,IP:10.0.0.1"));
  const std::string six =
      "critical,permitted;IP:2001:db8::/ffff:ffff:0:0:0:0:0:0,permitted;IP:192.0.2.0/"
      "255.255.255.254";
  EXPECT_TRUE(IsServed(six, "IP:2001:db8:ffff::1,IP:192.0.2.1"));
  EXPECT_FALSE(IsServed(six, "IP:2001:db9::1"));
  EXPECT_FALSE(IsServed(six, "IP:192.0.2.2"));
  EXPECT_TRUE(IsServed("critical,permitted;IP:0.0.0.0/0.0.0.0", "IP:203.0.113.9"));
  EXPECT_TRUE(IsServed("critical,permitted;IP:192.0.2.7/255.255.255.255", "IP:192.0.2.7"));
  EXPECT_FALSE(IsServed("critical,permitted;IP:192.0.2.7/255.255.255.255", "IP:192.0.2.6"));
}

// What is no network is nothing that could be held.
TEST(NameConstraintsTest, MasksWithHoles) {
  EXPECT_FALSE(IsServed("critical,permitted;IP:10.0.0.0/255.0.255.0", "IP:10.1.0.3"));
  EXPECT_FALSE(IsServed("critical,excluded;IP:10.0.0.0/0.0.0.255", "IP:11.1.0.3"));
}

// Where the library stops at an address, the names behind it are looked at all the same.
TEST(NameConstraintsTest, NamesBesideAddresses) {
  const std::string both = "critical,permitted;IP:10.0.0.0/255.0.0.0,permitted;DNS:good.test";
  EXPECT_TRUE(IsServed(both, "IP:10.1.2.3,DNS:a.good.test"));
  EXPECT_FALSE(IsServed(both, "IP:10.1.2.3,DNS:a.evil.test"));
  EXPECT_FALSE(IsServed(both, "DNS:a.good.test,IP:11.1.2.3"));
  EXPECT_FALSE(IsServed(both, "DNS:a.evil.test,IP:10.1.2.3"));
}

// Each CA of a path has its say, also one whose constraints the library would not have reached.
TEST(NameConstraintsTest, OfAllAbove) {
  CertOptions upper = CaOptions("Upper");
  upper.name_constraints = "critical,permitted;IP:10.0.0.0/255.0.0.0";
  CertOptions lower = CaOptions("Lower");
  lower.name_constraints = "critical,excluded;IP:10.1.0.0/255.255.0.0,excluded;DNS:evil.test";
  const Cert upper_ca = MakeCert(upper, &TestPki::Get().root);
  const Cert lower_ca = MakeCert(lower, &upper_ca);
  const auto serve = [&](const std::string& names) {
    TestServer server(MakeContext(BasicInput(config::ClientAuth::kRequire)));
    TestClient client(WithCertificate(MakeCert({.subject_alt_name = names}, &lower_ca),
                                      {lower_ca.der, upper_ca.der}));
    return Connect(&client, &server) == Engine::HandshakeStep::kDone;
  };
  EXPECT_TRUE(serve("IP:10.2.0.1,DNS:good.test"));
  EXPECT_FALSE(serve("IP:10.1.0.1"));
  EXPECT_FALSE(serve("IP:11.1.0.1"));
  EXPECT_FALSE(serve("IP:10.2.0.1,DNS:a.evil.test"));
}

}  // namespace
}  // namespace postern::tls
