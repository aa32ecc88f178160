#include <openssl/sha.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "src/base/check.h"
#include "src/tls/revocation.h"

namespace postern::tls {
namespace {

constexpr std::array<uint8_t, 16> kEmpty = {};

}  // namespace

RevocationIndex::Fingerprint RevocationIndex::FingerprintOf(const KeyId& issuer_key,
                                                            std::span<const uint8_t> serial) {
  std::array<uint8_t, SHA256_DIGEST_LENGTH> digest;
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, issuer_key.bytes.data(), issuer_key.bytes.size());
  SHA256_Update(&context, serial.data(), serial.size());
  SHA256_Final(digest.data(), &context);
  Fingerprint fingerprint;
  std::copy_n(digest.begin(), fingerprint.size(), fingerprint.begin());
  if (fingerprint == kEmpty) {
    fingerprint[0] = 1;  // all zeros would mean an empty slot
  }
  return fingerprint;
}

size_t RevocationIndex::SlotOf(const Fingerprint& fingerprint) const {
  // Multiply and shift: the digest's first 32 bits as a fraction of 1, so that the capacity need
  // not be a power of two. The builder checks that it stays below 2^32.
  uint32_t fraction = 0;
  std::memcpy(&fraction, fingerprint.data(), sizeof(fraction));
  size_t slot = static_cast<size_t>((uint64_t{fraction} * slots_.size()) >> 32);
  while (slots_[slot] != fingerprint && slots_[slot] != kEmpty) {
    ++slot;
    if (slot == slots_.size()) {
      slot = 0;
    }
  }
  return slot;
}

const RevocationIndex::Issuer* RevocationIndex::FindIssuer(const KeyId& key) const {
  auto at = std::lower_bound(issuers_.begin(), issuers_.end(), key,
                             [](const Issuer& issuer, const KeyId& k) { return issuer.key < k; });
  return at != issuers_.end() && at->key == key ? &*at : nullptr;
}

RevocationIndex::Verdict RevocationIndex::Find(const KeyId& issuer_key,
                                               std::span<const uint8_t> serial, bool is_ca) const {
  const Issuer* issuer = FindIssuer(issuer_key);
  if (issuer == nullptr) {
    return Verdict::kUnlisted;
  }
  if (slots_[SlotOf(FingerprintOf(issuer_key, serial))] != kEmpty) {
    return Verdict::kRevoked;
  }
  return (is_ca ? issuer->covers_cas : issuer->covers_leaves) ? Verdict::kGood : Verdict::kUnlisted;
}

bool RevocationIndex::IsStale(const KeyId& issuer_key, int64_t now_s) const {
  const Issuer* issuer = FindIssuer(issuer_key);
  return issuer != nullptr && now_s > issuer->first_next_update_s;
}

size_t RevocationIndex::memory_bytes() const {
  size_t bytes = sizeof(*this) + slots_.capacity() * sizeof(Fingerprint) +
                 issuers_.capacity() * sizeof(Issuer) + lists_.capacity() * sizeof(List);
  for (const List& list : lists_) {
    bytes += list.name.capacity() + list.issuer.capacity() + list.number.capacity() +
             list.distribution_point.capacity();
  }
  return bytes;
}

bool HasLowerNumber(const RevocationIndex::List& a, const RevocationIndex::List& b) {
  return !a.number.empty() && !b.number.empty() &&
         std::pair(a.number.size(), std::string_view(a.number)) <
             std::pair(b.number.size(), std::string_view(b.number));
}

RevocationIndex::Builder::Builder(size_t entries_max)
    : index_(new RevocationIndex()), entries_max_(entries_max) {
  // At least one slot stays empty: it is what ends a search.
  size_t capacity = entries_max + entries_max / 3 + 2;
  CHECK(capacity < (size_t{1} << 32));
  index_->slots_.resize(capacity, kEmpty);
}

void RevocationIndex::Builder::AddList(List list) {
  // 0, that it says nothing, is earlier than any time.
  index_->issuers_.push_back(
      {list.issuer_key, list.covers_leaves, list.covers_cas, list.next_update_s});
  index_->lists_.push_back(std::move(list));
}

void RevocationIndex::Builder::AddSigner(const CertificateHash& certificate) {
  index_->signers_.push_back(certificate);
}

void RevocationIndex::Builder::AddEntry(const KeyId& issuer_key, std::span<const uint8_t> serial) {
  const Fingerprint fingerprint = FingerprintOf(issuer_key, serial);
  Fingerprint& slot = index_->slots_[index_->SlotOf(fingerprint)];
  if (slot == kEmpty) {
    CHECK(index_->entries_ < entries_max_);
    slot = fingerprint;
    ++index_->entries_;
  }
}

std::unique_ptr<RevocationIndex> RevocationIndex::Builder::Build() {
  auto& signers = index_->signers_;
  std::sort(signers.begin(), signers.end());
  signers.erase(std::unique(signers.begin(), signers.end()), signers.end());
  auto& issuers = index_->issuers_;
  std::sort(issuers.begin(), issuers.end(),
            [](const Issuer& a, const Issuer& b) { return a.key < b.key; });
  // Lists of one key speak together.
  size_t kept = 0;
  for (const Issuer& issuer : issuers) {
    if (kept == 0 || issuers[kept - 1].key != issuer.key) {
      issuers[kept++] = issuer;
      continue;
    }
    Issuer& all = issuers[kept - 1];
    all.covers_leaves |= issuer.covers_leaves;
    all.covers_cas |= issuer.covers_cas;
    all.first_next_update_s = std::min(all.first_next_update_s, issuer.first_next_update_s);
  }
  issuers.resize(kept);
  return std::move(index_);
}

}  // namespace postern::tls
