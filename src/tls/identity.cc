#include "src/tls/identity.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

#include "src/base/check.h"
#include "src/base/limits.h"

namespace postern::tls {
namespace {

// The record's first byte: another layout gets another number, and old tickets are then ignored.
constexpr uint8_t kVersion = 1;
constexpr size_t kSerialMax = PathMember::kSerialMax;

// Derived texts behind the record.
constexpr size_t kFingerprintText = 64;
constexpr size_t kSerialText = 2 * kSerialMax;

static_assert(std::endian::native == std::endian::little,
              "records are memory images and travel between hosts");

// One member as it stands in the record; the first serial_size octets of serial count.
struct Member {
  uint8_t issuer_key[16];
  uint8_t content[32];
  uint8_t serial_size;
  uint8_t serial[kSerialMax];
};
static_assert(sizeof(Member) == 69);

size_t AppendHex(std::span<const uint8_t> bytes, const char* digits, uint8_t* out) {
  size_t size = 0;
  for (uint8_t byte : bytes) {
    out[size++] = static_cast<uint8_t>(digits[byte >> 4]);
    out[size++] = static_cast<uint8_t>(digits[byte & 15]);
  }
  return size;
}

}  // namespace

bool PathMember::SetSerial(std::span<const uint8_t> octets) {
  if (octets.size() > kSerialMax) {
    return false;
  }
  serial_size = static_cast<uint8_t>(octets.size());
  std::copy(octets.begin(), octets.end(), serial_octets.begin());
  return true;
}

// Fixed part; members and texts follow in the order of their sizes here.
struct PeerIdentity::Header {
  uint8_t version;
  uint8_t verified;
  uint8_t members;
  uint8_t reserved;
  uint16_t subject_size;
  uint16_t issuer_size;
  uint16_t xfcc_size;
  uint16_t leaf_size;
  uint16_t chain_size;
  uint16_t reserved2;
  int64_t not_before_s;
  int64_t not_after_s;
  int64_t trusted_until_s;
  int64_t authenticated_s;
  uint8_t anchor[32];

