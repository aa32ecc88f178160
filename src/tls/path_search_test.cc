// Whatever valid path there is to an anchor is found: by handshakes, since it is the library that
// goes first.
#include "src/tls/path_search.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "src/tls/certificate_view.h"
#include "src/tls/identity_text.h"
#include "src/tls/tls_test_util.h"

namespace postern::tls {
namespace {

using Certs = std::vector<const Cert*>;

std::string PemOf(const Certs& certs) {
  std::string pem;
  for (const Cert* cert : certs) {
    pem += cert->pem();
  }
  return pem;
}

// The same name and key, from another issuer or of another time.
Cert Again(const Cert& ca, CertOptions options, const Cert* issuer) {
  options.public_key = ca.key.get();
  Cert again = MakeCert(options, issuer);
  again.key = bssl::UpRef(ca.key);
  return again;
}

CertOptions Over(CertOptions options) {
  options.not_before_s = kNow - 9 * kDay;
  options.not_after_s = kNow - kDay;
  return options;
}

class PathSearchTest : public ::testing::Test {
 protected:
  PathSearchTest() : input_(BasicInput(config::ClientAuth::kRequire)) {}

  void Trust(const Certs& anchors, const Certs& intermediates = {}) {
    input_.hosts[0].trust.anchors = {{"ca.pem", PemOf(anchors)}};
    input_.hosts[0].trust.intermediates.clear();
    if (!intermediates.empty()) {
      input_.hosts[0].trust.intermediates = {{"intermediates.pem", PemOf(intermediates)}};
    }
  }

  // What becomes of a client that sends these beside its leaf.
  Reason Serve(const Cert& leaf, const Certs& others) {
    std::vector<std::string> sent;
    for (const Cert* other : others) {
      sent.push_back(other->der);
    }
    TestServer server(MakeContext(input_));
    TestClient client(WithCertificate(leaf, sent));
    const Engine::HandshakeStep step = Connect(&client, &server);
    depth_ = server.refusal().depth;
    return step == Engine::HandshakeStep::kDone ? Reason::kNone : server.refusal().reason;
  }
  void ExpectServed(const Cert& leaf, const Certs& others) {
    EXPECT_EQ(NameOf(Serve(leaf, others)), NameOf(Reason::kNone));
  }
  void ExpectRefused(Reason reason, const Cert& leaf, const Certs& others) {
    EXPECT_EQ(NameOf(Serve(leaf, others)), NameOf(reason));
  }

