// Generations of the configuration in one shard: takes a new one, moves the living connections on
// to it a few each turn, and says when nobody uses an old one any more.
#ifndef POSTERN_SRC_SHARD_ROLLOUT_H_
#define POSTERN_SRC_SHARD_ROLLOUT_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "src/base/status_fwd.h"
#include "src/proxy/env.h"
#include "src/shard/acceptors.h"

namespace postern::shard {

class Rollout {
 public:
  // Both outlive this.
  Rollout(proxy::Env* env, Acceptors* acceptors) : env_(env), acceptors_(acceptors) {}

  // Nothing of the running generation changes before Commit.
  absl::Status Prepare(proxy::Serving* next, const std::vector<uint16_t>& ports);
  void Abort();
  // From here on every request is judged by the new generation before it is forwarded.
  void Commit();

  // Some of the connections that have not moved on yet. Called once a turn.
  void Advance();
  // Connections are still to be looked at: the next turn follows at once.
  bool scanning() const { return cursor_ != kDone; }
  // Generations wait for their last user.
  bool has_retired() const { return !retired_.empty(); }
  // A generation that nobody uses, taken out; 0: none.
  uint64_t TakeReleased();

 private:
  static constexpr size_t kDone = SIZE_MAX;

  proxy::Env* env_;
  Acceptors* acceptors_;
  proxy::Serving* prepared_ = nullptr;
  std::vector<proxy::Serving*> retired_;
  size_t cursor_ = kDone;  // the connection's slot that is looked at next
};

}  // namespace postern::shard

#endif  // POSTERN_SRC_SHARD_ROLLOUT_H_
