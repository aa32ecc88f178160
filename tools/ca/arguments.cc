#include "tools/ca/arguments.h"

#include <algorithm>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "tools/ca/errors.h"

namespace postern::ca {
namespace {

absl::Status Wrong(absl::string_view command, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(what, "; see 'ca help ", command, "'"));
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
  }
  return absl::StrFormat("%-34s %s%s\n", left, flag.help, note);
}

}  // namespace

absl::StatusOr<Arguments> Arguments::Parse(absl::string_view command,
                                           const std::vector<Flag>& flags,
                                           const std::vector<std::string>& words) {
  Arguments result;
  for (size_t i = 0; i < words.size(); ++i) {
    absl::string_view word = words[i];
    if (word.substr(0, 2) != "--" || word.size() == 2) {
      return Wrong(command, absl::StrCat("'", word, "' is no flag of '", command, "'"));
    }
    word.remove_prefix(2);
    const size_t equals = word.find('=');
    std::string name(word.substr(0, equals));
    std::replace(name.begin(), name.end(), '-', '_');
    const Flag* flag = Find(flags, name);
    if (flag == nullptr) {
      return Wrong(command, absl::StrCat("unknown flag --", word.substr(0, equals)));
    }
    std::string value;
    if (flag->value.empty()) {
      if (equals != absl::string_view::npos) {
        return Wrong(command, absl::StrCat("--", name, " takes no value"));
      }
    } else if (equals != absl::string_view::npos) {
      value = std::string(word.substr(equals + 1));
    } else if (i + 1 < words.size() && words[i + 1].substr(0, 2) != "--") {
      value = words[++i];
    } else {
      return Wrong(command, absl::StrCat("--", name, " needs a value: --", name, "=", flag->value));
    }
    std::vector<std::string>& values = result.values_[name];
    if (flag->kind == Flag::kList) {
      for (const absl::string_view part : absl::StrSplit(value, ',')) {
        values.emplace_back(part);
      }
    } else if (values.empty()) {
      values.push_back(value);
    } else {
      return Wrong(command, absl::StrCat("--", name, " is given twice"));
    }
  }
  for (const Flag& flag : flags) {
    if (flag.kind == Flag::kRequired && result.Get(flag.name, "").empty()) {
      return Wrong(command, absl::StrCat("--", flag.name, "=", flag.value, " is missing"));
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

PassphraseSource Arguments::GetPassphraseSource(const std::string& name) const {
  return PassphraseSource{
      .value = Get(name), .file = Get(absl::StrCat(name, "_file")), .flag = name};
}

std::string HelpFor(const Command& command) {
  std::string text = absl::StrCat("ca ", command.name, ": ", command.summary, "\n\n",
                                  command.details, "\n\nFlags:\n");
  for (const Flag& flag : command.flags) {
    absl::StrAppend(&text, HelpLine(flag));
  }
  return text;
}

std::string HelpForAll(const std::vector<Command>& commands) {
  std::string text =
      "ca: a private certificate authority for trying out and testing mutual TLS.\n\n"
      "  ca COMMAND --flag=value ...\n"
      "  ca help COMMAND\n\nCommands:\n";
  for (const Command& command : commands) {
    absl::StrAppend(&text, absl::StrFormat("  %-12s %s\n", command.name, command.summary));
  }
  absl::StrAppend(&text,
                  "\nNAME is a path without ending: --out=pki/web writes pki/web.crt, pki/web.key\n"
                  "and pki/web.chain.crt, and --ca=pki/web reads them. Times are offsets from now\n"
                  "(-1d, 12h, 90s) or like 2030-01-31T12:00:00Z. Nothing is overwritten without\n"
                  "--force. Exit code: 0 done, 1 failed, 2 wrong command line.\n");
  return text;
}

}  // namespace postern::ca
