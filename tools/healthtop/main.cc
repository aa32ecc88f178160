// healthtop: the health table of a running postern, live.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "src/base/standard_streams.h"
#include "tools/command_line/arguments.h"
#include "tools/healthtop/process.h"
#include "tools/healthtop/view.h"

namespace postern::healthtop {
namespace {

using command_line::Arguments;
using command_line::Flag;

// The cursor to the top, and everything away.
constexpr char kClear[] = "\x1b[H\x1b[2J";
constexpr std::chrono::seconds kRefresh(1);

std::vector<Flag> Flags() {
  return {{"pid", "N", "the process; without it, the only one that is called postern"},
          {"once", "", "print it once, for scripts, instead of every second"},
          {"proc", "DIR", "where processes are seen; default /proc"}};
}

std::string Help() {
  return absl::StrCat(
      "healthtop: what a running postern knows of its servers, every second, from the memory\n"
      "its own threads use. Root, and the process's own user, are shown it.\n\n"
      "  STATE     unknown (not checked yet), healthy, unhealthy, disabled (weight 0)\n"
      "  SINCE     how long it has been so\n"
      "  CHECKED   how long ago the last check ended\n"
      "  ERROR     why the last check failed\n"
      "  REQUESTS, FAILURES (no connection, or no response), ACTIVE now: of all shards\n\n"
      "Exit code: 0 done, 1 failed (also when the process ends), 2 wrong command line.\n\nFlags:\n",
      command_line::FlagsHelp(Flags()));
}

int64_t WallMs() {
  auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
}

absl::Status Print(const std::string& text) {
  bool printed = std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
  return printed ? absl::OkStatus() : absl::UnavailableError("cannot write to standard output");
}

absl::Status Run(const std::vector<std::string>& words) {
  auto arguments = Arguments::Parse({"healthtop", "healthtop --help"}, Flags(), words);
  if (!arguments.ok()) {
    return arguments.status();
  }
  auto pid = arguments->GetInt("pid", 0, 1, INT32_MAX);
  if (!pid.ok()) {
    return pid.status();
  }
  const std::string proc = arguments->Get("proc", "/proc");
  absl::StatusOr<int> process = static_cast<int>(*pid);
  if (*process == 0) {
    process = FindProcess(proc);
  }
  if (!process.ok()) {
    return process.status();
  }
  const bool once = arguments->Has("once");
  const bool terminal = isatty(STDOUT_FILENO) == 1;
  while (true) {
    // Looked for anew each time: a reload may have brought other servers.
    auto table = OpenTable(proc, *process);
    if (!table.ok()) {
      return table.status();
    }
    absl::Status status =
        Print(absl::StrCat(terminal && !once ? kClear : "", Describe(**table, *process, WallMs())));
    if (once || !status.ok()) {
      return status;
    }
    std::this_thread::sleep_for(kRefresh);
  }
}

}  // namespace
}  // namespace postern::healthtop

int main(int argc, char** argv) {
  if (!postern::base::SecureStandardStreams()) {
    return 1;
  }
  const std::vector<std::string> words(argv + 1, argv + argc);
  for (const std::string& word : words) {
    if (word == "--help" || word == "-h") {
      std::fputs(postern::healthtop::Help().c_str(), stdout);
      return 0;
    }
  }
  const absl::Status status = postern::healthtop::Run(words);
  if (status.ok()) {
    return 0;
  }
  std::fprintf(stderr, "healthtop: %s\n", std::string(status.message()).c_str());
  return status.code() == absl::StatusCode::kInvalidArgument ? 2 : 1;
}
