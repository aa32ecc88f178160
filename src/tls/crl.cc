#include "src/tls/crl.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "src/base/limits.h"
#include "src/base/time_text.h"
#include "src/tls/crl_issuers.h"
#include "src/tls/crl_parser.h"
#include "src/tls/der.h"
#include "src/tls/pem_stream.h"

namespace postern::tls {
namespace {

// How far a CA's clock may be ahead of ours.
constexpr int64_t kClockSkewS = 300;

std::string TimeOf(int64_t seconds) {
  const base::TimeText text(seconds * 1000);
  return absl::StrCat(std::string(text.view().substr(0, 19)), "Z");
}

std::string VersionOf(const RevocationIndex::List& list) {
  return list.number.empty() ? absl::StrCat("of ", TimeOf(list.this_update_s))
                             : absl::StrCat("number ", list.number);
}

class IndexBuild {
 public:
  IndexBuild(RevocationInput input, std::vector<std::string>* warnings)
      : input_(std::move(input)), warnings_(warnings), issuers_(input_.issuers, warnings) {}

  absl::StatusOr<std::unique_ptr<RevocationIndex>> Run() {
    for (size_t file = 0; file < input_.files.size(); ++file) {
      absl::Status status = ReadFile(file);
      if (!status.ok()) {
        return absl::Status(status.code(),
                            absl::StrCat(input_.files[file].name, ": ", status.message()));
      }
    }
    SetOldOnesAside();
    return MakeIndex();
  }

 private:
  struct ReadList {
    size_t file;
    ParsedCrl crl;
    RevocationIndex::List list;
    RevocationIndex::CertificateHash signer = {};
    bool counts = true;
  };

  absl::Status ReadFile(size_t file) {
    std::string* contents = &input_.files[file].contents;
    if (contents->size() > base::limits::kCrlFileBytesMax) {
      return absl::InvalidArgumentError(
          absl::StrCat("the file is larger than ", base::limits::kCrlFileBytesMax >> 20,
                       " MiB; let the CA drop expired certificates from the list"));
    }
    auto ders = DecodeCrlFile(contents);
    if (!ders.ok()) {
      return ders.status();
    }
    for (const FileCrl& crl : *ders) {
      absl::Status status = ReadOne(file, crl.der);
      if (!status.ok()) {
        return crl.line == 0 ? status
                             : absl::Status(status.code(), absl::StrCat("line ", crl.line, ": ",
                                                                        status.message()));
      }
    }
    return absl::OkStatus();
  }

  absl::Status ReadOne(size_t file, std::span<const uint8_t> der) {
    ReadList read = {.file = file, .crl = {}, .list = {}};
    absl::Status status = ParseCrl(der, &read.crl);
    if (!status.ok()) {
      return status;
    }
    const auto signer = issuers_.FindSigner(read.crl);
    if (!signer.ok()) {
      return signer.status();
    }
    if (read.crl.this_update_s > input_.now_s + kClockSkewS) {
      return absl::InvalidArgumentError(absl::StrCat("it is of the future (thisUpdate ",
                                                     TimeOf(read.crl.this_update_s),
                                                     "); set this host's clock, or the CA's"));
    }
    status = CheckEntries(read.crl, &read.list.entries);
    if (!status.ok()) {
      return status;
    }
    read.list.name = input_.files[file].name;
    read.signer = signer->certificate;
    read.list.issuer = signer->name;
    read.list.issuer_key = signer->key_id;
    read.list.this_update_s = read.crl.this_update_s;
    read.list.next_update_s = read.crl.next_update_s;
    read.list.number = read.crl.number;
    read.list.covers_leaves = read.crl.covers_leaves;
    read.list.covers_cas = read.crl.covers_cas;
    const auto point = SpanOf(read.crl.distribution_point);
    read.list.distribution_point.assign(reinterpret_cast<const char*>(point.data()), point.size());
    lists_.push_back(std::move(read));
    return absl::OkStatus();
  }

  // Of several lists with one scope only the newest counts: an older one may name what has been
  // taken off hold since.
  void SetOldOnesAside() {
    std::map<RevocationIndex::List::Scope, std::vector<ReadList*>> of_scope;
    for (ReadList& read : lists_) {
      of_scope[read.list.scope()].push_back(&read);
    }
    for (auto& [scope, reads] : of_scope) {
      // Numbers decide where every list has one; times otherwise. A mixture would depend on the
      // order.
      const bool are_numbered = std::none_of(reads.begin(), reads.end(), [](const ReadList* read) {
        return read->list.number.empty();
      });
      const ReadList* best = *std::max_element(
          reads.begin(), reads.end(),
          [are_numbered](auto* a, auto* b) { return IsOlder(a->list, b->list, are_numbered); });
      for (ReadList* read : reads) {
        if (read != best) {
          SetAside(*best, read);
        }
      }
    }
  }

  static bool IsOlder(const RevocationIndex::List& a, const RevocationIndex::List& b,
                      bool are_numbered) {
    if (are_numbered && a.number != b.number) {
      return HasLowerNumber(a, b);
    }
    return a.this_update_s < b.this_update_s;
  }

  void SetAside(const ReadList& best, ReadList* old) {
    old->counts = false;
    // The same list twice, perhaps beside its CA and on its own, leaves nothing out.
    if (!Equal(old->crl.signed_part, SpanOf(best.crl.signed_part))) {
      warnings_->push_back(absl::StrCat(old->list.name, ": the CRL ", VersionOf(old->list), " of ",
                                        old->list.issuer, " is not used: ", best.list.name,
                                        " has the CRL ", VersionOf(best.list)));
    }
  }

  std::unique_ptr<RevocationIndex> MakeIndex() {
    size_t entries_max = 0;
    for (const ReadList& read : lists_) {
      entries_max += read.counts ? read.list.entries : 0;
    }
    RevocationIndex::Builder builder(entries_max);
    auto read = lists_.begin();
    for (size_t file = 0; file < input_.files.size(); ++file) {
      for (; read != lists_.end() && read->file == file; ++read) {
        builder.AddSigner(read->signer);
        if (read->counts) {
          AddList(&*read, &builder);
        }
      }
      std::string().swap(input_.files[file].contents);
    }
    return builder.Build();
  }

  void AddList(ReadList* read, RevocationIndex::Builder* builder) {
    const KeyId key = read->list.issuer_key;
    if (read->list.next_update_s == 0) {
      warnings_->push_back(absl::StrCat(
          read->list.name, ": the CRL of ", read->list.issuer,
          " does not say when the next one is due (RFC 5280, 5.1.2.5), and counts as stale; let "
          "the CA say it"));
    } else if (read->list.next_update_s < input_.now_s) {
      warnings_->push_back(absl::StrCat(read->list.name, ": the CRL of ", read->list.issuer,
                                        " is stale: the next one was due at ",
                                        TimeOf(read->list.next_update_s), "; fetch it"));
    }
    CBS serial;
    while (NextSerial(&read->crl.entries, &serial)) {
      builder->AddEntry(key, SpanOf(serial));
    }
    builder->AddList(std::move(read->list));
  }

  RevocationInput input_;
  std::vector<std::string>* warnings_;
  CrlIssuers issuers_;
  std::vector<ReadList> lists_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RevocationIndex>> BuildRevocationIndex(
    RevocationInput input, std::vector<std::string>* warnings) {
  return IndexBuild(std::move(input), warnings).Run();
}

}  // namespace postern::tls
