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
  absl::Status LookAtArgument(std::string_view argument);

 private:
  absl::Status LookAt(std::string_view names);
  absl::Status LookAtFile(const std::string& name);

  std::vector<std::string> open_;  // each names the next one
  size_t files_ = 0;
};

// What an argument says of `flag`, if it has a value of its own.
std::optional<std::string_view> ValueIn(std::string_view argument, std::string_view flag) {
  argument.remove_prefix(std::min(argument.find_first_not_of('-'), argument.size()));
  const bool is_it =
      argument.size() > flag.size() && argument.starts_with(flag) && argument[flag.size()] == '=';
  return is_it ? std::optional(argument.substr(flag.size() + 1)) : std::nullopt;
}

// absl's other two flags that name flags: from the environment, where nothing is looked at.
absl::Status CheckEnvironment(std::string_view argument) {
  for (const std::string_view flag : {"fromenv", "tryfromenv"}) {
    const auto names = ValueIn(argument, flag);
    for (absl::string_view name :
         absl::StrSplit(names ? absl::string_view(names->data(), names->size()) : "", ',')) {
      if (name == "flagfile") {
        return absl::InvalidArgumentError(
            absl::StrCat("--", absl::string_view(flag.data(), flag.size()),
                         ": flagfile cannot come from the environment"));
      }
    }
  }
  return absl::OkStatus();
}

// Whether its value is the next argument.
bool IsNameAlone(std::string_view argument) {
  argument.remove_prefix(std::min(argument.find_first_not_of('-'), argument.size()));
  return argument == "flagfile" || argument == "fromenv" || argument == "tryfromenv";
}

absl::Status Scan::LookAtArgument(std::string_view argument) {
  if (absl::Status status = CheckEnvironment(argument); !status.ok()) {
    return status;
  }
  const auto names = ValueIn(argument, "flagfile");
  return names ? LookAt(*names) : absl::OkStatus();
}

absl::Status Scan::LookAt(std::string_view names) {
  for (absl::string_view name :
       absl::StrSplit(absl::string_view(names.data(), names.size()), ',')) {
    if (absl::Status status = LookAtFile(std::string(name)); !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
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
    if (absl::Status status = LookAtArgument({line.data(), line.size()}); !status.ok()) {
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
    const bool is_apart = i + 1 < arguments.size() && IsNameAlone(arguments[i]);
    const std::string joined =
        is_apart ? absl::StrCat(std::string(arguments[i]), "=", std::string(arguments[i + 1])) : "";
    i += is_apart ? 1u : 0u;
    if (absl::Status status = scan.LookAtArgument(is_apart ? joined : arguments[i]); !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

}  // namespace postern::config
