// What the command line asks for, checked. No file has been read and no name resolved.
#ifndef POSTERN_TOOLS_LOAD_OPTIONS_H_
#define POSTERN_TOOLS_LOAD_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "src/config/config.h"
#include "tools/load/schedule.h"

namespace postern::load {

struct Url {
  bool tls = true;
  std::string host;  // without brackets
  uint16_t port = 0;
  std::string authority;  // as written
  std::string target;     // path and query
};
absl::StatusOr<Url> ParseUrl(std::string_view text);

// How often a request comes upon a new connection with a full handshake, one that resumes, and one
// that stands already.
struct Mix {
  uint32_t full = 0;
  uint32_t resumed = 0;
  uint32_t kept = 1;
  uint32_t sum() const { return full + resumed + kept; }
};
// "full:20,resumed:30,kept:50"; what is not named has no share.
absl::StatusOr<Mix> ParseMix(std::string_view text);

struct TimedCommand {
  double at_s = 0;
  std::string command;  // for sh -c
};

struct Options {
  Url url;
  std::string connect;  // HOST:PORT; empty: that of the URL
  // TLS.
  std::string ca_file;  // empty: the system's
  bool insecure = false;
  std::string certificate_file;
  std::string key_file;
  std::string identities_folder;
  std::optional<config::TlsPolicy> policy;
  // Requests.
  bool http2 = false;
  bool handshakes_only = false;
  std::string method = "GET";
  std::vector<std::string> headers;  // "name: value"
  std::string body_file;
  uint64_t body_bytes = 0;
  // Load.
  std::vector<Stage> stages;  // empty: the closed loop
  bool poisson = false;
  size_t connections = 0;
  size_t streams = 1;
  size_t threads = 1;
  Mix mix;
  double duration_s = 0;
  double warm_up_s = 0;
  double ramp_up_s = 0;
  uint64_t operations = 0;  // 0: as many as fit in the time
  int64_t timeout_ms = 0;
  uint64_t seed = 0;
  std::vector<TimedCommand> commands;
  config::Io io = config::Io::kAuto;
  // Output.
  std::string json_file;
  std::string plot_file;
  bool quiet = false;
  bool help = false;
};

absl::StatusOr<Options> ParseOptions(const std::vector<std::string>& words);
std::string HelpText();

}  // namespace postern::load

#endif  // POSTERN_TOOLS_LOAD_OPTIONS_H_
