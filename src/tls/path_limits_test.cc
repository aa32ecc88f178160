// What a peer's chain can make us compute: signatures, which are counted, and comparisons of names.
#include "src/tls/path_limits.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/base/limits.h"
#include "src/tls/tls_test_util.h"

namespace {

size_t* Signatures() {
  static size_t count = 0;
  return &count;
}

}  // namespace

// The linker puts these around the library's own.
extern "C" int __real_EVP_DigestVerify(EVP_MD_CTX* context, const uint8_t* signature,
                                       size_t signature_size, const uint8_t* data, size_t size);
extern "C" int __wrap_EVP_DigestVerify(EVP_MD_CTX* context, const uint8_t* signature,
                                       size_t signature_size, const uint8_t* data, size_t size) {
  ++*Signatures();
  return __real_EVP_DigestVerify(context, signature, signature_size, data, size);
}

namespace postern::tls {
namespace {

using base::limits::kChainCertificatesMax;
using base::limits::kNameConstraintWorkMax;
using base::limits::kSignaturesBesidePathMax;
using HandshakeStep = Engine::HandshakeStep;

struct Outcome {
  HandshakeStep step = HandshakeStep::kNeedInput;
  Reason reason = Reason::kNone;
  size_t signatures = 0;  // that the server has checked
};

std::unique_ptr<Context> MakeServer(const std::string& anchors, uint32_t depth) {
  ContextInput input = BasicInput(config::ClientAuth::kRequire);
  input.hosts[0].trust.terms.verify_depth = depth;
  input.hosts[0].trust.anchors = {{"ca.pem", anchors}};
  return MakeContext(input);
}

Outcome Serve(Context* context, const Cert& leaf, const std::vector<std::string>& others) {
  TestServer server(context);
  TestClient client(WithCertificate(leaf, others));
  const size_t before = *Signatures();
  Outcome outcome;
  outcome.step = Connect(&client, &server);
  outcome.reason = server.refusal().reason;
  // The client trusts whom it is shown, but checks that the server has its key.
  outcome.signatures = *Signatures() - before - 1;
  return outcome;
}

// `count` CAs below each other, the first one below `root`; the last one signs.
std::vector<Cert> CasBelow(const Cert& root, size_t count, const std::string& key_id) {
  std::vector<Cert> cas;
  cas.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    CertOptions options = CaOptions(absl::StrCat("CA ", i));
    options.subject_key_id = "hash";
    options.authority_key_id = key_id;
    cas.push_back(MakeCert(options, i == 0 ? &root : &cas.back()));
  }
  return cas;
}

std::vector<std::string> UpwardsFrom(const std::vector<Cert>& cas) {
  std::vector<std::string> others;
  for (auto ca = cas.rbegin(); ca != cas.rend(); ++ca) {
    others.push_back(ca->der);
  }
  return others;
}

CertOptions RootOptions() {
  CertOptions options = CaOptions("Root");
  options.subject_key_id = "hash";
  return options;
}

TEST(SignaturesTest, OneForEachCertificateOfThePathAndItsOwn) {
  const Cert root = MakeCert(RootOptions());
  for (const char* key_id : {"", "keyid:always"}) {
    for (size_t depth = 1; depth <= kChainCertificatesMax; ++depth) {
      const std::vector<Cert> cas = CasBelow(root, depth - 1, key_id);
      const Cert leaf = MakeCert({}, cas.empty() ? &root : &cas.back());
      std::unique_ptr<Context> context = MakeServer(root.pem(), static_cast<uint32_t>(depth));
      const Outcome outcome = Serve(context.get(), leaf, UpwardsFrom(cas));
      EXPECT_EQ(outcome.step, HandshakeStep::kDone) << depth << NameOf(outcome.reason);
      EXPECT_EQ(outcome.signatures, depth + 1);
    }
  }
}

TEST(SignaturesTest, NoneOfAPathThatIsTooLong) {
  const Cert root = MakeCert(RootOptions());
  for (size_t depth = 1; depth < kChainCertificatesMax; ++depth) {
    const std::vector<Cert> cas = CasBelow(root, depth, "");
    std::unique_ptr<Context> context = MakeServer(root.pem(), static_cast<uint32_t>(depth));
    const Outcome outcome = Serve(context.get(), MakeCert({}, &cas.back()), UpwardsFrom(cas));
    EXPECT_EQ(NameOf(outcome.reason), NameOf(Reason::kChainTooLong));
    EXPECT_EQ(outcome.signatures, 0u);
  }
}

// Every certificate has many issuers that fit by name, below anchors of one name, and none of them
// has signed it: so many anchors are asked, and no more.
TEST(SignaturesTest, CandidatesOfOneNameAreBounded) {
  for (const char* key_id : {"", "issuer:always"}) {
    std::string anchors;
    std::vector<Cert> roots;
    for (int i = 0; i < 20; ++i) {
      roots.push_back(MakeCert(RootOptions()));
      anchors += roots.back().pem();
    }
    std::vector<std::string> others;
    Cert last;
    for (size_t i = 0; i + 1 < kChainCertificatesMax; ++i) {
      CertOptions options = CaOptions("Twin");
      options.authority_key_id = key_id;
      last = MakeCert(options, &roots[19 - i]);
      others.push_back(last.der);
    }
    CertOptions leaf;
    leaf.authority_key_id = key_id;
    for (uint32_t depth : {1u, 2u, 4u, 10u}) {
      std::unique_ptr<Context> context = MakeServer(anchors, depth);
      const Outcome outcome = Serve(context.get(), MakeCert(leaf, &last), others);
      EXPECT_EQ(outcome.step, HandshakeStep::kRefused);
      EXPECT_LE(outcome.signatures,
                depth + base::limits::kCandidateSignaturesMax + base::limits::kSearchSignaturesMax);
    }
  }
}

// As many as are asked find theirs, each whatever its place.
TEST(SignaturesTest, EachOfSeveralOfOneNameIsFound) {
  std::string anchors;
  std::vector<Cert> roots;
  for (size_t i = 0; i < base::limits::kCandidateSignaturesMax; ++i) {
    roots.push_back(MakeCert(RootOptions()));
    anchors += roots.back().pem();
  }
  std::unique_ptr<Context> context = MakeServer(anchors, 1);
  for (const Cert& root : roots) {
    EXPECT_EQ(Serve(context.get(), MakeCert({}, &root), {}).step, HandshakeStep::kDone);
  }
}

// Two names that have issued each other, over and over: the path is as long as it may be.
TEST(SignaturesTest, CrossSignedInCircles) {
  const Cert root = MakeCert(RootOptions());
  std::vector<Cert> cas;
  cas.reserve(kChainCertificatesMax);
  for (size_t i = 0; i + 1 < kChainCertificatesMax; ++i) {
    cas.push_back(MakeCert(CaOptions(i % 2 == 0 ? "This" : "That"), i == 0 ? &root : &cas.back()));
  }
  const Cert leaf = MakeCert({}, &cas.back());
  for (uint32_t depth : {1u, 4u, 9u, 10u}) {
    std::unique_ptr<Context> context = MakeServer(root.pem(), depth);
    EXPECT_LE(Serve(context.get(), leaf, UpwardsFrom(cas)).signatures,
              depth + kSignaturesBesidePathMax + base::limits::kSearchSignaturesMax);
  }
}

// Below an issuer that is known, its signature is checked in vain, then with all others, and once
// more by the search for another path.
TEST(SignaturesTest, ABadOneBelowAKnownIssuer) {
  const Cert root = MakeCert(RootOptions());
  const std::vector<Cert> cas = CasBelow(root, 3, "");
  std::unique_ptr<Context> context = MakeServer(root.pem(), 4);
  EXPECT_EQ(Serve(context.get(), MakeCert({}, &cas.back()), UpwardsFrom(cas)).signatures, 4u + 1u);
  EXPECT_EQ(Serve(context.get(), MakeCert({}, &cas.back()), UpwardsFrom(cas)).signatures, 1u + 1u);
  CertOptions forged;
  forged.bad_signature = true;
  const Outcome outcome = Serve(context.get(), MakeCert(forged, &cas.back()), UpwardsFrom(cas));
  EXPECT_EQ(NameOf(outcome.reason), NameOf(Reason::kBadSignature));
  EXPECT_EQ(outcome.signatures, 1u + 4u + 4u);
}

// What a peer has made up below the name of an anchor costs no signature with a key of its own: the
// anchor's comes first. Nor is there a search where the leaf itself is what is wrong.
TEST(SignaturesTest, WhatIsMadeUpIsFoundOutAtTheTop) {
  const Cert root = MakeCert(RootOptions());
  const Cert impostor = MakeCert(RootOptions());
  std::vector<Cert> cas;
  std::vector<std::string> others;
  for (size_t i = 0; i + 1 < kChainCertificatesMax; ++i) {
    cas.push_back(MakeCert(CaOptions("Twin"), &impostor));
    others.push_back(cas.back().der);
  }
  std::unique_ptr<Context> context = MakeServer(root.pem(), 10);
  const Outcome outcome = Serve(context.get(), MakeCert({}, &cas.back()), others);
  EXPECT_EQ(NameOf(outcome.reason), NameOf(Reason::kBadSignature));
  // Of the path that the library has chosen, the uppermost; then that of each twin.
  EXPECT_EQ(outcome.signatures, 1 + cas.size());
  CertOptions wrong;
  wrong.extended_key_usage = "serverAuth";
  const Outcome none = Serve(context.get(), MakeCert(wrong, &cas.back()), others);
  EXPECT_EQ(NameOf(none.reason), NameOf(Reason::kWrongPurpose));
  EXPECT_EQ(none.signatures, 0u);
}

Cert Constrained(const Cert& root, size_t constraints) {
  CertOptions options = CaOptions("Constrained");
  for (size_t i = 0; i < constraints; ++i) {
    absl::StrAppend(&options.name_constraints, i == 0 ? "" : ",", "excluded;DNS:b", i);
  }
  return MakeCert(options, &root);
}

TEST(NameConstraintsTest, ComparisonsAreCountedBeforeSignatures) {
  const Cert root = MakeCert(RootOptions());
  CertOptions options;
  for (int i = 0; i < 200; ++i) {
    absl::StrAppend(&options.subject_alt_name, i == 0 ? "" : ",", "DNS:a", i, ".good.test");
  }
  const Cert measured = MakeCert(options, &root);
  const uint8_t* subject = nullptr;
  size_t bytes = 0;
  ASSERT_EQ(X509_NAME_get0_der(X509_get_subject_name(measured.x509.get()), &subject, &bytes), 1);
  const int at = X509_get_ext_by_NID(measured.x509.get(), NID_subject_alt_name, -1);
  bytes += static_cast<size_t>(
      ASN1_STRING_length(X509_EXTENSION_get_data(X509_get_ext(measured.x509.get(), at))));
  const size_t most = kNameConstraintWorkMax / bytes;
  std::unique_ptr<Context> context = MakeServer(root.pem(), 4);
  const Cert full = Constrained(root, most);
  const Outcome good = Serve(context.get(), MakeCert(options, &full), {full.der});
  EXPECT_EQ(good.step, HandshakeStep::kDone) << NameOf(good.reason);
  const Cert beyond = Constrained(root, most + 1);
  const Outcome bad = Serve(context.get(), MakeCert(options, &beyond), {beyond.der});
  EXPECT_EQ(NameOf(bad.reason), NameOf(Reason::kNameConstraint));
  EXPECT_EQ(bad.signatures, 2u) << "of the search for another path, which finds none";
  // Few names may stand below as many constraints as there is room for.
  options.subject_alt_name = "DNS:a.good.test";
  const Outcome plain = Serve(context.get(), MakeCert(options, &beyond), {beyond.der});
  EXPECT_EQ(plain.step, HandshakeStep::kDone) << NameOf(plain.reason);
}

}  // namespace
}  // namespace postern::tls
