// Who vouches for clients, and what takes it back: every object in the files that are named for it
// is used, refused, or named in a warning.
#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/control/materials_reader.h"
#include "src/tls/content_hash.h"
#include "src/tls/crl_coverage.h"
#include "src/tls/load_revocation.h"
#include "src/tls/pem_use.h"

namespace postern::control {
namespace {

// As many names of one directory are worth reading.
constexpr size_t kNamesSaid = 5;

bool IsCertificateFile(const std::string& name) {
  return absl::EndsWith(name, ".pem") || absl::EndsWith(name, ".crt") ||
         absl::EndsWith(name, ".cer");
}

bool IsListFile(const std::string& name) {
  return absl::EndsWith(name, ".crl");
}

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

// Where the lists of a trust are.
std::string ListsOf(const std::string& where) {
  return absl::StrCat(where, ", CRL");
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

void MaterialsReader::Warn(const std::string& where, const std::string& line) {
  if (warned_.insert(line).second) {
    materials_->warnings.push_back(absl::StrCat(where, ": ", line));
  }
}

tls::PemContents MaterialsReader::Check(const std::string& where, const std::string& name,
                                        std::string_view text, tls::PemUse use) {
  std::vector<std::string> unused;
  auto contents = tls::CheckPem(text, use, &unused);
  for (const std::string& line : unused) {
    Warn(where, absl::StrCat(name, ": ", line));
  }
  if (!contents.ok()) {
    Add(where, absl::InvalidArgumentError(absl::StrCat(name, ": ", contents.status().message())));
    return {};
  }
  return *contents;
}

void MaterialsReader::ReadCas(const std::string& where, const std::string& path, bool may_lack,
                              std::vector<tls::NamedPem>* files, TrustFiles* trust) {
  std::string text = Read(where, path);
  const tls::PemContents contents = Check(where, path, text, tls::PemUse::kClientCas);
  if (contents.has_lists) {
    trust->lists.push_back({path, text});
  }
  tls::KeepCertificates(&text);
  if (contents.has_certificates || !contents.has_lists || !may_lack) {
    files->push_back({path, std::move(text)});
  }
}

void MaterialsReader::ReadDirectory(const std::string& where, const std::string& path,
                                    TrustFiles* trust) {
  absl::StatusOr<std::vector<std::string>> names = terms_->host->ListDirectory(path);
  if (!names.ok()) {
    Add(where, names.status());
    return;
  }
  std::vector<tls::NamedPem>* files = &trust->input.anchors;
  size_t before = files->size();
  std::vector<std::string> unused;
  for (const std::string& name : *names) {
    std::string file = absl::StrCat(path, "/", name);
    if (IsCertificateFile(name)) {
      ReadCas(where, file, true, files, trust);
    } else if (IsListFile(name)) {
      ReadList(where, file, trust);
    } else if (name[0] != '.') {
      unused.push_back(name);
    }
  }
  if (files->size() == before) {
    Add(where, absl::NotFoundError(absl::StrCat(
                   path, ": no CA certificate in it; their names end in .pem, .crt or .cer")));
  }
  if (!unused.empty()) {
    size_t more = unused.size() - std::min(unused.size(), kNamesSaid);
    unused.resize(unused.size() - more);
    Warn(where, absl::StrCat(path, ": not read, as their names do not end in .pem, .crt, .cer or ",
                             ".crl: ", absl::StrJoin(unused, ", "),
                             more > 0 ? absl::StrCat(" and ", more, " more") : ""));
  }
}

void MaterialsReader::ReadList(const std::string& where, const std::string& path,
                               TrustFiles* trust) {
  std::string text = Read(where, path);
  Check(where, path, text, tls::PemUse::kRevocationList);
  trust->lists.push_back({path, std::move(text)});
}

tls::TrustInput MaterialsReader::ReadTrust(const std::string& where,
                                           const config::TrustConfig& config) {
  TrustFiles files;
  files.input.terms = config;
  const std::string cas = absl::StrCat(where, ", client CA");
  for (const std::string& file : config.ca_files) {
    ReadCas(cas, file, false, &files.input.anchors, &files);
  }
  for (const std::string& directory : config.ca_directories) {
    ReadDirectory(cas, directory, &files);
  }
  for (const std::string& file : config.intermediate_files) {
    ReadCas(absl::StrCat(where, ", intermediate CA"), file, false, &files.input.intermediates,
            &files);
  }
  const std::string lists = ListsOf(where);
  for (const std::string& file : config.crl_files) {
    ReadList(lists, file, &files);
  }
  files.input.revocation = ReadRevocation(lists, &files);
  return std::move(files.input);
}

const Materials::Revocation* MaterialsReader::FindRevocation(const std::string& key) const {
  for (const Materials* materials : {static_cast<const Materials*>(materials_), terms_->previous}) {
    if (materials == nullptr) {
      continue;
    }
    for (const Materials::Revocation& revocation : materials->revocations) {
      if (revocation.key == key) {
        return &revocation;
      }
    }
  }
  return nullptr;
}

std::string MaterialsReader::KeyOf(const TrustFiles& files) const {
  std::string text;
  auto add = [this, &text](char role, const std::string& name) {
    absl::StrAppend(&text, std::string(1, role), name.size(), ":", name,
                    TextOf(materials_->file_marks[name]));
  };
  for (const tls::CrlFile& file : files.lists) {
    add('l', file.name);
  }
  for (const tls::NamedPem& file : files.input.anchors) {
    add('a', file.name);
  }
  for (const tls::NamedPem& file : files.input.intermediates) {
    add('i', file.name);
  }
  return TextOf(tls::HashOfContent(text));
}

void MaterialsReader::PutInForce(const std::string& where, const Materials::Revocation& lists) {
  const ListHistory::Objections objections = materials_->lists.Compare(where, *lists.index);
  for (const std::string& line : objections.errors) {
    Add(where, absl::InvalidArgumentError(line));
  }
  for (const std::string& line : objections.warnings) {
    Warn(where, line);
  }
  materials_->revocations.push_back({lists.key, where, lists.index});
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
  for (const Materials::Revocation& before : terms_->previous->revocations) {
    if (before.where != ListsOf(where)) {
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

const tls::RevocationIndex* MaterialsReader::ReadRevocation(const std::string& where,
                                                            TrustFiles* files) {
  if (files->lists.empty()) {
    return nullptr;
  }
  Materials::Revocation lists;
  lists.key = KeyOf(*files);
  if (const Materials::Revocation* known = FindRevocation(lists.key)) {
    lists.index = known->index;
  } else if (status().ok()) {
    auto index = tls::LoadRevocation(files->input, std::move(files->lists),
                                     terms_->host->WallSeconds(), &materials_->warnings);
    if (!index.ok()) {
      Add(where, index.status());
      return nullptr;
    }
    lists.index = *std::move(index);
  } else {
    return nullptr;  // a list cannot be judged by CAs that could not be read
  }
  PutInForce(where, lists);
  return lists.index.get();
}

void MaterialsReader::LookAtCas(const std::string& where, const std::string& listener,
                                const std::string& host, bool is_candidate,
                                const tls::TrustInput& trust) {
  auto all = tls::CoverageOf(trust);
  if (!all.ok() || !status().ok()) {
    return;  // whoever uses the files says what is wrong with them
  }
  for (const std::string& line : tls::FindUselessCas(trust, terms_->host->WallSeconds())) {
    Warn(where, line);
  }
  const config::MissingCrl missing = trust.terms.missing_crl;
  const bool is_said = missing == config::MissingCrl::kRefuse ||
                       (missing == config::MissingCrl::kWarn && trust.revocation != nullptr);
  const ListsByName lists = ByName(trust.revocation);
  std::set<std::string> silent;
  for (tls::CaCoverage& ca : *all) {
    const bool is_covered = tls::IsCovered(ca, trust.terms.crl_scope);
    if (is_said && !is_covered) {
      Warn(where, LineOf(ca, lists, missing));
    } else if (is_said && ca.of_other_names) {
      Warn(where, absl::StrCat(ca.file, ": the CA ", ca.subject, " has no revocation list of this ",
                               "name; those of another name of its key (", ca.lists.front(),
                               ") speak for it too"));
    } else {
      silent.insert(ca.subject);
    }
    materials_->coverage.Add({listener, host, is_candidate, is_covered, std::move(ca)});
  }
  SayWhatIsGone(where, trust.revocation, silent);
}

}  // namespace postern::control
