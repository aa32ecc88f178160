// Revocation lists. The first byte says what the rest is: a file as an operator gives it, or the
// part of a list that is signed, to which the fuzzer puts a good signature, so that what lies
// behind the signature's check is reached, too. The oracle: text and DER of a list mean the same;
// what was accepted is found; what was refused has a reason.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "src/base/check.h"
#include "src/tls/crl.h"
#include "src/tls/crl_parser.h"
#include "src/tls/crl_test_util.h"
#include "src/tls/der.h"

namespace postern::tls {
namespace {

// CN=Fuzz, with an Ed25519 key that is always the same: the corpus names it.
const Cert& Issuer() {
  static const Cert* const kIssuer = [] {
    constexpr std::array<uint8_t, 32> kSeed = {};
    Cert* cert = new Cert;
    cert->key.reset(
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, kSeed.data(), kSeed.size()));
    CertOptions options = CaOptions("Fuzz");
    options.public_key = cert->key.get();
    const Cert signer = MakeCert(CaOptions("Fuzz"));
    Cert made = MakeCert(options, &signer);
    cert->der = made.der;
    cert->x509 = std::move(made.x509);
    return cert;
  }();
  return *kIssuer;
}

KeyId IssuerKey() {
  static const KeyId kKey = [] {
    uint8_t* der = nullptr;
    const int size = i2d_PUBKEY(Issuer().key.get(), &der);
    bssl::UniquePtr<uint8_t> free_der(der);
    return KeyIdOf({der, static_cast<size_t>(size)});
  }();
  return kKey;
}

struct Built {
  std::unique_ptr<RevocationIndex> index;  // null: refused
  size_t warnings = 0;
};

Built Build(std::string_view contents) {
  RevocationInput input;
  input.files.push_back({"fuzz", std::string(contents)});
  const std::string& der = Issuer().der;
  input.issuers.emplace_back(
      CRYPTO_BUFFER_new(reinterpret_cast<const uint8_t*>(der.data()), der.size(), nullptr));
  input.now_s = kNow;
  std::vector<std::string> warnings;
  auto index = BuildRevocationIndex(std::move(input), &warnings);
  if (!index.ok()) {
    CHECK(index.status().code() == absl::StatusCode::kInvalidArgument);
    CHECK(index.status().message().substr(0, 6) == "fuzz: ");
    return {nullptr, warnings.size()};
  }
  CHECK(!(*index)->lists().empty());
  return {*std::move(index), warnings.size()};
}

// What can be said of a list whoever has signed it: everything it names is found.
void CheckList(std::string_view der, const Built& built) {
  ParsedCrl crl;
  const absl::Status status =
      ParseCrl({reinterpret_cast<const uint8_t*>(der.data()), der.size()}, &crl);
  CHECK(status.ok() || built.index == nullptr);
  if (!status.ok()) {
    return;
  }
  CHECK(crl.covers_leaves || crl.covers_cas);
  size_t count = 0;
  const absl::Status entries = CheckEntries(crl, &count);
  CHECK(entries.ok() || built.index == nullptr);
  if (!entries.ok()) {
    return;
  }
  CBS rest = crl.entries;
  CBS serial;
  size_t read = 0;
  for (; NextSerial(&rest, &serial); ++read) {
    CHECK(CBS_len(&serial) <= 20);
    CHECK(built.index == nullptr || built.index->Find(IssuerKey(), SpanOf(serial), false) ==
                                        RevocationIndex::Verdict::kRevoked);
  }
  CHECK(read == count);
  CHECK(CBS_len(&rest) == 0);
  CHECK(built.index == nullptr || built.index->lists()[0].entries == count);
}

void RunSigned(std::string_view content) {
  const std::string tbs = Sequence(content);
  const EVP_PKEY* key = Issuer().key.get();
  const std::string signature = Sign(const_cast<EVP_PKEY*>(key), CrlSignature::kByKey, tbs);
  const std::string der =
      Sequence(tbs + AlgorithmDer(const_cast<EVP_PKEY*>(key), CrlSignature::kByKey) +
               Tagged(CBS_ASN1_BITSTRING, std::string(1, '\0') + signature));
  const Built built = Build(der);
  CheckList(der, built);
  const Built of_text = Build(CrlPem(der));
  CHECK((built.index == nullptr) == (of_text.index == nullptr));
  CHECK(built.warnings == of_text.warnings);
  CHECK(built.index == nullptr || built.index->entries() == of_text.index->entries());
}

void Run(uint8_t choice, std::string_view bytes) {
  if ((choice & 1) == 0) {
    const Built built = Build(bytes);
    if (built.index == nullptr) {
      CheckList(bytes, built);
    }
    return;
  }
  RunSigned(bytes);
}

}  // namespace
}  // namespace postern::tls

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 0) {
    postern::tls::Run(data[0], {reinterpret_cast<const char*>(data) + 1, size - 1});
  }
  return 0;
}
