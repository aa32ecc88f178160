// Tells a service manager how the process is, in the words of sd_notify(3): ready, reloading,
// stopping, and that it is alive. It only finds the words and the times; what sends them is given,
// so that tests and simulations hear them too. Without a sender everything here does nothing. Part
// of the control thread.
//
// The watchdog vouches for the shards too: the control thread asks each of them for its state, and
// only once all have answered is WATCHDOG=1 sent. A shard that hangs leaves the round open, and the
// manager ends the process.
#ifndef POSTERN_SRC_CONTROL_NOTIFIER_H_
#define POSTERN_SRC_CONTROL_NOTIFIER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace postern::control {

class Notifier {
 public:
  struct Options {
    // Sends one message; null: nobody listens. Blocks only for a bounded moment.
    std::function<absl::Status(std::string_view message)> send;
    // Told of the first message that could not be sent; null: nobody is.
    std::function<void(const std::string& problem)> complain;
    // After this much silence the manager ends the process; 0: it does not watch.
    int64_t watchdog_ms = 0;
  };
  Notifier() = default;
  explicit Notifier(Options options) : options_(std::move(options)) {}

  // Every shard accepts: the first time, and at the end of each reload. `status` is one line for
  // people, here and below. The watchdog runs from here on.
  void Ready(std::string_view status, int64_t now_ms);
  // A reload has begun; it ends with Ready. `now_us` is CLOCK_MONOTONIC, by which the manager tells
  // this reload from one that had begun before it asked.
  void Reloading(int64_t now_us);
  // The process is ending, and may take this long; may be said again.
  void Stopping(std::string_view status, int64_t patience_ms);
  // Says nothing if it was the last one said, also by the above.
  void Status(std::string_view status);
  // Another process serves from now on: the manager watches and signals that one.
  void MainPid(int64_t pid);

  // Whether it is time to ask the shards. Then Asked, with the round that was begun.
  bool AskDue(int64_t now_ms) const { return round_ == 0 && now_ms >= ask_ms_; }
  void Asked(uint64_t round, int64_t now_ms);
  // Every shard has answered `round` and those before it.
  void Answered(uint64_t round);
  // When AskDue will be true; base::kNever: not before an answer.
  int64_t DeadlineMs() const;

 private:
  void Send(const std::string& message);
  std::string StatusLine(std::string_view status);

  Options options_;
  bool complained_ = false;
  std::string status_;          // the last one
  uint64_t round_ = 0;          // that the shards have been asked for; 0: none is open
  int64_t ask_ms_ = INT64_MAX;  // the next one
};

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_NOTIFIER_H_
