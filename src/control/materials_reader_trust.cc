// Who vouches for clients, and what takes it back: every object in the files that are named for it
// is used, refused, or named in a warning.
#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/control/materials_reader.h"
#include "src/tls/content_hash.h"
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

}  // namespace

std::string ListsOf(const std::string& where) {
  return absl::StrCat(where, ", CRL");
}

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

MaterialsReader::CaFile& MaterialsReader::CaFileOf(const std::string& where,
                                                   const std::string& path, tls::PemUse use) {
  const auto [at, is_first] = ca_files_.try_emplace({use, path});
  CaFile& file = at->second;
  if (is_first) {
    std::string text = Read(where, path);
    const tls::PemContents contents = Check(where, path, text, use);
    file.has_certificates = contents.has_certificates;
    file.has_lists = contents.has_lists;
    if (contents.has_lists) {
      file.whole = text;
    }
    tls::KeepCertificates(&text);
    file.certificates = std::move(text);
  }
  return file;
}

void MaterialsReader::ReadCas(const std::string& where, const std::string& path, bool may_lack,
                              std::vector<tls::NamedPem>* files, Trust* trust) {
  const CaFile& file = CaFileOf(where, path, tls::PemUse::kClientCas);
  if (file.has_lists) {
    trust->lists.push_back({path, file.whole});
  }
  if (file.has_certificates || !file.has_lists || !may_lack) {
    files->push_back({path, file.certificates});
  }
}

void MaterialsReader::ReadDirectory(const std::string& where, const std::string& path,
                                    Trust* trust) {
  absl::StatusOr<std::vector<std::string>> names = terms_->host->ListDirectory(path);
  if (!names.ok()) {
    Add(where, names.status());
    return;
  }
  std::vector<tls::NamedPem>* files = &trust->anchors;
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

void MaterialsReader::ReadList(const std::string& where, const std::string& path, Trust* trust) {
  std::string text;
  if (list_files_.insert(path).second) {
    text = Read(where, path);
    Check(where, path, text, tls::PemUse::kRevocationList);
  }
  trust->lists.push_back({path, std::move(text)});
}

void MaterialsReader::ReadListsAgain(const std::string& where, Trust* trust) {
  for (tls::CrlFile& file : trust->lists) {
    if (file.contents.empty()) {
      file.contents = Read(where, file.name);
    }
  }
}

MaterialsReader::Trust* MaterialsReader::TrustOf(const std::string& where,
                                                 const config::TrustConfig& config) {
  std::vector<std::string> names;
  for (const auto* files :
       {&config.ca_files, &config.ca_directories, &config.intermediate_files, &config.crl_files}) {
    names.insert(names.end(), files->begin(), files->end());
    names.emplace_back();  // no file has no name
  }
  std::unique_ptr<Trust>& trust = trusts_[std::move(names)];
  if (trust != nullptr) {
    return trust.get();
  }
  trust = std::make_unique<Trust>();
  const std::string cas = absl::StrCat(where, ", client CA");
  for (const std::string& file : config.ca_files) {
    ReadCas(cas, file, false, &trust->anchors, trust.get());
  }
  for (const std::string& directory : config.ca_directories) {
    ReadDirectory(cas, directory, trust.get());
  }
  for (const std::string& file : config.intermediate_files) {
    ReadCas(absl::StrCat(where, ", intermediate CA"), file, false, &trust->intermediates,
            trust.get());
  }
  for (const std::string& file : config.crl_files) {
    ReadList(ListsOf(where), file, trust.get());
  }
  trust->revocation = ReadRevocation(ListsOf(where), trust.get());
  return trust.get();
}

tls::TrustInput MaterialsReader::ReadTrust(const Truster& truster,
                                           const config::TrustConfig& config) {
  Trust* trust = TrustOf(truster.where, config);
  tls::TrustInput input;
  input.anchors = trust->anchors;
  input.intermediates = trust->intermediates;
  input.terms = config;
  if (trust->revocation.has_value()) {
    input.revocation = trust->revocation->index.get();
    PutInForce(ListsOf(truster.where), *trust->revocation);
  }
  LookAtCas(truster, config, trust);
  return input;
}

const std::vector<tls::Sha256>& MaterialsReader::HashesOf(Trust* trust) {
  if (!trust->hashes.has_value()) {
    std::vector<tls::Sha256>& all = trust->hashes.emplace();
    for (const auto* files : {&trust->anchors, &trust->intermediates}) {
      for (const tls::NamedPem& file : *files) {
        CaFile& read = ca_files_[{tls::PemUse::kClientCas, file.name}];
        if (!read.hashes.has_value()) {
          read.hashes = tls::HashesOfCertificates(file.pem.view());
        }
        all.insert(all.end(), read.hashes->begin(), read.hashes->end());
      }
    }
    std::sort(all.begin(), all.end());
  }
  return *trust->hashes;
}

const Materials::Revocation* MaterialsReader::FindRevocation(const std::string& key, Trust* trust) {
  // Many trust by one index.
  std::set<const tls::RevocationIndex*> looked_at;
  for (const Materials* materials : {static_cast<const Materials*>(materials_), terms_->previous}) {
    if (materials == nullptr) {
      continue;
    }
    for (const Materials::Revocation& revocation : materials->revocations) {
      if (revocation.key != key || !looked_at.insert(revocation.index.get()).second) {
        continue;
      }
      // What the signers of its lists have signed is good under this trust, too.
      const std::vector<tls::Sha256>& known = HashesOf(trust);
      const auto signers = revocation.index->signers();
      if (std::includes(known.begin(), known.end(), signers.begin(), signers.end())) {
        return &revocation;
      }
    }
  }
  return nullptr;
}

std::string MaterialsReader::KeyOf(const Trust& trust) const {
  std::string text;
  for (const tls::CrlFile& file : trust.lists) {
    const auto mark = materials_->file_marks.find(file.name);
    absl::StrAppend(&text, file.name.size(), ":", file.name,
                    mark != materials_->file_marks.end() ? TextOf(mark->second) : "");
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

std::optional<Materials::Revocation> MaterialsReader::ReadRevocation(const std::string& where,
                                                                     Trust* trust) {
  if (trust->lists.empty()) {
    return std::nullopt;
  }
  Materials::Revocation lists;
  lists.key = KeyOf(*trust);
  if (const Materials::Revocation* known = FindRevocation(lists.key, trust)) {
    lists.index = known->index;
    trust->lists.clear();
    return lists;
  }
  if (!status().ok()) {
    return std::nullopt;  // a list cannot be judged by CAs that could not be read
  }
  ReadListsAgain(where, trust);
  lists.key = KeyOf(*trust);  // they may be others by now
  auto index = tls::LoadRevocation(trust->anchors, trust->intermediates, std::move(trust->lists),
                                   terms_->host->WallSeconds(), &materials_->warnings);
  if (!index.ok()) {
    Add(where, index.status());
    return std::nullopt;
  }
  lists.index = *std::move(index);
  return lists;
}

}  // namespace postern::control
