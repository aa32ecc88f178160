// What a run has shown, for the summary, the JSON and the plot.
#ifndef POSTERN_TOOLS_LOAD_RESULTS_H_
#define POSTERN_TOOLS_LOAD_RESULTS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tools/load/options.h"
#include "tools/load/tally.h"

namespace postern::load {

// One second.
struct Row {
  size_t second = 0;    // since the start
  bool counted = true;  // not of the warm-up
  uint64_t due = 0;
  uint64_t answers = 0;
  uint64_t failed = 0;
  uint64_t full_handshakes = 0;
  uint64_t resumed_handshakes = 0;
  uint64_t open_connections = 0;
  uint64_t waiting = 0;
  int64_t p50_us = 0;
  int64_t p90_us = 0;
  int64_t p99_us = 0;
  int64_t p999_us = 0;
  int64_t max_us = 0;
};
Row RowOf(size_t second, bool counted, const Tally& tally);

struct CommandOutcome {
  std::string command;
  double began_s = 0;
  double ended_s = -1;  // -1: still ran at the end, and was stopped
  int exit_code = -1;   // 128 + N: signal N
};

struct NamedFate {
  std::string name;
  IdentityFate fate;
};

struct Results {
  std::string driver;  // for people
  std::vector<Row> rows;
  Tally total;  // of the seconds that count
  double counted_s = 0;
  double busy_share = 0;  // of the time, the workers' processors were at work
  std::vector<CommandOutcome> commands;
  std::vector<NamedFate> refused;  // identities that were
  size_t identities = 0;
  bool interrupted = false;
};

// "bad_certificate"; "alert 200" for one without a name (RFC 8446, 6).
std::string AlertName(uint8_t alert);

std::string ProgressLine(const Row& row);
std::string Summary(const Options& options, const Results& results);
std::string Json(const Options& options, const Results& results);
// Latency, rate and failures against time.
std::string Plot(const Options& options, const Results& results);

}  // namespace postern::load

#endif  // POSTERN_TOOLS_LOAD_RESULTS_H_
