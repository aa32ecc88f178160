#include "src/shard/hand_off.h"

#include <algorithm>
#include <utility>

#include "src/base/check.h"

namespace postern::shard {
namespace {

// Looking at all shards costs a cache miss each: not for every connection.
constexpr int64_t kLookUs = 10'000;
// Fewer connections above the mean than this, or than this part of it, are not worth a hand-off.
constexpr size_t kSlackMin = 8;
constexpr size_t kSlackPart = 16;

// In the place of a list's newest element: the list is closed. Never dereferenced, nor a member of
// a list.
Handed* Closed() {
  static Handed closed;
  return &closed;
}

// A list has its newest element first; whoever takes it wants the oldest first.
std::unique_ptr<Handed> Reversed(Handed* newest) {
  std::unique_ptr<Handed> rest(newest);
  std::unique_ptr<Handed> oldest;
  while (rest != nullptr) {
    std::unique_ptr<Handed> next = std::move(rest->next);
    rest->next = std::move(oldest);
    oldest = std::move(rest);
    rest = std::move(next);
  }
  return oldest;
}

}  // namespace

HandOff::HandOff(std::vector<io::Waker*> wakers)
    : lines_(wakers.size()), lists_(wakers.size()), wakers_(std::move(wakers)) {}

HandOff::~HandOff() {
  for (List& list : lists_) {
    Handed* newest = list.newest.load(std::memory_order_acquire);
    CHECK(newest == nullptr || newest == Closed());
  }
}

void HandOff::Publish(size_t index, size_t connections, uint64_t generation) {
  Line& line = lines_[index];
  // Only what has changed: an unchanged line stays shared with those who have read it.
  if (line.connections.load(std::memory_order_relaxed) != connections) {
    line.connections.store(connections, std::memory_order_relaxed);
  }
  if (line.generation.load(std::memory_order_relaxed) != generation) {
    line.generation.store(generation, std::memory_order_relaxed);
  }
}

std::unique_ptr<Handed> HandOff::Take(size_t index) {
  std::atomic<Handed*>& newest = lists_[index].newest;
  Handed* seen = newest.load(std::memory_order_relaxed);
  if (seen == nullptr || seen == Closed()) {
    return nullptr;
  }
  return Reversed(newest.exchange(nullptr, std::memory_order_acquire));
}

std::unique_ptr<Handed> HandOff::Close(size_t index) {
  lines_[index].generation.store(0, std::memory_order_relaxed);
  Handed* seen = lists_[index].newest.exchange(Closed(), std::memory_order_acquire);
  return seen == Closed() ? nullptr : Reversed(seen);
}

bool HandOff::Give(size_t to, std::unique_ptr<Handed>* handed) {
  std::atomic<Handed*>& newest = lists_[to].newest;
  Handed* seen = newest.load(std::memory_order_relaxed);
  do {
    (*handed)->next.release();  // of the last attempt: it is still the list's
    if (seen == Closed()) {
      return false;
    }
    (*handed)->next.reset(seen);
    // The release pairs with the acquire of whoever takes. Elements are never put back, and a taker
    // takes all of them at once: that another element has the same address meanwhile does no harm.
  } while (!newest.compare_exchange_weak(seen, handed->get(), std::memory_order_release,
                                         std::memory_order_relaxed));
  handed->release();
  wakers_[to]->Wake();
  return true;
}

bool HandOff::Serves(size_t index, uint64_t generation) const {
  return lines_[index].generation.load(std::memory_order_relaxed) == generation;
}

size_t HandOff::Connections(size_t index) const {
  return lines_[index].connections.load(std::memory_order_relaxed);
}

size_t Spread::Choose(size_t connections, uint64_t generation, int64_t now_us) {
  if (hand_off_ == nullptr || hand_off_->shards() < 2) {
    return index_;
  }
  if (now_us - looked_us_ >= kLookUs) {
    looked_us_ = now_us;
    Look(connections, generation);
  }
  if (surplus_ == 0) {
    return index_;
  }
  --surplus_;
  // The better of two at random, so that not all shards give to the same one before anybody has
  // looked again.
  size_t one = Draw();
  size_t other = Draw();
  size_t better = hand_off_->Connections(one) <= hand_off_->Connections(other) ? one : other;
  bool good = hand_off_->Serves(better, generation) && hand_off_->Connections(better) < mean_;
  return good ? better : index_;
}

void Spread::Look(size_t connections, uint64_t generation) {
  size_t sum = 0;
  size_t count = 0;
  for (size_t i = 0; i < hand_off_->shards(); ++i) {
    if (i == index_ || hand_off_->Serves(i, generation)) {
      sum += i == index_ ? connections : hand_off_->Connections(i);
      ++count;
    }
  }
  mean_ = sum / count;
  size_t slack = std::max(kSlackMin, mean_ / kSlackPart);
  surplus_ = connections > mean_ + slack ? connections - mean_ : 0;
}

// Any shard but this one, by a generator of Marsaglia's (xorshift64).
size_t Spread::Draw() {
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  size_t drawn = random_ % (hand_off_->shards() - 1);
  return drawn < index_ ? drawn : drawn + 1;
}

}  // namespace postern::shard
