#include "src/config/flag_files.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "src/config/load.h"

namespace postern::config {
namespace {

// Nobody has as many; files that name others more than once would multiply.
constexpr size_t kFilesMax = 100;

class Scan {
 public:
  // `names`: as the flag takes them, with commas between.
  absl::Status LookAt(std::string_view names) {
    for (absl::string_view name :
         absl::StrSplit(absl::string_view(names.data(), names.size()), ',')) {
      if (absl::Status status = LookAtFile(std::string(name)); !status.ok()) {
        return status;
      }
    }
    return absl::OkStatus();
  }

 private:
  absl::Status LookAtFile(const std::string& name);

  std::vector<std::string> open_;  // each names the next one
  size_t files_ = 0;
};

// What an argument says of this flag, if it has a value of its own.
std::optional<std::string_view> ValueIn(std::string_view argument) {
  constexpr std::string_view kFlag = "flagfile=";
  argument.remove_prefix(std::min(argument.find_first_not_of('-'), argument.size()));
  return argument.starts_with(kFlag) ? std::optional(argument.substr(kFlag.size())) : std::nullopt;
}

absl::Status Scan::LookAtFile(const std::string& name) {
  if (name.empty()) {
    return absl::OkStatus();
  }
  if (std::find(open_.begin(), open_.end(), name) != open_.end()) {
    return absl::InvalidArgumentError(absl::StrCat("--flagfile: ", name, " names itself"));
  }
  if (++files_ > kFilesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("--flagfile: more than ", kFilesMax, " files in all"));
  }
  const absl::StatusOr<std::string> contents = ReadFile(name);
  if (!contents.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("--flagfile: ", contents.status().message()));
  }
  open_.push_back(name);
  for (absl::string_view line : absl::StrSplit(*contents, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    const auto value = ValueIn({line.data(), line.size()});
    if (absl::Status status = value ? LookAt(*value) : absl::OkStatus(); !status.ok()) {
      return status;
    }
  }
  open_.pop_back();
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckFlagFiles(std::span<const std::string_view> arguments) {
  Scan scan;
  for (size_t i = 0; i < arguments.size() && arguments[i] != "--"; ++i) {
    std::optional<std::string_view> value = ValueIn(arguments[i]);
    if ((arguments[i] == "--flagfile" || arguments[i] == "-flagfile") && i + 1 < arguments.size()) {
      value = arguments[++i];
    }
    if (absl::Status status = value ? scan.LookAt(*value) : absl::OkStatus(); !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

}  // namespace postern::config
