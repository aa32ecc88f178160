// A client's chain: recalled if it is known, verified below its issuer if that is known, verified
// whole otherwise; and what is asked of it every time.
#include <openssl/err.h>
#include <openssl/pool.h>
#include <openssl/sha.h>

#include <algorithm>
#include <utility>

#include "src/tls/certificate_policies.h"
#include "src/tls/key_rules.h"
#include "src/tls/san.h"
#include "src/tls/verifier.h"

namespace postern::tls {
namespace {

// Whether the first `count` of `others` are steps of `path` above its leaf, in this order. What is
// superfluous is the sender's to vary, and each variation would be another key.
bool UsesAll(const STACK_OF(X509) * path, const STACK_OF(X509) * others, size_t count) {
  size_t used = 0;
  for (size_t i = 1; i < sk_X509_num(path) && used < count; ++i) {
    used += X509_cmp(sk_X509_value(path, i), sk_X509_value(others, used)) == 0 ? 1u : 0u;
  }
  return used == count;
}

}  // namespace

Sha256 Verifier::KeyOf(const STACK_OF(CRYPTO_BUFFER) * chain) const {
  SHA256_CTX hash;
  SHA256_Init(&hash);
  SHA256_Update(&hash, scope_.data(), scope_.size());
  for (const CRYPTO_BUFFER* certificate : chain) {
    // The size before the bytes, so that no two chains read the same.
    size_t size = CRYPTO_BUFFER_len(certificate);
    SHA256_Update(&hash, &size, sizeof(size));
    SHA256_Update(&hash, CRYPTO_BUFFER_data(certificate), size);
  }
  Sha256 key;
  SHA256_Final(key.data(), &hash);
  return key;
}

bool Verifier::Recall(const Sha256& key, const Desk& desk, PeerIdentity* identity,
                      Refusal* refusal) const {
  const PeerIdentity* known = desk.chains->Find(key);
  if (known == nullptr) {
    return false;
  }
  PeerIdentity::Facts facts = known->facts();
  // Any doubt means: verified anew, which also finds the reason. So does a clock that has been set
  // back to before the verification: perhaps something was not valid yet.
  if (desk.now_s < facts.authenticated_s ||
      Judge(facts, desk.now_s, Stale::kAsConfigured) != Reason::kNone) {
    desk.chains->Remove(key);
    return false;
  }
  identity->Share(*known);
  identity->SetAuthenticated(desk.now_s);
  PeerIdentity::Parts parts = identity->parts();
  refusal->subject.Set(parts.subject_dn);
  refusal->issuer.Set(parts.issuer_dn);
  refusal->serial.Set(parts.serial.empty() ? "0" : parts.serial);
  return true;
}

Reason Verifier::Verify(const STACK_OF(CRYPTO_BUFFER) * chain, const Desk& desk,
                        IdentityContent content, PeerIdentity* identity, Refusal* refusal) {
  Sha256 key;
  if (desk.chains != nullptr) {
    key = KeyOf(chain);
    if (Recall(key, desk, identity, refusal)) {
      ++desk.counters->chains_recalled;
      return Reason::kNone;
    }
  }
  Path path;
  Reason reason = VerifyAnew(chain, desk, content, &path, identity, refusal);
  ERR_clear_error();
  if (reason == Reason::kNone) {
    ++desk.counters->chains_verified;
    if (desk.chains != nullptr && path.is_plain) {
      desk.chains->Insert(key, *identity);
    }
  }
  return reason;
}

bool Verifier::FindPathBelow(const KnownIssuers::Issuer& issuer, int64_t now_s, Path* path) const {
  if (HasPolicyConstraints(path->leaf.get()) ||
      Search(issuer.store.get(), nullptr, nullptr, Purpose::kClient, now_s, path) !=
          Reason::kNone ||
      sk_X509_num(path->certificates.get()) != 2 ||
      CheckSignatureAlgorithm(path->leaf.get()) != Reason::kNone) {
    path->certificates.reset();
    return false;
  }
  for (size_t i = 1; i < issuer.path.size(); ++i) {
    bssl::PushToStack(path->certificates.get(), bssl::UpRef(issuer.path[i].get()));
  }
  return true;
}

Reason Verifier::FindFacts(const STACK_OF(CRYPTO_BUFFER) * chain, const Desk& desk, Path* path,
                           PeerIdentity::Facts* facts) {
  Sha256 issuer_key = KnownIssuers::KeyOf(chain, path->leaf.get());
  const KnownIssuers::Issuer* issuer =
      path->leaf_is_anchor ? nullptr : known_issuers_.Find(issuer_key, desk.now_s);
  if (issuer != nullptr && FindPathBelow(*issuer, desk.now_s, path)) {
    ++desk.counters->issuers_recalled;
    path->is_plain = true;  // as it was when the issuer became known
    *facts = issuer->facts;
    bool sound = SetLeafFacts(path->leaf.get(), issuer->path.front().get(), desk.now_s, facts);
    return sound ? Reason::kNone : Reason::kUnparsable;
  }
  Reason reason = FindPath(chain, Purpose::kClient, desk.now_s, path);
  if (reason != Reason::kNone) {
    return reason;
  }
  if (!SetFacts(path->certificates.get(), desk.now_s, facts)) {
    path->depth = 0;
    return Reason::kUnparsable;
  }
  if (!cas_->IsAnchor(facts->anchor)) {
    return Reason::kUnknownCa;
  }
  path->is_plain = path->left_out == Reason::kNone &&
                   UsesAll(path->certificates.get(), path->others.get(), path->others_sent);
  if (!path->leaf_is_anchor && path->is_plain) {
    known_issuers_.Add(issuer_key, path->certificates.get(), *facts);
  }
  return Reason::kNone;
}

bool Verifier::FindUnrevoked(const STACK_OF(CRYPTO_BUFFER) * chain, const Desk& desk, Path* path,
                             PeerIdentity::Facts* facts) const {
  path->is_plain = false;
  while (FindNextPath(chain, Purpose::kClient, desk.now_s, path)) {
    int depth = 0;
    if (SetFacts(path->certificates.get(), desk.now_s, facts) && cas_->IsAnchor(facts->anchor) &&
        CheckRevocation(*facts, desk.now_s, Stale::kAsConfigured, &depth) == Reason::kNone) {
      return true;
    }
  }
  return false;
}

Reason Verifier::VerifyAnew(const STACK_OF(CRYPTO_BUFFER) * chain, const Desk& desk,
                            IdentityContent content, Path* path, PeerIdentity* identity,
                            Refusal* refusal) {
  PeerIdentity::Facts facts;
  Reason reason = ParseLeaf(chain, path, refusal);
  if (reason == Reason::kNone) {
    reason = FindFacts(chain, desk, path, &facts);
  }
  if (reason == Reason::kNone) {
    reason = CheckRevocation(facts, desk.now_s, Stale::kAsConfigured, &path->depth);
    // Of a CA that was renewed, the old certificate may be revoked, and its clients go on sending
    // it.
    if (reason != Reason::kNone && path->depth > 0 && FindUnrevoked(chain, desk, path, &facts)) {
      reason = Reason::kNone;
    }
  }
  if (reason == Reason::kNone) {
    path->depth = 0;
    if (!terms_.allowed_sans.empty() && !IsAllowed(terms_.allowed_sans, SansOf(path->leaf.get()))) {
      reason = Reason::kSanNotAllowed;
    } else if (!SetVerifiedIdentity(path->certificates.get(), facts, content, identity)) {
      reason = Reason::kIdentityTooLarge;
    }
  }
  refusal->reason = reason;
  refusal->depth = static_cast<uint16_t>(std::max(path->depth, 0));
  return reason;
}

}  // namespace postern::tls
