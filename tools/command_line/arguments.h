// Command lines of the tools: "--flag=value ...". Each has a table of its flags, from which both
// the parser and the help text live.
#ifndef POSTERN_TOOLS_COMMAND_LINE_ARGUMENTS_H_
#define POSTERN_TOOLS_COMMAND_LINE_ARGUMENTS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace postern::command_line {

struct Flag {
  absl::string_view name;
  absl::string_view value;  // what stands for the value in the help; empty: a switch without value
  absl::string_view help;
  enum Kind {
    kOptional,
    kRequired,
    kList,      // may be repeated; commas separate values too
    kRepeated,  // may be repeated; a comma is part of the value
  } kind = kOptional;
};

class Arguments {
 public:
  // For messages: whose flags they are, and the command that explains them.
  struct Program {
    absl::string_view name;
    absl::string_view help;
  };

  // "--flag value" and "--flag=value" are the same, and so are '-' and '_' in names. Words that
  // follow no flag go to `others`; null: there must be none.
  static absl::StatusOr<Arguments> Parse(const Program& program, const std::vector<Flag>& flags,
                                         const std::vector<std::string>& words,
                                         std::vector<std::string>* others = nullptr);

  bool Has(absl::string_view flag) const;
  std::optional<std::string> Get(absl::string_view flag) const;
  std::string Get(absl::string_view flag, absl::string_view otherwise) const;
  std::vector<std::string> GetList(absl::string_view flag) const;
  // An integer in [min, max].
  absl::StatusOr<int64_t> GetInt(absl::string_view flag, int64_t otherwise, int64_t min,
                                 int64_t max) const;
  // A number in [min, max], with a fraction perhaps.
  absl::StatusOr<double> GetNumber(absl::string_view flag, double otherwise, double min,
                                   double max) const;

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

// A line for each flag.
std::string FlagsHelp(const std::vector<Flag>& flags);

}  // namespace postern::command_line

#endif  // POSTERN_TOOLS_COMMAND_LINE_ARGUMENTS_H_
