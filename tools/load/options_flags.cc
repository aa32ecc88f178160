#include "tools/load/options_flags.h"

#include "absl/strings/str_cat.h"
#include "tools/load/options.h"

namespace postern::load {
namespace {

using command_line::Flag;

std::vector<Flag> TargetFlags() {
  return {
      {"connect", "HOST:PORT", "connect there, whatever the URL's host"},
      {"ca", "FILE", "who vouches for the server (default: the system's)"},
      {"insecure", "", "take any server"},
      {"cert", "FILE", "our certificate, with its intermediates"},
      {"key", "FILE", "and its private key"},
      {"identities", "FOLDER", "many of them: NAME.crt (or NAME.chain.crt) and NAME.key"},
      {"tls", "1.2", "no TLS 1.3"},
      {"http", "1.1|2", "version of HTTP (default: 1.1)"},
      {"method", "METHOD", "default: GET, or POST with a body"},
      {"header", "'NAME: VALUE'", "a further header field", Flag::kRepeated},
      {"body_file", "FILE", "body of every request"},
      {"body_bytes", "N", "the same, of N bytes"},
  };
}

std::vector<Flag> LoadShapeFlags() {
  return {
      {"connections", "N", "at most so many at once (10; with --rate 100)"},
      {"streams", "N", "HTTP/2: requests on each at once (1)"},
      {"threads", "N", "workers (1)"},
      {"rate", "STAGES", "open loop: requests a second, see above"},
      {"arrivals", "even|poisson", "their spacing (even)"},
      {"mix", "SHARES", "full:W,resumed:W,kept:W (kept:1), see above"},
      {"handshakes_only", "", "no requests: connect, shake hands, leave"},
      {"duration", "TIME", "default: 10s"},
      {"operations", "N", "closed loop: end after so many"},
      {"warm_up", "TIME", "not counted at the beginning (0s)"},
      {"ramp_up", "TIME", "closed loop: until all connections work (0s)"},
      {"timeout", "TIME", "of one request, waiting included (10s)"},
      {"at", "TIME:COMMAND", "run a shell command in mid-run", Flag::kRepeated},
      {"seed", "N", "of all that is drawn (0)"},
      {"io", "auto|uring|epoll", "how to speak to the kernel (auto)"},
      {"json", "FILE", "the results as JSON"},
      {"plot", "FILE", "latency and rate against time, as SVG"},
      {"quiet", "", "no line a second"},
  };
}

constexpr absl::string_view kIntroduction =
    R"(load: load for HTTPS servers that want to see certificates.

  load [--flag=value ...] https://HOST[:PORT]/PATH

Closed loop (without --rate): each of --connections, times --streams, makes its next
request when the answer to the last one is there. Says how much a server does at most.

Open loop (--rate): requests are due at times of their own, whether or not the server keeps
up; latency counts from when a request was due, so that a server which stalls is charged for
all who would have come meanwhile. --rate=500 for --duration, or stages:
--rate=100..2000/30s,2000/1m,0/5s.

--mix: each request comes upon a connection that stands (kept), a new one that resumes a
session (resumed) or a new one that does not (full); by shares: --mix=full:1,resumed:9,kept:90.
Each new connection is made by the next identity in turn. One that is to resume and has no
session yet makes a full handshake, and counts as such.

Revocation in mid-run:
  --at='10s:ca revoke --ca=pki/ca --cert=c7.crt && ca crl --ca=pki/ca --out=pki/ca.crl'.
The summary says which identities were refused, since when, and whether any was answered
after its first refusal.

)";

constexpr absl::string_view kEpilogue =
    "\nExit code: 0 there were answers, 1 there were none or the run failed, 2 wrong command "
    "line.\n";

}  // namespace

std::vector<Flag> LoadFlags() {
  std::vector<Flag> flags = TargetFlags();
  for (const Flag& flag : LoadShapeFlags()) {
    flags.push_back(flag);
  }
  return flags;
}

std::string HelpText() {
  return absl::StrCat(kIntroduction, "Whom, and what for:\n",
                      command_line::FlagsHelp(TargetFlags()), "\nHow much, and what of it:\n",
                      command_line::FlagsHelp(LoadShapeFlags()), kEpilogue);
}

}  // namespace postern::load