  size_t record_size() const {
    return sizeof(Header) + members * sizeof(Member) + subject_size + issuer_size + xfcc_size +
           leaf_size + chain_size;
  }
};

PeerIdentity::Header PeerIdentity::header() const {
  Header header;
  std::memcpy(&header, block_->record(), sizeof(header));
  return header;
}

std::span<const uint8_t> PeerIdentity::record() const {
  return block_ == nullptr ? std::span<const uint8_t>()
                           : std::span<const uint8_t>(block_->record(), block_->record_size);
}

size_t PeerIdentity::block_bytes() const {
  return block_ == nullptr ? 0 : base::BlockBytes(block_->block_class);
}

bool PeerIdentity::Set(const Parts& parts, const Facts& facts) {
  Clear();
  CHECK(facts.member_count >= 1 && facts.member_count <= kMembersMax);
  const std::string_view texts[] = {parts.subject_dn, parts.issuer_dn, parts.xfcc_names,
                                    parts.leaf_base64, parts.chain_base64};
  size_t size = sizeof(Header) + facts.member_count * sizeof(Member);
  for (std::string_view text : texts) {
    size += text.size();
  }
  size_t names = parts.subject_dn.size() + parts.issuer_dn.size() + parts.xfcc_names.size();
  if (size > base::limits::kIdentityBytesMax || names > base::limits::kIdentityNamesBytesMax) {
    return false;
  }
  Header header = {};
  header.version = kVersion;
  header.verified = facts.verified ? 1 : 0;
  header.members = static_cast<uint8_t>(facts.member_count);
  header.subject_size = static_cast<uint16_t>(parts.subject_dn.size());
  header.issuer_size = static_cast<uint16_t>(parts.issuer_dn.size());
  header.xfcc_size = static_cast<uint16_t>(parts.xfcc_names.size());
  header.leaf_size = static_cast<uint16_t>(parts.leaf_base64.size());
  header.chain_size = static_cast<uint16_t>(parts.chain_base64.size());
  header.not_before_s = parts.not_before_s;
  header.not_after_s = parts.not_after_s;
  header.trusted_until_s = facts.trusted_until_s;
  header.authenticated_s = facts.authenticated_s;
  std::copy(facts.anchor.begin(), facts.anchor.end(), header.anchor);

  std::array<uint8_t, base::limits::kIdentityBytesMax> record;
  uint8_t* at = record.data();
  std::memcpy(at, &header, sizeof(header));
  at += sizeof(header);
  for (size_t i = 0; i < facts.member_count; ++i) {
    const PathMember& from = facts.members[i];
    Member member = {};
    std::copy(from.issuer_key.bytes.begin(), from.issuer_key.bytes.end(), member.issuer_key);
    std::copy(from.content.begin(), from.content.end(), member.content);
    member.serial_size = from.serial_size;
    std::copy(from.serial_octets.begin(), from.serial_octets.end(), member.serial);
    std::memcpy(at, &member, sizeof(member));
    at += sizeof(member);
  }
  for (std::string_view text : texts) {
    at = std::copy(text.begin(), text.end(), at);
  }
  return SetRecord({record.data(), size});
}

bool PeerIdentity::SetRecord(std::span<const uint8_t> record) {
  Clear();
  Header header;
  if (record.size() < sizeof(header) || record.size() > base::limits::kIdentityBytesMax) {
    return false;
  }
  std::memcpy(&header, record.data(), sizeof(header));
  if (header.version != kVersion || header.members < 1 || header.members > kMembersMax ||
      header.record_size() != record.size()) {
    return false;
  }
  Member leaf;
  std::memcpy(&leaf, record.data() + sizeof(header), sizeof(leaf));
  for (size_t i = 0; i < header.members; ++i) {
    if (record[sizeof(header) + i * sizeof(Member) + offsetof(Member, serial_size)] > kSerialMax) {
      return false;
    }
  }
  base::BlockClass block_class =
      base::BlockClassFor(sizeof(Block) + record.size() + kFingerprintText + kSerialText);
  auto size = static_cast<uint16_t>(record.size());
  block_ = new (pool_->Acquire(block_class)) Block{1, size, block_class};
  authenticated_s_ = header.authenticated_s;
  uint8_t* at = std::copy(record.begin(), record.end(), block_->record());
  at += AppendHex(leaf.content, "0123456789abcdef", at);
  AppendHex({leaf.serial, leaf.serial_size}, "0123456789ABCDEF", at);
  return true;
}

void PeerIdentity::Share(const PeerIdentity& other) {
  CHECK(other.block_ != nullptr && other.pool_ == pool_);
  Clear();
  block_ = other.block_;
  ++block_->users;
  authenticated_s_ = other.authenticated_s_;
}

void PeerIdentity::Clear() {
  if (block_ != nullptr && --block_->users == 0) {
    pool_->Release(block_->block_class, reinterpret_cast<uint8_t*>(block_));
  }
  block_ = nullptr;
}

bool PeerIdentity::verified() const {
  return block_ != nullptr && header().verified != 0;
}

int64_t PeerIdentity::trusted_until_s() const {
  return block_ == nullptr ? 0 : header().trusted_until_s;
}

PeerIdentity::Parts PeerIdentity::parts() const {
  if (block_ == nullptr) {
    return {};
  }
  Header header = this->header();
  Member leaf;
  const uint8_t* members = block_->record() + sizeof(header);
  std::memcpy(&leaf, members, sizeof(leaf));
  const char* at = reinterpret_cast<const char*>(members) + header.members * sizeof(Member);
  auto take = [&at](size_t size) {
    std::string_view text(at, size);
    at += size;
    return text;
  };
  Parts parts;
  parts.subject_dn = take(header.subject_size);
  parts.issuer_dn = take(header.issuer_size);
  parts.xfcc_names = take(header.xfcc_size);
  parts.leaf_base64 = take(header.leaf_size);
  parts.chain_base64 = take(header.chain_size);
  parts.fingerprint = take(kFingerprintText);
  parts.serial = take(size_t{2} * leaf.serial_size);
  parts.not_before_s = header.not_before_s;
  parts.not_after_s = header.not_after_s;
  parts.trusted_until_s = header.trusted_until_s;
  parts.authenticated_s = authenticated_s_;
  parts.verified = header.verified != 0;
  return parts;
}

PeerIdentity::Facts PeerIdentity::facts() const {
  Facts facts;
  if (block_ == nullptr) {
    return facts;
  }
  Header header = this->header();
  std::copy(std::begin(header.anchor), std::end(header.anchor), facts.anchor.begin());
  facts.trusted_until_s = header.trusted_until_s;
  facts.authenticated_s = authenticated_s_;
  facts.verified = header.verified != 0;
  facts.member_count = header.members;
  for (size_t i = 0; i < facts.member_count; ++i) {
    const uint8_t* from = block_->record() + sizeof(header) + i * sizeof(Member);
    PathMember& member = facts.members[i];
    std::copy_n(from + offsetof(Member, issuer_key), 16, member.issuer_key.bytes.begin());
    std::copy_n(from + offsetof(Member, content), 32, member.content.begin());
    member.serial_size = from[offsetof(Member, serial_size)];
    std::copy_n(from + offsetof(Member, serial), kSerialMax, member.serial_octets.begin());
  }
  return facts;
}

}  // namespace postern::tls
