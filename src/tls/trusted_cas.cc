#include "src/tls/trusted_cas.h"

#include <openssl/mem.h>
#include <openssl/pool.h>
#include <openssl/sha.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "src/tls/identity_text.h"

namespace postern::tls {
namespace {

// The same certificates in other roles are something else.
Sha256 HashOf(const Sha256& before, std::string_view role, const Sha256& certificate) {
  SHA256_CTX hash;
  SHA256_Init(&hash);
  SHA256_Update(&hash, before.data(), before.size());
  SHA256_Update(&hash, role.data(), role.size());
  SHA256_Update(&hash, certificate.data(), certificate.size());
  Sha256 result;
  SHA256_Final(result.data(), &hash);
  return result;
}

}  // namespace

TrustedCas::TrustedCas() : names_(sk_CRYPTO_BUFFER_new_null()) {}

void TrustedCas::AddAnchor(const bssl::UniquePtr<X509>& certificate, const Sha256& hash) {
  anchor_hashes_.push_back(hash);
  content_ = HashOf(content_, "anchor", hash);
  anchors_.Add(bssl::UpRef(certificate));
  AddName(certificate.get());
}

void TrustedCas::AddIntermediate(const bssl::UniquePtr<X509>& certificate, const Sha256& hash) {
  content_ = HashOf(content_, "intermediate", hash);
  intermediates_.Add(bssl::UpRef(certificate));
  AddName(certificate.get());
}

void TrustedCas::AddName(X509* certificate) {
  uint8_t* der = nullptr;
  const int size = i2d_X509_NAME(X509_get_subject_name(certificate), &der);
  const bssl::UniquePtr<uint8_t> free_der(der);
  if (size <= 0 || !known_names_.emplace(der, der + size).second) {
    return;
  }
  bssl::UniquePtr<CRYPTO_BUFFER> name(CRYPTO_BUFFER_new(der, static_cast<size_t>(size), nullptr));
  names_bytes_ += static_cast<size_t>(size) + 2;
  bssl::PushToStack(names_.get(), std::move(name));
}

void TrustedCas::Finish() {
  known_names_.clear();
  anchors_.Sort();
  intermediates_.Sort();
  std::sort(anchor_hashes_.begin(), anchor_hashes_.end());
}

bool TrustedCas::IsAnchor(const Sha256& content) const {
  return std::binary_search(anchor_hashes_.begin(), anchor_hashes_.end(), content);
}

bssl::UniquePtr<STACK_OF(CRYPTO_BUFFER)> TrustedCas::Names() const {
  bssl::UniquePtr<STACK_OF(CRYPTO_BUFFER)> names(sk_CRYPTO_BUFFER_new_null());
  for (const CRYPTO_BUFFER* name : names_.get()) {
    bssl::PushToStack(names.get(), bssl::UpRef(const_cast<CRYPTO_BUFFER*>(name)));
  }
  return names;
}

}  // namespace postern::tls
