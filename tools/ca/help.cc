#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tools/ca/commands.h"

namespace postern::ca {

std::string HelpFor(const Command& command) {
  return absl::StrCat("ca ", command.name, ": ", command.summary, "\n\n", command.details,
                      "\n\nFlags:\n", command_line::FlagsHelp(command.flags));
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
                  "(-1d, 12h, 90s) or like 2030-01-31T12:00:00Z. Keys and certificates are\n"
                  "overwritten with --force only, lists always. Exit code: 0 done, 1 failed,\n"
                  "2 wrong command line.\n");
  return text;
}

}  // namespace postern::ca
