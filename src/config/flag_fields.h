// Which flag sets which field of the schema: one table, read in both directions.
#ifndef POSTERN_SRC_CONFIG_FLAG_FIELDS_H_
#define POSTERN_SRC_CONFIG_FLAG_FIELDS_H_

#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "src/config/diagnostics.h"
#include "src/config/flag_values.h"
#include "src/config/schema.h"

namespace postern::config {

// Where FlagValues keeps a flag.
using FlagMember =
    std::variant<std::optional<std::string> FlagValues::*,
                 std::optional<std::vector<std::string>> FlagValues::*,
                 std::optional<uint32_t> FlagValues::*, std::optional<bool> FlagValues::*,
                 std::optional<absl::Duration> FlagValues::*>;

struct FlagField {
  const char* flag;
  // In proto::Config. Without an index, a repeated message means the first.
  const char* path;
  FlagMember member;
  bool by_hand = false;  // the flag needs more than copying
};

std::span<const FlagField> FlagFields();

// Whether the flag is about the process; otherwise it is about a listener, its TLS sessions, or a
// server group.
bool IsOfProcess(const FlagField& entry);

bool IsGiven(const FlagField& entry, const FlagValues& values);

// Copies a flag that was given into its field, making the messages on the way.
void SetField(const FlagField& entry, const FlagValues& values, proto::Config* out,
              Diagnostics* diagnostics);

// "--listen" for "listeners[0].address"; "--backend number 2: port" for
// "server_groups[0].servers[1].port". A field that no flag sets keeps its path.
std::string FlagOfPath(const std::string& path);

}  // namespace postern::config

#endif  // POSTERN_SRC_CONFIG_FLAG_FIELDS_H_
