// The command line: "ca COMMAND --flag=value ...". Each command has a table of its flags, from
// which both the parser and the help text live.
#ifndef POSTERN_TOOLS_CA_ARGUMENTS_H_
#define POSTERN_TOOLS_CA_ARGUMENTS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/ca/passphrase.h"

namespace postern::ca {

struct Flag {
  absl::string_view name;
  absl::string_view value;  // what stands for the value in the help; empty: a switch without value
  absl::string_view help;
  enum Kind {
    kOptional,
    kRequired,
    kList,  // may be repeated; commas separate values too
  } kind = kOptional;
};

class Arguments {
 public:
  // `words` follow the command. "--flag value" and "--flag=value" are the same, and so are '-' and
  // '_' in names.
  static absl::StatusOr<Arguments> Parse(absl::string_view command, const std::vector<Flag>& flags,
                                         const std::vector<std::string>& words);

  bool Has(absl::string_view flag) const;
  std::optional<std::string> Get(absl::string_view flag) const;
  std::string Get(absl::string_view flag, absl::string_view otherwise) const;
  std::vector<std::string> GetList(absl::string_view flag) const;
  // An integer in [min, max].
  absl::StatusOr<int64_t> GetInt(absl::string_view flag, int64_t otherwise, int64_t min,
                                 int64_t max) const;
  // From --NAME and --NAME_file.
  PassphraseSource GetPassphraseSource(const std::string& name) const;

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

struct Command {
  absl::string_view name;
  absl::string_view summary;  // one line
  absl::string_view details;  // what it writes, and an example
  std::vector<Flag> flags;
  // Returns what to print.
  absl::StatusOr<std::string> (*run)(const Arguments& arguments);
};

std::string HelpFor(const Command& command);
std::string HelpForAll(const std::vector<Command>& commands);

}  // namespace postern::ca

#endif  // POSTERN_TOOLS_CA_ARGUMENTS_H_
