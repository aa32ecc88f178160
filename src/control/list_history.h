// The newest revocation lists that have been in force, of each trust: what a process, and whoever
// takes over from it, does not go behind. Mirrors deliver old lists, and an old list takes back
// what a newer one has revoked. Only a restart begins anew.
#ifndef POSTERN_SRC_CONTROL_LIST_HISTORY_H_
#define POSTERN_SRC_CONTROL_LIST_HISTORY_H_

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/tls/revocation.h"

namespace postern::control {

class ListHistory {
 public:
  // What there is to say against putting `index` in force as the lists of the trust `where`.
  struct Objections {
    std::vector<std::string> errors;    // lines: these must not be
    std::vector<std::string> warnings;  // lines: these are odd
  };
  Objections Compare(const std::string& where, const tls::RevocationIndex& index) const;

  // They are in force from here on.
  void Note(const std::string& where, const tls::RevocationIndex& index);

  // As lines of a handover, each beginning with "list", and back; lines that are not understood are
  // passed over: they are another version's.
  std::string Encode() const;
  static ListHistory Decode(std::string_view text);

  bool empty() const { return newest_.empty(); }

 private:
  struct Newest {
    tls::RevocationIndex::List list;  // only what tells it from others is set
    bool is_in_force = false;         // still; else it was, and another may have taken its place
  };
  // By its trust and what it is about.
  using Key = std::pair<std::string, std::string>;
  std::map<Key, Newest> newest_;
};

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_LIST_HISTORY_H_
