#include "src/tls/host_policy.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/tls1.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "src/base/check.h"
#include "src/tls/ssl_context.h"

namespace postern::tls {
namespace {

// A CertificateRequest beyond this breaks clients and costs a round trip; ask for other means by
// name.
constexpr size_t kAdvertisedNamesBytesMax = 16 * 1024;

Sha256 HashOf(std::string_view text) {
  Sha256 hash;
  SHA256(reinterpret_cast<const uint8_t*>(text.data()), text.size(), hash.data());
  return hash;
}

std::string_view ViewOf(const Sha256& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

// Each part with its size before it, so that no two lists of parts read the same.
void AppendPart(std::string* text, std::string_view part) {
  absl::StrAppend(text, part.size(), ":", absl::string_view(part.data(), part.size()), ";");
}

Sha256 HashPolicy(const ContextInput& input, const ContextInput::Host& host,
                  const config::TrustConfig& terms) {
  std::string text = "postern client policy 1;";
  AppendPart(&text, input.listener_name);
  AppendPart(&text, host.server_name);
  const config::IdentityDialects& dialects = input.dialects;
  absl::StrAppend(&text, static_cast<int>(host.client_auth), ",", terms.verify_depth, ",",
                  terms.rsa_bits_min, ",", dialects.alb, dialects.rfc9440, dialects.xfcc,
                  dialects.aws, ";");
  for (const config::SanPattern& pattern : terms.allowed_sans) {
    absl::StrAppend(&text, static_cast<int>(pattern.type));
    AppendPart(&text, pattern.pattern);
  }
  return HashOf(text);
}

absl::Status CheckNamesSize(const ContextInput::Host& host, const Verifier& verifier) {
  const size_t bytes = verifier.cas().names_bytes();
  if (!host.advertise_cas || bytes <= kAdvertisedNamesBytesMax) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat(host.trust.anchors.front().name, ": the CA names take ", bytes,
                   " bytes of every handshake (at most ", kAdvertisedNamesBytesMax,
                   "); set advertise_cas to false or split the bundle"));
}

bool VerifiesClients(config::ClientAuth mode) {
  return mode == config::ClientAuth::kRequest || mode == config::ClientAuth::kRequire;
}

}  // namespace

int HostPolicy::verify_mode() const {
  switch (mode) {
    case config::ClientAuth::kOff:
      return SSL_VERIFY_NONE;
    case config::ClientAuth::kRequest:
      return SSL_VERIFY_PEER;
    case config::ClientAuth::kRequire:
    case config::ClientAuth::kPassthrough:
      return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  }
  return SSL_VERIFY_NONE;
}

Sha256 HostPolicy::BindingTo(std::string_view server_name) const {
  // On the stack: asked for in every handshake. The library takes no longer name from a client.
  constexpr size_t kNameBytesMax = TLSEXT_MAXLEN_host_name;
  CHECK(server_name.size() <= kNameBytesMax);
  std::array<char, std::tuple_size_v<Sha256> + kNameBytesMax> text;
  char* end = std::copy(hash.begin(), hash.end(), text.begin());
  end = std::transform(server_name.begin(), server_name.end(), end,
                       [](char c) { return absl::ascii_tolower(static_cast<unsigned char>(c)); });
  return HashOf({text.data(), static_cast<size_t>(end - text.data())});
}

PolicyTag TagOf(const Sha256& binding) {
  PolicyTag tag = 0;
  std::memcpy(&tag, binding.data(), sizeof(tag));
  return tag;
}

absl::Status HostPolicy::AddVerifiers(const ContextInput& input, const ContextInput::Host& host,
                                      CaCache* cas) {
  auto verifying = Verifier::Create(host.trust, hash, cas);
  if (!verifying.ok()) {
    return verifying.status();
  }
  verifier = *std::move(verifying);
  absl::Status status = CheckNamesSize(host, *verifier);
  if (!status.ok() || !host.candidate.has_value()) {
    return status;
  }
  std::string scope = "candidate;";
  AppendPart(&scope, ViewOf(HashPolicy(input, host, host.candidate->terms)));
  auto in_shadow = Verifier::Create(*host.candidate, HashOf(scope), cas);
  if (!in_shadow.ok()) {
    return in_shadow.status();
  }
  candidate = *std::move(in_shadow);
  return absl::OkStatus();
}

absl::Status HostPolicy::AddCertificates(const ContextInput& input, const ContextInput::Host& host,
                                         PackedChains* chains) {
  const bool advertise = verifier != nullptr && host.advertise_cas;
  for (const KeyPair& pair : host.pairs) {
    auto certificate = MakeSslContext(input, pair, verify_mode(),
                                      advertise ? verifier->cas().Names() : nullptr, chains);
    if (!certificate.ok()) {
      return certificate.status();
    }
    for (const Certificate& other : certificates) {
      if (other.key_type == certificate->key_type) {
        return absl::InvalidArgumentError(
            absl::StrCat(pair.certificate_name,
                         ": a second certificate of the same key type; give one for each type"));
      }
    }
    certificates.push_back(*std::move(certificate));
  }
  if (certificates.empty()) {
    return absl::InvalidArgumentError("no server certificate given");
  }
  std::stable_sort(certificates.begin(), certificates.end(),
                   [](const Certificate& a, const Certificate& b) {
                     return a.key_type != EVP_PKEY_RSA && b.key_type == EVP_PKEY_RSA;
                   });
  return absl::OkStatus();
}

absl::StatusOr<HostPolicy> HostPolicy::Create(const ContextInput& input,
                                              const ContextInput::Host& host,
                                              const HostPolicy* presents,
                                              const SharedParts& parts) {
  HostPolicy policy;
  policy.mode = host.client_auth;
  policy.content = ContentFor(input.dialects, host.client_auth);
  policy.hash = HashPolicy(input, host, host.trust.terms);
  absl::Status status;
  if (VerifiesClients(host.client_auth)) {
    status = policy.AddVerifiers(input, host, parts.cas);
  }
  if (status.ok() && presents == nullptr) {
    status = policy.AddCertificates(input, host, parts.chains);
  }
  if (!status.ok()) {
    return status;
  }
  if (presents != nullptr) {
    for (const Certificate& shared : presents->certificates) {
      policy.certificates.push_back(
          {bssl::UpRef(shared.context), shared.key_type, shared.curve_nid});
    }
  }
  return policy;
}

}  // namespace postern::tls
