// How the control thread asks all shards for their state, one round of questions at a time.
#include <algorithm>
#include <memory>
#include <utility>

#include "src/base/check.h"
#include "src/control/control.h"

namespace postern::control {

void Control::FinishRound() {
  std::sort(arriving_.begin(), arriving_.end(),
            [](const shard::Snapshot& a, const shard::Snapshot& b) {
              return a.shard_index < b.shard_index;
            });
  snapshots_ = std::move(arriving_);
  arriving_.clear();
  round_done_ = round_running_;
  round_running_ = 0;
}

bool Control::RoundComplete() const {
  for (size_t i = 0; i < options_.shards.size(); ++i) {
    bool answered =
        std::any_of(arriving_.begin(), arriving_.end(),
                    [i](const shard::Snapshot& snapshot) { return snapshot.shard_index == i; });
    if (!answered && !options_.shards[i].ended) {
      return false;
    }
  }
  return true;
}

uint64_t Control::RequestSnapshots() {
  // A round that is being answered may be older than the question; a further one follows it.
  round_asked_ = std::max(round_running_, round_done_) + 1;
  if (round_running_ == 0) {
    SendSnapshotRequests();
  }
  return round_asked_;
}

void Control::SendSnapshotRequests() {
  round_running_ = round_asked_;
  for (Peer& peer : options_.shards) {
    if (peer.ended) {
      continue;
    }
    shard::ToShard message;
    message.kind = shard::ToShard::Kind::kSnapshot;
    message.snapshot = std::make_unique<shard::Snapshot>();
    message.snapshot->round = round_running_;
    message.log_level = log_.level();
    // One round at a time: the queue always has room.
    CHECK(peer.mailbox->to_shard.TryPush(std::move(message)));
    peer.waker->Wake();
  }
}

}  // namespace postern::control
