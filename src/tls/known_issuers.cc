#include "src/tls/known_issuers.h"

#include <openssl/nid.h>
#include <openssl/pool.h>
#include <openssl/sha.h>

#include <algorithm>
#include <span>
#include <utility>

#include "src/tls/certificate_policies.h"
#include "src/tls/identity_text.h"

namespace postern::tls {
namespace {

// Some 10 KB each. A fleet with more issuers than this verifies the rarer ones' chains whole.
constexpr size_t kIssuersMax = 128;

void Update(SHA256_CTX* hash, const uint8_t* data, size_t size) {
  // The size before the bytes, so that no two lists of parts read the same.
  SHA256_Update(hash, &size, sizeof(size));
  SHA256_Update(hash, data, size);
}

// The octets of the first extension of this kind; empty without one.
std::span<const uint8_t> ExtensionOf(const X509* certificate, int nid) {
  int at = X509_get_ext_by_NID(certificate, nid, -1);
  if (at < 0) {
    return {};
  }
  const ASN1_STRING* value = X509_EXTENSION_get_data(X509_get_ext(certificate, at));
  return {ASN1_STRING_get0_data(value), static_cast<size_t>(ASN1_STRING_length(value))};
}

// Of the issuer's own name. Such certificates do not count for the length of a path: theirs may be
// longer than others' (RFC 5280, 4.2.1.9).
bool IsSelfIssued(const X509* certificate) {
  return X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate)) == 0;
}

bool HasNameConstraints(const X509* certificate) {
  return X509_get_ext_by_NID(certificate, NID_name_constraints, -1) >= 0;
}

}  // namespace

Sha256 KnownIssuers::KeyOf(const STACK_OF(CRYPTO_BUFFER) * chain, const X509* leaf) {
  SHA256_CTX hash;
  SHA256_Init(&hash);
  const uint8_t* name = nullptr;
  size_t name_size = 0;
  if (X509_NAME_get0_der(X509_get_issuer_name(leaf), &name, &name_size) == 1) {
    Update(&hash, name, name_size);
  }
  std::span<const uint8_t> issuer_id = ExtensionOf(leaf, NID_authority_key_identifier);
  Update(&hash, issuer_id.data(), issuer_id.size());
  for (size_t i = 1; i < sk_CRYPTO_BUFFER_num(chain); ++i) {
    const CRYPTO_BUFFER* certificate = sk_CRYPTO_BUFFER_value(chain, i);
    Update(&hash, CRYPTO_BUFFER_data(certificate), CRYPTO_BUFFER_len(certificate));
  }
  Sha256 key;
  SHA256_Final(key.data(), &hash);
  return key;
}

const KnownIssuers::Issuer* KnownIssuers::Find(const Sha256& key, int64_t now_s) {
  for (const auto& issuer : issuers_) {
    if (issuer->key == key) {
      issuer->last_used = ++uses_;
      bool in_time = issuer->trusted_from_s <= now_s && now_s <= issuer->facts.trusted_until_s;
      return in_time ? issuer.get() : nullptr;
    }
  }
  return nullptr;
}

void KnownIssuers::Add(const Sha256& key, const STACK_OF(X509) * path,
                       const PeerIdentity::Facts& facts) {
  size_t count = sk_X509_num(path);
  if (count < 3 || facts.member_count != count - 1 || IsSelfIssued(sk_X509_value(path, 0)) ||
      std::any_of(issuers_.begin(), issuers_.end(),
                  [&key](const auto& issuer) { return issuer->key == key; })) {
    return;
  }
  auto issuer = std::make_unique<Issuer>();
  issuer->key = key;
  issuer->facts = facts;
  issuer->facts.trusted_until_s = INT64_MAX;
  for (size_t i = 1; i < count; ++i) {
    X509* certificate = sk_X509_value(path, i);
    if (HasNameConstraints(certificate) || HasPolicyConstraints(certificate)) {
      return;
    }
    issuer->trusted_from_s =
        std::max(issuer->trusted_from_s, SecondsOf(X509_get0_notBefore(certificate)));
    issuer->facts.trusted_until_s =
        std::min(issuer->facts.trusted_until_s, SecondsOf(X509_get0_notAfter(certificate)));
    issuer->path.push_back(bssl::UpRef(certificate));
  }
  issuer->store.reset(X509_STORE_new());
  if (issuer->store == nullptr ||
      X509_STORE_add_cert(issuer->store.get(), issuer->path.front().get()) != 1) {
    return;
  }
  issuer->last_used = ++uses_;
  if (issuers_.size() < kIssuersMax) {
    issuers_.push_back(std::move(issuer));
  } else {
    *std::min_element(issuers_.begin(), issuers_.end(), [](const auto& a, const auto& b) {
      return a->last_used < b->last_used;
    }) = std::move(issuer);
  }
}

}  // namespace postern::tls
