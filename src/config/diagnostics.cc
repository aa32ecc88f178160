#include "src/config/diagnostics.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace postern::config {

Diagnostics::Diagnostics(std::string file_name, Namer namer)
    : file_name_(std::move(file_name)), namer_(namer) {}

void Diagnostics::Add(Location location, const std::string& path, const std::string& message) {
  ++count_;
  if (entries_.size() >= kEntriesMax) {
    return;
  }
  std::string text = file_name_;
  if (location.line > 0) {
    absl::StrAppend(&text, ":", location.line, ":", location.column);
  }
  if (!path.empty()) {
    absl::StrAppend(&text, text.empty() ? "" : ": ", namer_ != nullptr ? namer_(path) : path);
  }
  absl::StrAppend(&text, text.empty() ? "" : ": ", message);
  entries_.push_back({location, std::move(text)});
}

void Diagnostics::AddLines(const std::string& lines) {
  ++count_;
  entries_.push_back({{}, lines});
}

absl::Status Diagnostics::ToStatus() const {
  if (empty()) {
    return absl::OkStatus();
  }
  std::vector<Entry> sorted = entries_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.location.line, a.location.column) <
           std::tie(b.location.line, b.location.column);
  });
  std::string lines;
  for (const Entry& entry : sorted) {
    absl::StrAppend(&lines, lines.empty() ? "" : "\n", entry.text);
  }
  if (count_ > entries_.size()) {
    absl::StrAppend(&lines, "\n", count_ - entries_.size(), " more errors");
  }
  return absl::InvalidArgumentError(lines);
}

std::string Quote(const std::string& value) {
  constexpr size_t kShownMax = 80;
  if (value.size() <= kShownMax) {
    return absl::StrCat("\"", absl::CHexEscape(value), "\"");
  }
  return absl::StrCat("\"", absl::CHexEscape(value.substr(0, kShownMax)), "...\"");
}

}  // namespace postern::config