  ContextInput input_;
  int depth_ = 0;
  Cert root_ = MakeCert(CaOptions("Root"));
  Cert stranger_ = MakeCert(CaOptions("Stranger"));
  Cert ca_ = MakeCert(CaOptions("CA"), &root_);
  Cert ca_by_stranger_ = Again(ca_, CaOptions("CA"), &stranger_);
  Cert old_ca_ = Again(ca_, Over(CaOptions("CA")), &root_);
  Cert leaf_ = MakeCert({}, &ca_);
};

TEST_F(PathSearchTest, NamesakesWithoutIdentifiers) {
  const Cert twin = MakeCert(CaOptions("CA"), &root_);
  const Cert other_leaf = MakeCert({}, &twin);
  Trust({&root_});
  for (const Certs& order : {Certs{&ca_, &twin}, Certs{&twin, &ca_}}) {
    ExpectServed(leaf_, order);
    ExpectServed(other_leaf, order);
  }
  ExpectRefused(Reason::kBadSignature, leaf_, {&twin});
  Trust({&root_}, {&twin, &ca_});
  ExpectServed(leaf_, {});
  ExpectServed(other_leaf, {});
  ExpectServed(leaf_, {&twin});
}

// As of a CA that was renewed: its children name the serial number that it had.
TEST_F(PathSearchTest, IdentifiersThatNoLongerFit) {
  const Cert child = MakeCert({.authority_key_id = "issuer:always"}, &ca_);
  CertOptions renewed = CaOptions("CA");
  renewed.serial = 77;
  renewed.subject_key_id = "hash";
  const Cert new_ca = Again(ca_, renewed, &root_);
  Trust({&root_});
  ExpectServed(child, {&new_ca});
  Trust({&new_ca});
  ExpectServed(child, {});
  // Of two, the one that it names is asked first, and the signature decides.
  const Cert twin = MakeCert(renewed, &root_);
  Trust({&root_});
  ExpectServed(child, {&twin, &new_ca});
  ExpectRefused(Reason::kUnknownCa, child, {&twin});
  renewed.key_usage = "critical,cRLSign";
  const Cert no_signer = Again(ca_, renewed, &root_);
  ExpectRefused(Reason::kInvalidCa, child, {&no_signer});
}

TEST_F(PathSearchTest, CrossSigned) {
  for (const Certs& order :
       {Certs{&ca_by_stranger_, &ca_}, Certs{&ca_by_stranger_, &stranger_, &ca_},
        Certs{&stranger_, &ca_by_stranger_, &ca_}, Certs{&ca_, &stranger_}}) {
    Trust({&root_});
    ExpectServed(leaf_, order);
  }
  ExpectRefused(Reason::kUnknownCa, leaf_, {&ca_by_stranger_, &stranger_});
  Trust({&root_}, {&ca_});
  ExpectServed(leaf_, {&ca_by_stranger_, &stranger_});
  ExpectServed(leaf_, {&ca_by_stranger_});
}

TEST_F(PathSearchTest, RenewedAndOver) {
  Trust({&root_});
  ExpectServed(leaf_, {&old_ca_, &ca_});
  ExpectServed(leaf_, {&ca_, &old_ca_});
  ExpectRefused(Reason::kExpired, leaf_, {&old_ca_});
  EXPECT_EQ(depth_, 1);
  Trust({&root_}, {&ca_});
  ExpectServed(leaf_, {&old_ca_});
  Trust({&root_}, {&old_ca_, &ca_});
  ExpectServed(leaf_, {});
}

TEST_F(PathSearchTest, AnchorsThatAreOverBesideOthers) {
  const Cert old_root = Again(root_, Over(CaOptions("Root")), &root_);
  const Cert child = MakeCert({}, &root_);
  for (const Certs& order : {Certs{&old_root, &root_}, Certs{&root_, &old_root}}) {
    Trust(order);
    ExpectServed(child, {});
    ExpectServed(child, {&old_root});
    ExpectServed(leaf_, {&ca_});
  }
  Trust({&old_root});
  ExpectRefused(Reason::kExpired, child, {});
  // An anchor in the middle of a path.
  for (const Certs& order : {Certs{&old_ca_, &root_}, Certs{&root_, &old_ca_}}) {
    Trust(order);
    ExpectServed(leaf_, {&ca_});
    ExpectServed(leaf_, {&old_ca_, &ca_});
  }
  // The old root vouches for the new one, and is over.
  const Cert new_root = MakeCert(CaOptions("New Root"));
  const Cert bridge = Again(new_root, CaOptions("New Root"), &root_);
  const Cert below_new = MakeCert({}, &new_root);
  Trust({&old_root, &new_root});
  ExpectServed(below_new, {&bridge});
}

TEST_F(PathSearchTest, WhatHasNoUseDoesNoHarm) {
  CertOptions weak = CaOptions("Weak");
  const auto key = MakeHugeRsaPublicKey(1024);
  weak.public_key = key.get();
  const Cert old_root = MakeCert(weak, &stranger_);
  Trust({&root_});
  ExpectServed(leaf_, {&ca_, &old_root});
  ExpectServed(leaf_, {&old_root, &ca_});
  ExpectRefused(Reason::kWeakKey, leaf_, {&ca_by_stranger_, &old_root});
  EXPECT_EQ(depth_, 2);
}

// Each of these fails on the path that comes first, and on that one alone.
TEST_F(PathSearchTest, OtherWaysToFail) {
  CertOptions constrained = CaOptions("CA");
  constrained.name_constraints = "critical,permitted;DNS:other.test";
  CertOptions no_ca = CaOptions("CA");
  no_ca.basic_constraints = "critical,CA:FALSE";
  CertOptions for_servers = CaOptions("CA");
  for_servers.extended_key_usage = "serverAuth";
  CertOptions unknown = CaOptions("CA");
  unknown.netscape_comment = "critical,unknown";
  CertOptions no_policy = CaOptions("CA");
  no_policy.policy_constraints = "critical,requireExplicitPolicy:0";
  const Cert leaf = MakeCert({.subject_alt_name = "DNS:a.example.test"}, &ca_);
  Trust({&root_});
  for (const CertOptions& options : {constrained, no_ca, for_servers, unknown, no_policy}) {
    const Cert bad = Again(ca_, options, &root_);
    EXPECT_NE(Serve(leaf, {&bad}), Reason::kNone);
    ExpectServed(leaf, {&bad, &ca_});
  }
  CertOptions may_not_sign = CaOptions("CA");
  may_not_sign.key_usage = "critical,cRLSign";
  const Cert bad = Again(ca_, may_not_sign, &root_);
  ExpectRefused(Reason::kInvalidCa, leaf, {&bad});
  ExpectServed(leaf, {&bad, &ca_});
}

// What only the search accepts would be no path: times that are none are refused there as well.
TEST_F(PathSearchTest, TimesThatAreNone) {
  for (const char* time :
       {"garbage", "", "400101000000.5Z", "20260101003000-0100", "2601010030Z"}) {
    for (const bool is_end : {false, true}) {
      X509* certificate = leaf_.x509.get();
      bssl::UniquePtr<X509> copy(X509_dup(certificate));
      ASN1_TIME* field = is_end ? X509_getm_notAfter(copy.get()) : X509_getm_notBefore(copy.get());
      ASSERT_EQ(ASN1_STRING_set(field, time, static_cast<int>(strlen(time))), 1);
      EXPECT_FALSE(IsInTime(copy.get(), kNow)) << time;
    }
  }
  EXPECT_TRUE(IsInTime(leaf_.x509.get(), kNow));
}

TEST_F(PathSearchTest, ARevokedCaThatWasRenewed) {
  CertOptions renewed = CaOptions("CA");
  renewed.serial = 77;
  const Cert new_ca = Again(ca_, renewed, &root_);
  CertificateView view;
  ASSERT_TRUE(ParseCertificateView(Bytes(root_.der), &view));
  const KeyId key = KeyIdOf(view.spki);
  RevocationIndex::Builder builder(1);
  builder.AddList({.name = "list.crl", .issuer_key = key, .next_update_s = kNow + kDay});
  builder.AddEntry(key, std::vector<uint8_t>{1});
  const std::unique_ptr<RevocationIndex> index = builder.Build();
  input_.hosts[0].trust.revocation = index.get();
  Trust({&root_});
  ExpectRefused(Reason::kRevoked, leaf_, {&ca_});
  EXPECT_EQ(depth_, 1);
  ExpectServed(leaf_, {&ca_, &new_ca});
  Trust({&root_}, {&new_ca});
  ExpectServed(leaf_, {&ca_});
}

// CAs that have all signed each other.
TEST_F(PathSearchTest, AWebOfCas) {
  std::vector<Cert> cas;
  for (size_t i = 0; i < 8; ++i) {
    cas.push_back(MakeCert(CaOptions("Web " + std::to_string(i)), &stranger_));
  }
  std::vector<Cert> web;
  for (const Cert& issuer : cas) {
    for (size_t i = 0; i < 8; ++i) {
      web.push_back(Again(cas[i], CaOptions("Web " + std::to_string(i)), &issuer));
    }
  }
  Certs intermediates;
  for (const Cert& cert : web) {
    intermediates.push_back(&cert);
  }
  const Cert leaf = MakeCert({}, &cas[0]);
  Trust({&root_}, intermediates);
  ExpectRefused(Reason::kUnknownCa, leaf, {});
  CertOptions last = CaOptions("Web 7");
  const Cert bridge = Again(cas[7], last, &root_);
  intermediates.push_back(&bridge);
  Trust({&root_}, intermediates);
  ExpectServed(leaf, {});
}

}  // namespace
}  // namespace postern::tls
