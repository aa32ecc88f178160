// What was seen: counts and latencies of one span of time. Workers fill one a second and hand it
// over; the main thread adds them up.
#ifndef POSTERN_TOOLS_LOAD_TALLY_H_
#define POSTERN_TOOLS_LOAD_TALLY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>

#include "src/base/histogram.h"

namespace postern::load {

// What a request came upon. kResumed that finds no session of its client is counted as kFull.
enum class Kind : uint8_t { kFull, kResumed, kKept };
inline constexpr size_t kKinds = 3;
std::string_view NameOf(Kind kind);

// Why a request has no answer.
enum class Failure : uint8_t {
  kConnect,            // refused, unreachable, or no socket to be had here
  kRefusedByServer,    // its alert ended TLS: it does not take this client, for one
  kServerCertificate,  // we do not trust it
  kTls,                // anything else about TLS
  kClosed,             // by the server, before or in the answer
  kStreamReset,        // HTTP/2: by the server
  kMalformed,          // what came is no HTTP
  kTimeout,
  kNotSent,  // more requests were waiting than there is memory for
};
inline constexpr size_t kFailures = 9;
std::string_view NameOf(Failure failure);

struct Tally {
  // From when the request was due until its answer was complete.
  std::array<base::Histogram, kKinds> latency;
  // From connect until TLS stood: full, resumed.
  std::array<base::Histogram, 2> handshake;
  uint64_t declined = 0;                      // of the full ones: those that had offered a session
  std::array<uint64_t, 6> status_class = {};  // [2]: 2xx; [0]: handshakes without a request
  std::array<uint64_t, kFailures> failures = {};
  std::map<uint8_t, uint64_t> alerts;  // that servers refused us with, by number
  uint64_t due = 0;                    // requests
  uint64_t body_bytes = 0;
  int64_t last_us = 0;  // when the last answer came, since the start
  // As of the end of the span.
  uint64_t open_connections = 0;
  uint64_t waiting = 0;  // requests that are due and not answered
  // Of the worker: how much of the time its processor was its own.
  int64_t busy_us = 0;

  // Gauges are added too: those of several workers at one time.
  void Add(const Tally& other);
  uint64_t answers() const;
  uint64_t failed() const;
  base::Histogram AllLatencies() const;
};

// What became of one client, for those that were refused.
struct IdentityFate {
  uint64_t answers = 0;
  uint64_t refusals = 0;
  uint64_t answers_after_refusal = 0;
  int64_t last_answer_us = -1;  // since the start
  int64_t first_refusal_us = -1;

  void Add(const IdentityFate& other);
};

}  // namespace postern::load

#endif  // POSTERN_TOOLS_LOAD_TALLY_H_
