// What a peer or an operator has in certificates, lists and PEM, of a chosen kind and size, read
// and verified. callgrind counts what that costs (certificates_test.py); nothing else of this
// program is counted, and signatures are not either: there is at most one for each certificate and
// list.
//
//   certificates KIND SIZE      prints how many bytes it had
//   certificates --list         the kinds, one a line, each with its sizes: the second is twice the
//                               first, or 0 for those that are compared to chain_names
#include <valgrind/callgrind.h>

#include <charconv>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "src/base/check.h"
#include "src/base/limits.h"
#include "src/tls/crl_build_test_util.h"
#include "src/tls/load_revocation.h"
#include "src/tls/pem_use.h"
#include "src/tls/verifier.h"

extern "C" int __real_EVP_DigestVerify(EVP_MD_CTX* context, const uint8_t* signature,
                                       size_t signature_size, const uint8_t* data, size_t size);
extern "C" int __wrap_EVP_DigestVerify(EVP_MD_CTX* context, const uint8_t* signature,
                                       size_t signature_size, const uint8_t* data, size_t size) {
  CALLGRIND_TOGGLE_COLLECT;
  const int good = __real_EVP_DigestVerify(context, signature, signature_size, data, size);
  CALLGRIND_TOGGLE_COLLECT;
  return good;
}

