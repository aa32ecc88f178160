#include "src/control/expiry_watch.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/base/time_text.h"

namespace postern::control {
namespace {

std::string TimeOf(int64_t seconds) {
  const base::TimeText text(seconds * 1000);
  return absl::StrCat(std::string(text.view().substr(0, 19)), "Z");
}

// As one says it.
std::string SpanOf(int64_t seconds) {
  if (seconds >= 2 * 86'400) {
    return absl::StrCat(seconds / 86'400, " days");
  }
  if (seconds >= 2 * 3600) {
    return absl::StrCat(seconds / 3600, " hours");
  }
  return seconds >= 120 ? absl::StrCat(seconds / 60, " minutes") : "less than 2 minutes";
}

std::string_view RoleText(std::string_view role) {
  constexpr std::pair<std::string_view, std::string_view> kTexts[] = {
      {"server", "the certificate that listeners present"},
      {"client_ca", "the client CA"},
      {"client_intermediate", "the intermediate CA"},
      {"candidate_ca", "the candidate's client CA"},
      {"candidate_intermediate", "the candidate's intermediate CA"},
      {"upstream", "the certificate that servers are shown"},
      {"upstream_ca", "the servers' CA"},
  };
  for (const auto& [name, text] : kTexts) {
    if (name == role) {
      return text;
    }
  }
  return role;
}

absl::string_view View(std::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace

ExpiryWatch::Stage ExpiryWatch::StageOf(const Term& term, int64_t now_s) {
  if (now_s > term.end_s) {
    return Stage::kOver;
  }
  const int64_t left_s = term.end_s - now_s;
  if (left_s > term.soon_s) {
    return Stage::kFar;
  }
  return left_s > term.very_soon_s ? Stage::kSoon : Stage::kVerySoon;
}

bool ExpiryWatch::Note(const std::string& name, Stage stage, bool is_told) {
  const auto before = told_.find(name);
  const bool is_new = before == told_.end()
                          ? stage != Stage::kFar && (stage != Stage::kOver || !is_told)
                          : before->second < stage;
  Stage& told = next_.try_emplace(name, stage).first->second;
  // A clock that is set back is no reason to tell it again.
  told = before == told_.end() ? stage : std::max(stage, before->second);
  return is_new;
}

std::vector<std::string> ExpiryWatch::Look(const CertificateList& certificates,
                                           std::span<const tls::RevocationIndex* const> indexes,
                                           int64_t now_s) {
  std::vector<std::string> lines;
  for (const CertificateList::Entry& entry : certificates.certificates) {
    Term term;
    term.end_s = entry.not_after_s;
    term.soon_s = std::min((entry.not_after_s - entry.not_before_s) / 4, kSoonS);
    term.very_soon_s = std::min(term.soon_s / 4, kVerySoonS);
    const Stage stage = StageOf(term, now_s);
    const std::string name =
        absl::StrCat(View(entry.role), " ", entry.file, " ", entry.subject, " ", entry.not_after_s);
    const bool is_told = entry.role != "server" && entry.role != "upstream";
    const std::string what =
        absl::StrCat(entry.file, ": ", View(RoleText(entry.role)), " ", entry.subject);
    // That a CA of clients or servers has not begun is told where it is loaded.
    const Stage begin = now_s < entry.not_before_s && !is_told ? Stage::kOver : Stage::kFar;
    if (Note(absl::StrCat(name, " begin"), begin, is_told)) {
      lines.push_back(absl::StrCat(what, " is not valid before ", TimeOf(entry.not_before_s)));
    }
    if (Note(name, stage, is_told)) {
      lines.push_back(stage == Stage::kOver
                          ? absl::StrCat(what, " has expired at ", TimeOf(entry.not_after_s))
                          : absl::StrCat(what, " expires in ", SpanOf(entry.not_after_s - now_s),
                                         ", at ", TimeOf(entry.not_after_s)));
    }
  }
  for (const tls::RevocationIndex* index : indexes) {
    for (const tls::RevocationIndex::List& list : index->lists()) {
      if (list.next_update_s == 0) {
        continue;  // it is told of when it is loaded
      }
      Term term;
      term.end_s = list.next_update_s;
      term.soon_s = (list.next_update_s - list.this_update_s) / 10;
      const Stage stage = StageOf(term, now_s);
      const std::string what = absl::StrCat(list.name, ": the revocation list of ", list.issuer,
                                            list.number.empty() ? "" : ", number ", list.number);
      if (Note(absl::StrCat(what, " ", list.next_update_s), stage, true)) {
        lines.push_back(
            stage == Stage::kOver
                ? absl::StrCat(what, " is past its nextUpdate, ", TimeOf(list.next_update_s))
                : absl::StrCat(what, " has no successor yet: it is due in ",
                               SpanOf(list.next_update_s - now_s), ", at ",
                               TimeOf(list.next_update_s)));
      }
    }
  }
  told_ = std::exchange(next_, {});
  if (lines.size() > kLinesMax) {
    const size_t more = lines.size() - kLinesMax;
    lines.resize(kLinesMax);
    lines.push_back(absl::StrCat(
        more, " more certificates and lists come to their end, or have not begun; see ",
        "/status, or postern_certificate_not_after_seconds"));
  }
  return lines;
}

}  // namespace postern::control
