#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "src/base/standard_streams.h"
#include "tools/ca/commands.h"
#include "tools/ca/errors.h"
#include "tools/command_line/callers_directory.h"

namespace postern::ca {
namespace {

std::vector<Command> AllCommands() {
  std::vector<Command> all = IssueCommands();
  for (const std::vector<Command>& more : {ExportCommands(), RevocationCommands()}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  all.push_back(ShowCommand());
  return all;
}

absl::StatusOr<std::string> Run(std::vector<std::string> words) {
  const std::vector<Command> commands = AllCommands();
  const auto find = [&commands](const std::string& name) {
    return std::find_if(commands.begin(), commands.end(),
                        [&name](const Command& c) { return c.name == name; });
  };
  if (words.empty()) {
    return absl::InvalidArgumentError("what to do? See 'ca help'");
  }
  const bool help_first = words[0] == "help" || words[0] == "--help" || words[0] == "-h";
  if (help_first && words.size() == 1) {
    return HelpForAll(commands);
  }
  const std::string name = help_first ? words[1] : words[0];
  const auto command = find(name);
  if (command == commands.end()) {
    return absl::InvalidArgumentError(absl::StrCat("unknown command '", name, "'; see 'ca help'"));
  }
  words.erase(words.begin());
  if (help_first || std::find(words.begin(), words.end(), "--help") != words.end()) {
    return HelpFor(*command);
  }
  CA_RETURN_IF_ERROR(command_line::EnterCallersDirectory());
  const std::string help = absl::StrCat("ca help ", name);
  CA_ASSIGN_OR_RETURN(const Arguments arguments,
                      Arguments::Parse({name, help}, command->flags, words));
  return command->run(arguments);
}

}  // namespace
}  // namespace postern::ca

int main(int argc, char** argv) {
  if (!postern::base::SecureStandardStreams()) {
    return 1;
  }
  const absl::StatusOr<std::string> result =
      postern::ca::Run(std::vector<std::string>(argv + 1, argv + argc));
  if (result.ok()) {
    const bool printed = std::fputs(result->c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
    return printed ? 0 : 1;
  }
  std::fprintf(stderr, "ca: %s\n", std::string(result.status().message()).c_str());
  return result.status().code() == absl::StatusCode::kInvalidArgument ? 2 : 1;
}