namespace postern::cost {
namespace {

using tls::Cert;
using tls::CertOptions;
using tls::MakeCert;

// One key for all: making them is slow, and they are not what is measured.
CertOptions CaOptions(const std::string& name, size_t serial, const Cert& root) {
  CertOptions options = tls::CaOptions(name);
  options.serial = serial + 1;
  options.public_key = root.key.get();
  return options;
}

size_t Anchors(const std::string& name, bool numbered, size_t count) {
  const Cert root = MakeCert(tls::CaOptions("Root"));
  std::string pem;
  for (size_t i = 0; i < count; ++i) {
    pem += MakeCert(CaOptions(numbered ? absl::StrCat(name, i) : name, i, root), &root).pem();
  }
  tls::TrustInput input;
  input.anchors = {{"ca.pem", pem}};
  CALLGRIND_TOGGLE_COLLECT;
  std::vector<std::string> unused;
  CHECK(tls::CheckPem(pem, tls::PemUse::kClientCas, &unused).ok());
  const bool good = tls::Verifier::Create(input).ok();
  CALLGRIND_TOGGLE_COLLECT;
  CHECK(good);
  return pem.size();
}

// A file with one certificate among much else.
size_t Pem(std::string_view block, size_t count) {
  std::string pem = MakeCert(tls::CaOptions("Root")).pem();
  for (size_t i = 0; i < count; ++i) {
    pem += block;
  }
  const size_t bytes = pem.size();
  CALLGRIND_TOGGLE_COLLECT;
  std::vector<std::string> unused;
  (void)tls::CheckPem(pem, tls::PemUse::kCertificate, &unused);
  tls::KeepCertificates(&pem);
  CALLGRIND_TOGGLE_COLLECT;
  return bytes;
}

size_t Lists(const std::vector<const Cert*>& issuers, std::vector<std::string> files) {
  tls::RevocationInput input;
  size_t bytes = 0;
  for (std::string& file : files) {
    bytes += file.size();
    input.files.push_back({"list.crl", std::move(file)});
  }
  for (const Cert* issuer : issuers) {
    input.issuers.emplace_back(
        CRYPTO_BUFFER_new(tls::AsBytes(issuer->der).data(), issuer->der.size(), nullptr));
  }
  input.now_s = tls::kNow;
  std::vector<std::string> warnings;
  CALLGRIND_TOGGLE_COLLECT;
  const bool good = tls::BuildRevocationIndex(std::move(input), &warnings).ok();
  CALLGRIND_TOGGLE_COLLECT;
  CHECK(good);
  return bytes;
}

size_t Entries(size_t count) {
  tls::CrlOptions options;
  options.entries = tls::NumberedEntries(static_cast<uint32_t>(count));
  return Lists({&tls::Root()}, {tls::MakeCrl(options, tls::Root())});
}

// Each of a CA of its own; all CAs have one key, or its name.
size_t ManyLists(size_t count) {
  std::vector<Cert> cas;
  std::vector<const Cert*> issuers;
  std::vector<std::string> files;
  cas.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    cas.push_back(MakeCert(tls::CaOptions(absl::StrCat("CA ", i))));
    issuers.push_back(&cas.back());
    files.push_back(tls::MakeCrl({}, cas.back()));
  }
  return Lists(issuers, std::move(files));
}

// A server's chain: a leaf with `names`, below a CA with `constraints`.
size_t Chain(size_t names, size_t constraints) {
  const Cert root = MakeCert(tls::CaOptions("Root"));
  CertOptions options = tls::CaOptions("CA");
  for (size_t i = 0; i < constraints; ++i) {
    absl::StrAppend(&options.name_constraints, i == 0 ? "" : ",", "excluded;DNS:", i);
  }
  const Cert ca = MakeCert(options, &root);
  CertOptions leaf = tls::ServerOptions();
  leaf.subject_alt_name = "DNS:a.test";
  for (size_t i = 0; i < names; ++i) {
    absl::StrAppend(&leaf.subject_alt_name, ",DNS:", 10 + i);
  }
  const Cert server = MakeCert(leaf, &ca);
  tls::TrustInput input;
  input.anchors = {{"ca.pem", root.pem()}};
  auto verifier = tls::Verifier::Create(input);
  CHECK(verifier.ok());
  bssl::UniquePtr<STACK_OF(CRYPTO_BUFFER)> chain(sk_CRYPTO_BUFFER_new_null());
  for (const Cert* cert : {&server, &ca}) {
    bssl::PushToStack(chain.get(), bssl::UniquePtr<CRYPTO_BUFFER>(CRYPTO_BUFFER_new(
                                       tls::AsBytes(cert->der).data(), cert->der.size(), nullptr)));
  }
  tls::Refusal refusal;
  CALLGRIND_TOGGLE_COLLECT;
  const tls::Reason reason =
      (*verifier)->VerifyServer(chain.get(), tls::kNow, {"a.test", false}, &refusal);
  CALLGRIND_TOGGLE_COLLECT;
  // What is refused costs as well.
  CHECK(reason == tls::Reason::kNone || reason == tls::Reason::kNameConstraint);
  return server.der.size() + ca.der.size();
}

struct Kind {
  const char* name;
  size_t first;
  size_t second;  // 0: it is compared to chain_names
  std::function<size_t(size_t size)> run;
};

std::vector<Kind> Kinds() {
  constexpr std::string_view kJunk = "-----BEGIN X-----\nAAAA\n-----END X-----\n";
  return {
      {"anchors", 100, 200, [](size_t size) { return Anchors("CA ", true, size); }},
      {"anchors_of_one_name", 100, 200, [](size_t size) { return Anchors("CA", false, size); }},
      {"pem_blocks", 2000, 4000, [=](size_t size) { return Pem(kJunk, size); }},
      {"pem_begins", 4000, 8000, [](size_t size) { return Pem("-----BEGIN X-----\n", size); }},
      {"pem_dashes", 20'000, 40'000, [](size_t size) { return Pem("-----", size); }},
      {"pem_lines", 20'000, 40'000, [](size_t size) { return Pem("\n", size); }},
      {"list_entries", 4000, 8000, Entries},
      {"lists", 32, 64, ManyLists},
      {"chain_names", 200, 400, [](size_t size) { return Chain(size, 0); }},
      {"chain_plain", 0, 0, [](size_t) { return Chain(0, 0); }},
      // As many comparisons as may be, of the shortest names; and as many as fit.
      {"chain_constraints", 350, 0,
       [](size_t size) {
         const size_t bytes = size * 5 + 80;
         return Chain(size, base::limits::kNameConstraintWorkMax / bytes);
       }},
      {"chain_too_many_constraints", 1000, 0, [](size_t size) { return Chain(size, size); }},
  };
}

}  // namespace
}  // namespace postern::cost

int main(int argc, char** argv) {
  const std::string_view wanted = argc < 2 ? "" : argv[1];
  size_t size = 0;
  if (argc == 3) {
    const std::string_view text = argv[2];
    std::from_chars(text.data(), text.data() + text.size(), size);
  }
  for (const postern::cost::Kind& kind : postern::cost::Kinds()) {
    if (wanted == "--list") {
      std::printf("%s %zu %zu\n", kind.name, kind.first, kind.second);
    } else if (argc == 3 && wanted == kind.name) {
      std::printf("%zu\n", kind.run(size));
      return 0;
    }
  }
  return wanted == "--list" ? 0 : 2;
}
