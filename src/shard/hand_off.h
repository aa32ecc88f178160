// Connections that were just accepted, on their way from a shard with many to one with few: the
// kernel spreads them by a hash, evenly only in the mean. Nothing has been received on them, and no
// memory is theirs yet.
//
// Shared by all shards of a process. Each shard writes only its own line here in every day's work
// (how many connections it has); the list that it takes from is written by others when they give.
#ifndef POSTERN_SRC_SHARD_HAND_OFF_H_
#define POSTERN_SRC_SHARD_HAND_OFF_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "src/io/driver.h"

namespace postern::shard {

struct Handed {
  int descriptor = -1;  // as Driver::Export gave it
  // The listener that accepted it.
  std::string address;
  uint16_t port = 0;
  std::unique_ptr<Handed> next;
};

class HandOff {
 public:
  // `wakers`: of all shards. They outlive this.
  explicit HandOff(std::vector<io::Waker*> wakers);
  ~HandOff();
  HandOff(const HandOff&) = delete;
  HandOff& operator=(const HandOff&) = delete;

  size_t shards() const { return lines_.size(); }

  // By shard `index` itself. What it has, and in which configuration.
  void Publish(size_t index, size_t connections, uint64_t generation);
  // By shard `index` itself: what was given to it since the last time, oldest first; null: nothing.
  std::unique_ptr<Handed> Take(size_t index);
  // By shard `index` itself: from now on nothing can be given to it. What was given until then.
  std::unique_ptr<Handed> Close(size_t index);

  // From any shard. False (and `handed` untouched) when `to` is closed.
  bool Give(size_t to, std::unique_ptr<Handed>* handed);

  // Whether `index` serves `generation`, and how many connections it has; a recent value.
  bool Serves(size_t index, uint64_t generation) const;
  size_t Connections(size_t index) const;

 private:
  struct alignas(64) Line {
    std::atomic<size_t> connections{0};
    std::atomic<uint64_t> generation{0};  // 0: takes none
  };
  struct alignas(64) List {
    std::atomic<Handed*> newest{nullptr};
  };

  std::vector<Line> lines_;
  std::vector<List> lists_;
  std::vector<io::Waker*> wakers_;
};

// One shard's view: whether it has more than its share, and who has less.
class Spread {
 public:
  // `hand_off` outlives this; null: nothing is given away.
  Spread(HandOff* hand_off, size_t index)
      : hand_off_(hand_off), index_(index), random_(index + 1) {}

  // Where a connection that was accepted by this shard, which has `connections` and serves
  // `generation`, had better go: the shard itself, mostly.
  size_t Choose(size_t connections, uint64_t generation, int64_t now_us);

 private:
  void Look(size_t connections, uint64_t generation);
  size_t Draw();

  HandOff* hand_off_;
  size_t index_;
  uint64_t random_;
  int64_t looked_us_ = INT64_MIN / 2;
  size_t mean_ = 0;
  size_t surplus_ = 0;  // may still be given away before the next look
};

}  // namespace postern::shard

#endif  // POSTERN_SRC_SHARD_HAND_OFF_H_
