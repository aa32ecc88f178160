#include "tools/command_line/arguments.h"

#include <algorithm>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace postern::command_line {
namespace {

absl::Status Wrong(const Arguments::Program& program, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(what, "; see '", program.help, "'"));
}

const Flag* Find(const std::vector<Flag>& flags, absl::string_view name) {
  const auto found =
      std::find_if(flags.begin(), flags.end(), [name](const Flag& f) { return f.name == name; });
  return found == flags.end() ? nullptr : &*found;
}

std::string HelpLine(const Flag& flag) {
  std::string left = absl::StrCat("  --", flag.name);
  if (!flag.value.empty()) {
    absl::StrAppend(&left, "=", flag.value);
  }
  absl::string_view note;
  if (flag.kind == Flag::kRequired) {
    note = " (required)";
  } else if (flag.kind == Flag::kList) {
    note = " (a list, or repeated)";
  } else if (flag.kind == Flag::kRepeated) {
    note = " (may be repeated)";
  }
  return absl::StrFormat("%-34s %s%s\n", left, flag.help, note);
}

}  // namespace

absl::StatusOr<Arguments> Arguments::Parse(const Program& program, const std::vector<Flag>& flags,
                                           const std::vector<std::string>& words,
                                           std::vector<std::string>* others) {
  Arguments result;
  for (size_t i = 0; i < words.size(); ++i) {
    absl::string_view word = words[i];
    if (word.substr(0, 2) != "--" || word.size() == 2) {
      if (others != nullptr) {
        others->emplace_back(word);
        continue;
      }
      return Wrong(program, absl::StrCat("'", word, "' is no flag of '", program.name, "'"));
    }
    word.remove_prefix(2);
    const size_t equals = word.find('=');
    std::string name(word.substr(0, equals));
    std::replace(name.begin(), name.end(), '-', '_');
    const Flag* flag = Find(flags, name);
    if (flag == nullptr) {
      return Wrong(program, absl::StrCat("unknown flag --", word.substr(0, equals)));
    }
    std::string value;
    if (flag->value.empty()) {
      if (equals != absl::string_view::npos) {
        return Wrong(program, absl::StrCat("--", name, " takes no value"));
      }
    } else if (equals != absl::string_view::npos) {
      value = std::string(word.substr(equals + 1));
    } else if (i + 1 < words.size() && words[i + 1].substr(0, 2) != "--") {
      value = words[++i];
    } else {
      return Wrong(program, absl::StrCat("--", name, " needs a value: --", name, "=", flag->value));
    }
    std::vector<std::string>& values = result.values_[name];
    if (flag->kind == Flag::kList) {
      for (const absl::string_view part : absl::StrSplit(value, ',')) {
        values.emplace_back(part);
      }
    } else if (values.empty() || flag->kind == Flag::kRepeated) {
      values.push_back(value);
    } else {
      return Wrong(program, absl::StrCat("--", name, " is given twice"));
    }
  }
  for (const Flag& flag : flags) {
    if (flag.kind == Flag::kRequired && result.Get(flag.name, "").empty()) {
      return Wrong(program, absl::StrCat("--", flag.name, "=", flag.value, " is missing"));
    }
  }
  return result;
}

bool Arguments::Has(absl::string_view flag) const {
  return values_.find(flag) != values_.end();
}

std::optional<std::string> Arguments::Get(absl::string_view flag) const {
  const auto found = values_.find(flag);
  return found == values_.end() ? std::nullopt : std::optional<std::string>(found->second.back());
}

std::string Arguments::Get(absl::string_view flag, absl::string_view otherwise) const {
  return Get(flag).value_or(std::string(otherwise));
}

std::vector<std::string> Arguments::GetList(absl::string_view flag) const {
  const auto found = values_.find(flag);
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

absl::StatusOr<int64_t> Arguments::GetInt(absl::string_view flag, int64_t otherwise, int64_t min,
                                          int64_t max) const {
  const std::optional<std::string> text = Get(flag);
  if (!text.has_value()) {
    return otherwise;
  }
  int64_t value = 0;
  if (!absl::SimpleAtoi(*text, &value) || value < min || value > max) {
    return absl::InvalidArgumentError(
        absl::StrCat("--", flag, "=", *text, ": write a number from ", min, " to ", max));
  }
  return value;
}

absl::StatusOr<double> Arguments::GetNumber(absl::string_view flag, double otherwise, double min,
                                            double max) const {
  const std::optional<std::string> text = Get(flag);
  if (!text.has_value()) {
    return otherwise;
  }
  double value = 0;
  if (!absl::SimpleAtod(*text, &value) || !(value >= min && value <= max)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--", flag, "=", *text, ": write a number from ", min, " to ", max));
  }
  return value;
}

std::string FlagsHelp(const std::vector<Flag>& flags) {
  std::string text;
  for (const Flag& flag : flags) {
    absl::StrAppend(&text, HelpLine(flag));
  }
  return text;
}

}  // namespace postern::command_line
