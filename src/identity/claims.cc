#include "src/identity/claims.h"

#include <algorithm>

#include "src/base/header_name.h"

namespace postern::identity {
namespace {

using base::FoldHeader;
using base::TrimHeaderBack;
using base::TrimHeaderFront;

// By folded character: 0 to 36.
constexpr std::array<uint8_t, 256> MakeKinds() {
  std::array<uint8_t, 256> kinds{};
  for (size_t c = 0; c < kinds.size(); ++c) {
    const bool letter = c >= 'a' && c <= 'z';
    const bool digit = c >= '0' && c <= '9';
    kinds[c] = static_cast<uint8_t>(letter ? c - 'a' : digit ? c - '0' + 26 : 36);
  }
  return kinds;
}

constexpr std::array<uint8_t, 256> kKindOf = MakeKinds();

constexpr uint8_t KindOf(char folded) {
  return kKindOf[static_cast<uint8_t>(folded)];
}

// Of a trimmed name that is not empty.
size_t BucketOf(std::string_view name, size_t kinds) {
  const uint8_t third = name.size() > 2 ? KindOf(FoldHeader(name[2])) : KindOf('-');
  return KindOf(FoldHeader(name[0])) * kinds + third;
}

}  // namespace

ClaimTable::ClaimTable() {
  for (const ClaimedName& known : BuiltInClaims()) {
    Insert(known.name, known.claim);
  }
  Index();
}

void ClaimTable::Insert(std::string_view name, Claim claim) {
  Entry entry;
  entry.prefix = name.ends_with('*');
  entry.claim = claim;
  if (entry.prefix) {
    name.remove_suffix(1);
  } else {
    name = TrimHeaderBack(name);
  }
  name = TrimHeaderFront(name);
  if (name.empty()) {
    return;
  }
  entry.text.resize(name.size());
  std::transform(name.begin(), name.end(), entry.text.begin(), FoldHeader);
  entry.bucket = static_cast<uint16_t>(BucketOf(entry.text, kKinds));
  entries_.push_back(std::move(entry));
}

void ClaimTable::Index() {
  std::sort(entries_.begin(), entries_.end());
  entries_.erase(std::unique(entries_.begin(), entries_.end()), entries_.end());
  size_t at = 0;
  for (size_t bucket = 0; bucket + 1 < starts_.size(); ++bucket) {
    starts_[bucket] = static_cast<uint16_t>(at);
    while (at < entries_.size() && entries_[at].bucket == bucket) {
      ++at;
    }
  }
  starts_.back() = static_cast<uint16_t>(entries_.size());
}

void ClaimTable::Add(std::string_view name, Claim claim) {
  Insert(name, claim);
  Index();
}

void ClaimTable::InsertNamesOf(const config::IdentityHeaders& headers) {
  for (const std::string* name :
       {&headers.subject_dn, &headers.issuer_dn, &headers.fingerprint, &headers.client_verify}) {
    // Hundreds of listeners may say the same.
    if (Find(*name) != Claim::kIdentity) {
      Insert(*name, Claim::kIdentity);
    }
  }
}

void ClaimTable::AddNamesOf(const config::IdentityHeaders& headers) {
  const size_t before = entries_.size();
  InsertNamesOf(headers);
  if (entries_.size() != before) {
    Index();
  }
}

void ClaimTable::AddNamesOf(const config::Config& config) {
  for (const config::ListenerConfig& listener : config.listeners) {
    InsertNamesOf(listener.identity_headers);
  }
  for (const std::string& name : config.remove_request_headers) {
    Insert(name, Claim::kIdentity);
  }
  Index();
}

Claim ClaimTable::Find(std::string_view name) const {
  name = TrimHeaderFront(name);
  if (name.empty()) {
    return Claim::kNone;
  }
  const size_t trimmed_size = TrimHeaderBack(name).size();
  const size_t bucket = BucketOf(name, kKinds);
  const size_t end = starts_[bucket + 1];
  for (size_t i = starts_[bucket]; i < end; ++i) {
    const Entry& entry = entries_[i];
    if (entry.prefix ? name.size() < entry.text.size() : trimmed_size != entry.text.size()) {
      continue;
    }
    if (std::equal(entry.text.begin(), entry.text.end(), name.begin(),
                   [](char ours, char theirs) { return ours == FoldHeader(theirs); })) {
      return entry.claim;
    }
  }
  return Claim::kNone;
}

bool IsPlainName(std::string_view name) {
  return !name.empty() && name.front() != '-' && name.back() != '-' &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return c == '-' || FoldHeader(c) != '-'; });
}

}  // namespace postern::identity
