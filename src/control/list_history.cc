#include "src/control/list_history.h"

#include <algorithm>
#include <set>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace postern::control {
namespace {

using List = tls::RevocationIndex::List;

constexpr std::string_view kLine = "list";

absl::string_view View(std::string_view text) {
  return {text.data(), text.size()};
}

std::string Hex(std::string_view text) {
  return absl::BytesToHexString(View(text));
}

std::string KeyText(const tls::KeyId& key) {
  return std::string(reinterpret_cast<const char*>(key.bytes.data()), key.bytes.size());
}

// List::scope() as something to be kept.
std::string ScopeText(const List& list) {
  return absl::StrCat(Hex(KeyText(list.issuer_key)), " ", list.covers_leaves, list.covers_cas, " .",
                      Hex(list.issuer), " .", Hex(list.distribution_point));
}

bool IsOlder(const List& a, const List& b) {
  return a.this_update_s < b.this_update_s ||
         (a.this_update_s == b.this_update_s && tls::HasLowerNumber(a, b));
}

// Whether `list` tells of certificates that `other`, of another scope, tells of too.
bool Overlaps(const List& list, const List& other) {
  return list.issuer_key == other.issuer_key && list.issuer == other.issuer &&
         ((list.covers_leaves && other.covers_leaves) || (list.covers_cas && other.covers_cas));
}

std::string Refusal(const List& list, const List& before) {
  return absl::StrCat(list.name, ": the CRL of ", list.issuer, " is older than the one in force (",
                      before.name, "), which stays; fetch the newer one, or restart to go back");
}

}  // namespace

ListHistory::Objections ListHistory::Compare(const std::string& where,
                                             const tls::RevocationIndex& index) const {
  Objections objections;
  std::set<std::string> scopes;
  for (const List& list : index.lists()) {
    scopes.insert(ScopeText(list));
  }
  for (const List& list : index.lists()) {
    const std::string scope = ScopeText(list);
    const auto known = newest_.find({where, scope});
    if (known != newest_.end()) {
      const List& before = known->second.list;
      if (IsOlder(list, before)) {
        objections.errors.push_back(Refusal(list, before));
      } else if (tls::HasLowerNumber(list, before)) {
        objections.warnings.push_back(absl::StrCat(list.name, ": the CRL of ", list.issuer,
                                                   " has number ", list.number, ", lower than ",
                                                   before.number, " of the one that it replaces"));
      }
      if (known->second.is_in_force) {
        continue;
      }
    }
    // One that comes new, or again, takes the place of all that tell of the same certificates and
    // are there no more.
    for (auto at = newest_.lower_bound({where, ""});
         at != newest_.end() && at->first.first == where; ++at) {
      if (at->first.second != scope && scopes.count(at->first.second) == 0 &&
          Overlaps(list, at->second.list) && IsOlder(list, at->second.list)) {
        objections.errors.push_back(Refusal(list, at->second.list));
      }
    }
  }
  return objections;
}

void ListHistory::Note(const std::string& where, const tls::RevocationIndex& index) {
  for (auto at = newest_.lower_bound({where, ""}); at != newest_.end() && at->first.first == where;
       ++at) {
    at->second.is_in_force = false;
  }
  for (const List& list : index.lists()) {
    Newest& newest = newest_[{where, ScopeText(list)}];
    newest.is_in_force = true;
    if (newest.list.name.empty() || !IsOlder(list, newest.list)) {
      newest.list = list;
    }
  }
}

std::string ListHistory::Encode() const {
  std::string text;
  for (const auto& [key, newest] : newest_) {
    const List& list = newest.list;
    absl::StrAppend(&text, View(kLine), " .", Hex(key.first), " ", key.second, " ",
                    list.this_update_s, " .", list.number, " .", Hex(list.name), " ",
                    newest.is_in_force ? "in_force" : "before", "\n");
  }
  return text;
}

ListHistory ListHistory::Decode(std::string_view text) {
  ListHistory history;
  for (absl::string_view line : absl::StrSplit(View(text), '\n', absl::SkipEmpty())) {
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
    const bool is_list = words.size() == 10 && words[0] == View(kLine);
    List list;
    if (!is_list || words[2].size() != 2 * list.issuer_key.bytes.size() || words[3].size() != 2 ||
        !absl::SimpleAtoi(words[6], &list.this_update_s)) {
      continue;
    }
    const auto bytes = [&words](size_t at) {
      return absl::HexStringToBytes(words[at].substr(std::min<size_t>(words[at].size(), 1)));
    };
    if (!std::all_of(words[7].begin(), words[7].end(), [](char c) {
          return c == '.' || absl::ascii_isxdigit(static_cast<unsigned char>(c));
        })) {
      continue;
    }
    const std::string key = absl::HexStringToBytes(words[2]);
    std::copy(key.begin(), key.end(), list.issuer_key.bytes.begin());
    list.covers_leaves = words[3][0] == '1';
    list.covers_cas = words[3][1] == '1';
    list.issuer = bytes(4);
    list.distribution_point = bytes(5);
    list.number = std::string(words[7].substr(std::min<size_t>(words[7].size(), 1)));
    list.name = bytes(8);
    history.newest_[{bytes(1), ScopeText(list)}] = {list, words[9] == "in_force"};
  }
  return history;
}

}  // namespace postern::control
