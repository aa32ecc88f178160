// The names of request headers that a server may believe: who the client is, what a proxy in front
// has decided or seen, how the message is framed. They never come from a client
// (docs/HEADERS.md lists them); fields.h and proxy/forwarding.h add those that are true.
#ifndef POSTERN_SRC_IDENTITY_CLAIMS_H_
#define POSTERN_SRC_IDENTITY_CLAIMS_H_

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/config/config.h"

namespace postern::identity {

// What a header of some name would make a server believe.
enum class Claim : uint8_t {
  kNone,        // nothing that is ours to say
  kIdentity,    // who the client is, or what somebody has decided about it: never from outside
  kFraming,     // where a message ends, or whom it is for, in a spelling that some servers fold
  kForwarding,  // the way that the request has taken: from trusted proxies only
};

// A name of the table.
struct ClaimedName {
  std::string_view name;  // lower case, hyphens; a '*' at its end stands for any rest
  Claim claim;
};

// What every table begins with, in the order of docs/HEADERS.md.
std::span<const ClaimedName> BuiltInClaims();

// Names are compared as the most careless server would (base/header_name.h).
class ClaimTable {
 public:
  // With the built-in names.
  ClaimTable();

  // `name` as in ClaimedName, of any case. What it claimed before, if anything, goes on to hold
  // beside it; Find answers the first of kIdentity, kFraming, kForwarding.
  void Add(std::string_view name, Claim claim);
  // The names that listeners of `config` give to identity headers, and its remove_request_headers.
  void AddNamesOf(const config::Config& config);
  void AddNamesOf(const config::IdentityHeaders& headers);

  Claim Find(std::string_view name) const;

 private:
  struct Entry {
    uint16_t bucket = 0;
    Claim claim = Claim::kNone;
    bool prefix = false;
    std::string text;  // folded

    auto operator<=>(const Entry&) const = default;
  };
  // Letters, digits, hyphen.
  static constexpr size_t kKinds = 37;

  // Until Index, what these insert is not found.
  void Insert(std::string_view name, Claim claim);
  void InsertNamesOf(const config::IdentityHeaders& headers);
  void Index();

  std::vector<Entry> entries_;  // sorted: by bucket, then claim; no two alike
  // entries_ of bucket b are [starts_[b], starts_[b + 1]). A bucket is the first and the third
  // character, which tell most names apart from all of ours.
  std::array<uint16_t, kKinds* kKinds + 1> starts_ = {};
};

// Whether a spelling has only letters and digits, and hyphens between them: one reading for all
// servers.
bool IsPlainName(std::string_view name);

}  // namespace postern::identity

#endif  // POSTERN_SRC_IDENTITY_CLAIMS_H_
