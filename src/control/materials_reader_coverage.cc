// What there is to say of the CAs of a trust: which have no revocation list, which can vouch for
// nobody, and whose list is gone.
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "src/control/materials_reader.h"
#include "src/tls/crl_coverage.h"

namespace postern::control {
namespace {

using Scope = tls::RevocationIndex::List::Scope;

// A list of each name, to tell that its key is another one.
using ListsByName = std::map<std::string_view, const tls::RevocationIndex::List*>;
ListsByName ByName(const tls::RevocationIndex* index) {
  ListsByName by_name;
  if (index != nullptr) {
    for (const tls::RevocationIndex::List& list : index->lists()) {
      by_name.emplace(list.issuer, &list);
    }
  }
  return by_name;
}

std::string Consequence(config::MissingCrl missing) {
  return missing == config::MissingCrl::kRefuse
             ? "whoever it tells nothing of is refused (missing_crl: \"refuse\"); give its list"
             : "what it has issued is served, revoked or not; give its list, or say missing_crl: "
               "\"serve\"";
}

std::string LineOf(const tls::CaCoverage& ca, const ListsByName& lists,
                   config::MissingCrl missing) {
  std::string line = absl::StrCat(ca.file, ": the CA ", ca.subject, " (key ", ca.key.substr(0, 16),
                                  ") has no revocation list");
  if (ca.coverage == tls::Coverage::kLeavesOnly) {
    absl::StrAppend(&line, " of the CAs below it");
  } else if (ca.coverage == tls::Coverage::kCasOnly) {
    absl::StrAppend(&line, " of the clients below it");
  } else if (const auto named = lists.find(ca.subject); named != lists.end()) {
    absl::StrAppend(&line, ", as ", named->second->name,
                    " is signed with another key of that name");
  }
  return absl::StrCat(line, ": ", Consequence(missing));
}

}  // namespace

MaterialsReader::Said MaterialsReader::SayWhatLacks(const std::string& where,
                                                    const config::TrustConfig& terms,
                                                    const Trust& trust) {
  const tls::RevocationIndex* index =
      trust.revocation.has_value() ? trust.revocation->index.get() : nullptr;
  const config::MissingCrl missing = terms.missing_crl;
  const bool is_said = missing == config::MissingCrl::kRefuse ||
                       (missing == config::MissingCrl::kWarn && index != nullptr);
  const ListsByName lists = ByName(index);
  Said said;
  for (const tls::CaCoverage& ca : trust.cas) {
    const bool is_covered = tls::IsCovered(ca, terms.crl_scope);
    if (is_said && !is_covered) {
      Warn(where, LineOf(ca, lists, missing));
    } else if (is_said && ca.of_other_names) {
      Warn(where, absl::StrCat(ca.file, ": the CA ", ca.subject, " has no revocation list of this ",
                               "name; those of another name of its key (", ca.lists.front(),
                               ") speak for it too"));
    } else {
      said.silent.insert(ca.subject);
    }
    said.is_covered.push_back(is_covered);
  }
  return said;
}

void MaterialsReader::LookAtCas(const Truster& truster, const config::TrustConfig& terms,
                                Trust* trust) {
  tls::TrustInput input;
  input.anchors = trust->anchors;
  input.intermediates = trust->intermediates;
  input.terms = terms;
  const tls::RevocationIndex* index = nullptr;
  if (trust->revocation.has_value()) {
    index = trust->revocation->index.get();
    input.revocation = index;
  }
  if (trust->cas.empty()) {
    auto all = tls::CoverageOf(input);
    if (!all.ok() || !status().ok()) {
      return;  // whoever uses the files says what is wrong with them
    }
    trust->cas = *std::move(all);
  }
  if (trust->useless.count(terms.rsa_bits_min) == 0) {
    std::vector<std::string>& lines = trust->useless[terms.rsa_bits_min];
    lines = tls::FindUselessCas(input, terms_->host->WallSeconds());
    for (const std::string& line : lines) {
      Warn(truster.where, line);
    }
  }
  const auto [said, is_first] = trust->said.try_emplace({terms.missing_crl, terms.crl_scope});
  if (is_first) {
    said->second = SayWhatLacks(truster.where, terms, *trust);
  }
  for (size_t i = 0; i < trust->cas.size(); ++i) {
    materials_->coverage.Add(truster.listener, truster.host, truster.is_candidate,
                             said->second.is_covered[i], trust->cas[i]);
  }
  SayWhatIsGone(truster.where, index, said->second.silent);
}

// Whoever is configured to serve without a list has not said that one may get lost.
void MaterialsReader::SayWhatIsGone(const std::string& where, const tls::RevocationIndex* index,
                                    const std::set<std::string>& cas) {
  if (terms_->previous == nullptr) {
    return;
  }
  std::set<Scope> here;
  if (index != nullptr) {
    for (const tls::RevocationIndex::List& list : index->lists()) {
      here.insert(list.scope());
    }
  }
  const std::string lists = ListsOf(where);
  for (const Materials::Revocation& before : terms_->previous->revocations) {
    if (before.where != lists) {
      continue;
    }
    for (const tls::RevocationIndex::List& list : before.index->lists()) {
      if (cas.count(list.issuer) > 0 && here.count(list.scope()) == 0) {
        Warn(where, absl::StrCat(list.name, ": the CRL of ", list.issuer,
                                 ", in force until now, is gone and no other takes its place: whom "
                                 "it revoked is trusted again"));
      }
    }
  }
}

}  // namespace postern::control
