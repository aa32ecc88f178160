// Which certificates their issuers have revoked: all loaded lists in one immutable index, shared by
// all shards for reading only. Replaced as a whole by its owner, the control plane. No X.509
// object, no list's text is kept: an entry is a fingerprint of 16 bytes.
#ifndef POSTERN_SRC_TLS_REVOCATION_H_
#define POSTERN_SRC_TLS_REVOCATION_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "src/tls/key_id.h"

namespace postern::tls {

class RevocationIndex {
 public:
  enum class Verdict : uint8_t {
    kGood,      // a list speaks for this issuer and this kind of certificate, and none names it
    kRevoked,   // a list of this issuer names it
    kUnlisted,  // no list speaks for this issuer and this kind of certificate
  };

  // One CRL.
  struct List {
    std::string name = {};    // its file
    std::string issuer = {};  // RFC 2253 text, as the certificate of its signer spells it
    KeyId issuer_key = {};
    int64_t this_update_s = 0;
    int64_t next_update_s = 0;  // 0: it says none
    std::string number = {};    // CRL number, upper-case hex of whole octets; empty: none
    size_t entries = 0;
    // From its IssuingDistributionPoint (RFC 5280, 5.2.5); both true without one.
    bool covers_leaves = true;
    bool covers_cas = true;
    std::string distribution_point = {};  // of the same, DER: tells parts of a whole apart

    // Of two lists with the same scope the newer one takes the other's place. Names count: each
    // name that a key has publishes lists of its own. Valid as long as the list.
    using Scope = std::tuple<KeyId, std::string_view, bool, bool, std::string_view>;
    Scope scope() const {
      return {issuer_key, issuer, covers_leaves, covers_cas, distribution_point};
    }
  };

  class Builder;

  // `issuer_key`: of the key that the certificate was verified with. `serial`: without leading zero
  // octets, as in CertificateView. `is_ca`: whether the certificate asked about is a CA's.
  //
  // A certificate is revoked by any list of its issuer's key, also by one that says it covers the
  // other kind only: an issuer gives each serial number once (RFC 5280, 4.1.2.2).
  Verdict Find(const KeyId& issuer_key, std::span<const uint8_t> serial, bool is_ca) const;

  // True when a list of this issuer is past its nextUpdate, or does not say when that is, which RFC
  // 5280, 5.1.2.5 demands: nobody can tell how old is too old.
  bool IsStale(const KeyId& issuer_key, int64_t now_s) const;

  std::span<const List> lists() const { return lists_; }
  // SHA-256 of each certificate by which a list of the files was judged, also one that was set
  // aside; sorted. Under any CAs that have these among them the same files say the same.
  using CertificateHash = std::array<uint8_t, 32>;
  std::span<const CertificateHash> signers() const { return signers_; }
  // Revoked certificates, each counted once.
  size_t entries() const { return entries_; }
  // What this keeps on the heap.
  size_t memory_bytes() const;

 private:
  using Fingerprint = std::array<uint8_t, 16>;
  // What all lists of one key say together.
  struct Issuer {
    KeyId key;
    bool covers_leaves = false;
    bool covers_cas = false;
    int64_t first_next_update_s = INT64_MAX;
  };

  RevocationIndex() = default;
  static Fingerprint FingerprintOf(const KeyId& issuer_key, std::span<const uint8_t> serial);
  // Where `fingerprint` is, or the empty slot where it would be.
  size_t SlotOf(const Fingerprint& fingerprint) const;
  const Issuer* FindIssuer(const KeyId& key) const;

  // Open addressing, linear probing; all zeros: empty. At most three quarters are taken, so a
  // look-up of what is not there reads some 8 neighbouring slots: two or three cache lines.
  std::vector<Fingerprint> slots_;
  size_t entries_ = 0;
  std::vector<Issuer> issuers_;  // sorted by key
  std::vector<List> lists_;
  std::vector<CertificateHash> signers_;
};

// CRL numbers grow (RFC 5280, 5.2.3); false where one of the two has none.
bool HasLowerNumber(const RevocationIndex::List& a, const RevocationIndex::List& b);

// Makes an index out of lists that somebody else has read and judged.
class RevocationIndex::Builder {
 public:
  // `entries_max`: the most that will be added.
  explicit Builder(size_t entries_max);

  void AddList(List list);
  void AddSigner(const CertificateHash& certificate);
  // Entries may come in any order, and more than once.
  void AddEntry(const KeyId& issuer_key, std::span<const uint8_t> serial);
  // The end of the builder.
  std::unique_ptr<RevocationIndex> Build();

 private:
  std::unique_ptr<RevocationIndex> index_;
  size_t entries_max_;
};

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_REVOCATION_H_
