#include "src/tls/verifier.h"

#include <openssl/err.h>
#include <openssl/pool.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "src/base/limits.h"
#include "src/tls/describe.h"
#include "src/tls/key_rules.h"
#include "src/tls/name_text.h"
#include "src/tls/pem.h"
#include "src/tls/san.h"

namespace postern::tls {
namespace {

using base::limits::kChainCertificatesMax;

Sha256 HashOfBoth(const Sha256& a, const Sha256& b) {
  std::array<uint8_t, 2 * SHA256_DIGEST_LENGTH> both;
  std::copy(b.begin(), b.end(), std::copy(a.begin(), a.end(), both.begin()));
  Sha256 hash;
  SHA256(both.data(), both.size(), hash.data());
  return hash;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Verifier>> Verifier::Create(const TrustInput& input,
                                                           const Sha256& scope, CaCache* cache) {
  CaCache own;
  auto cas = (cache != nullptr ? cache : &own)->Get(input.anchors, input.intermediates);
  if (!cas.ok()) {
    return cas.status();
  }
  std::unique_ptr<Verifier> verifier(new Verifier());
  verifier->cas_ = *std::move(cas);
  verifier->terms_ = input.terms;
  verifier->revocation_ = input.revocation;
  // A path that only a configured certificate completes must not outlive it.
  verifier->scope_ = HashOfBoth(scope, verifier->cas_->content());
  return verifier;
}

Reason Verifier::CheckRevocation(const PeerIdentity::Facts& facts, int64_t now_s, Stale stale,
                                 int* depth) const {
  bool refuse_missing = terms_.missing_crl == config::MissingCrl::kRefuse;
  if (revocation_ == nullptr) {
    *depth = 0;
    return refuse_missing ? Reason::kCrlMissing : Reason::kNone;
  }
  bool refuse_stale =
      terms_.stale_crl == config::StaleCrl::kRefuse && stale == Stale::kAsConfigured;
  size_t count = terms_.crl_scope == config::CrlScope::kLeaf ? size_t{1} : facts.member_count;
  for (size_t i = 0; i < std::min(count, facts.member_count); ++i) {
    const PathMember& member = facts.members[i];
    *depth = static_cast<int>(i);
    RevocationIndex::Verdict verdict = revocation_->Find(member.issuer_key, member.serial(), i > 0);
    if (verdict == RevocationIndex::Verdict::kRevoked) {
      return Reason::kRevoked;
    }
    if (refuse_missing && verdict == RevocationIndex::Verdict::kUnlisted) {
      return Reason::kCrlMissing;
    }
    if (refuse_stale && revocation_->IsStale(member.issuer_key, now_s)) {
      return Reason::kCrlStale;
    }
  }
  return Reason::kNone;
}

Reason Verifier::Judge(const PeerIdentity::Facts& facts, int64_t now_s, Stale stale) const {
  if (now_s > facts.trusted_until_s) {
    return Reason::kExpired;
  }
  if (!cas_->IsAnchor(facts.anchor)) {
    return Reason::kUnknownCa;
  }
  int depth = 0;
  return CheckRevocation(facts, now_s, stale, &depth);
}

Reason Verifier::ParseLeaf(const STACK_OF(CRYPTO_BUFFER) * chain, Path* path,
                           Refusal* refusal) const {
  size_t count = sk_CRYPTO_BUFFER_num(chain);
  if (count == 0) {
    return Reason::kNoCertificate;
  }
  path->leaf.reset(X509_parse_from_buffer(sk_CRYPTO_BUFFER_value(chain, 0)));
  if (path->leaf == nullptr) {
    return Reason::kUnparsable;
  }
  path->leaf_is_anchor = cas_->IsAnchor(ContentHash(path->leaf.get()));
  Describe(path->leaf.get(), refusal);
  if (count > kChainCertificatesMax) {
    path->depth = static_cast<int>(count) - 1;
    return Reason::kChainTooLong;
  }
  return CheckKey(path->leaf.get(), terms_.rsa_bits_min);
}

Reason Verifier::VerifyServer(const STACK_OF(CRYPTO_BUFFER) * chain, int64_t now_s,
                              const ServerName& name, Refusal* refusal) const {
  Path path;
  Reason reason = ParseLeaf(chain, &path, refusal);
  if (reason == Reason::kNone) {
    reason = FindPath(chain, Purpose::kServer, now_s, &path);
  }
  if (reason == Reason::kNone) {
    path.depth = 0;
    // The subject's common name is no name of a server (RFC 6125, 6.4.4; RFC 9525).
    constexpr unsigned kFlags =
        X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
    int matches = name.is_address ? X509_check_ip_asc(path.leaf.get(), name.text.c_str(), kFlags)
                                  : X509_check_host(path.leaf.get(), name.text.data(),
                                                    name.text.size(), kFlags, nullptr);
    reason = matches == 1 ? Reason::kNone : Reason::kWrongName;
  }
  refusal->reason = reason;
  refusal->depth = static_cast<uint16_t>(std::max(path.depth, 0));
  ERR_clear_error();
  return reason;
}

uint8_t AlertOf(Reason reason) {
  switch (reason) {
    case Reason::kNoCertificate:
      return SSL_AD_CERTIFICATE_REQUIRED;
    case Reason::kExpired:
      return SSL_AD_CERTIFICATE_EXPIRED;
    case Reason::kRevoked:
      return SSL_AD_CERTIFICATE_REVOKED;
    case Reason::kSanNotAllowed:
      return SSL_AD_ACCESS_DENIED;
    case Reason::kUnknownCa:
    case Reason::kChainTooLong:
    case Reason::kInvalidCa:
      return SSL_AD_UNKNOWN_CA;
    case Reason::kWrongPurpose:
    case Reason::kUnsupportedKey:
      return SSL_AD_UNSUPPORTED_CERTIFICATE;
    case Reason::kInternal:
      return SSL_AD_INTERNAL_ERROR;
    case Reason::kNotYetValid:
    case Reason::kWrongName:
    case Reason::kNameConstraint:
    case Reason::kBadSignature:
    case Reason::kUnparsable:
    case Reason::kIdentityTooLarge:
    case Reason::kWeakKey:
    case Reason::kWeakSignature:
    case Reason::kCriticalExtension:
    case Reason::kCertificatePolicy:
      return SSL_AD_BAD_CERTIFICATE;
    case Reason::kNone:
    case Reason::kCertificateRejected:
    case Reason::kCertificateTooLarge:
    case Reason::kCrlStale:
    case Reason::kCrlMissing:
    case Reason::kPolicyChanged:
    case Reason::kUnknownServerName:
    case Reason::kOverloaded:
    case Reason::kBadProof:
    case Reason::kTicketProof:
    case Reason::kNotTls:
    case Reason::kPlainHttp:
    case Reason::kUnsupportedVersion:
    case Reason::kNoSharedCipher:
    case Reason::kNoApplicationProtocol:
    case Reason::kPeerAlert:
    case Reason::kProtocol:
    case Reason::kBadRecord:
      return SSL_AD_CERTIFICATE_UNKNOWN;
  }
  return SSL_AD_CERTIFICATE_UNKNOWN;
}

}  // namespace postern::tls
