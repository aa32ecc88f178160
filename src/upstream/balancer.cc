#include "src/upstream/balancer.h"

#include <algorithm>
#include <numeric>

namespace postern::upstream {
namespace {

// What building a rotation may cost: its length times the number of members, a few milliseconds on
// every shard whenever a server changes its state. Weights that would make a longer one are
// rounded.
constexpr uint64_t kSpreadSteps = 4'000'000;

// Batches are sized from the pick rate of the last window of this length.
constexpr int64_t kWindowMs = 200;
constexpr uint32_t kBatchMax = 64;
// A batch holds at most a hundredth of a second's picks: rotation stays visible to a slow client.
constexpr int64_t kBatchesPerSecond = 100;

}  // namespace

Balancer::Balancer(HealthTable* table, size_t group_index, size_t first_row, size_t count,
                   bool fail_open)
    : table_(table),
      group_index_(group_index),
      first_row_(first_row),
      count_(count),
      fail_open_(fail_open) {}

bool Balancer::Usable(size_t member, bool also_unhealthy) const {
  const ServerLine& line = table_->server(first_row_ + member);
  ServerState state = line.state.load(std::memory_order_relaxed);
  return line.weight.load(std::memory_order_relaxed) > 0 &&
         line.drained.load(std::memory_order_relaxed) == 0 && state != ServerState::kDisabled &&
         (also_unhealthy || state != ServerState::kUnhealthy);
}

void Balancer::Refresh() {
  uint64_t version = table_->group(group_index_).version.load(std::memory_order_acquire);
  if (fresh_ && version == version_) {
    return;
  }
  fresh_ = true;
  version_ = version;
  std::vector<uint32_t> weights(count_, 0);
  uint32_t divisor = 0;
  failing_open_ = false;
  for (int pass = 0; pass < 2 && divisor == 0; ++pass) {
    failing_open_ = pass == 1 && fail_open_;
    if (pass == 1 && !fail_open_) {
      break;
    }
    for (size_t i = 0; i < count_; ++i) {
      if (Usable(i, failing_open_)) {
        weights[i] = table_->server(first_row_ + i).weight.load(std::memory_order_relaxed);
        divisor = std::gcd(divisor, weights[i]);
      }
    }
  }
  sequence_.clear();
  if (divisor == 0) {
    failing_open_ = false;
    return;
  }
  for (uint32_t& weight : weights) {
    weight /= divisor;
  }
  Spread(&weights);
}

void Balancer::Spread(std::vector<uint32_t>* weights) {
  uint64_t total = std::accumulate(weights->begin(), weights->end(), uint64_t{0});
  uint64_t longest = std::max<uint64_t>(kSpreadSteps / weights->size(), weights->size());
  if (total > longest) {
    uint64_t rounded = 0;
    for (uint32_t& weight : *weights) {
      weight =
          weight == 0 ? 0 : static_cast<uint32_t>(std::max<uint64_t>(weight * longest / total, 1));
      rounded += weight;
    }
    total = rounded;
  }
  // Smooth weighted round robin: each step everybody gains its weight, the richest is picked and
  // pays the total.
  std::vector<int64_t> credit(weights->size(), 0);
  for (uint64_t step = 0; step < total; ++step) {
    size_t best = 0;
    for (size_t i = 0; i < weights->size(); ++i) {
      credit[i] += (*weights)[i];
      if ((*weights)[i] > 0 && ((*weights)[best] == 0 || credit[i] > credit[best])) {
        best = i;
      }
    }
    credit[best] -= static_cast<int64_t>(total);
    sequence_.push_back(static_cast<uint16_t>(best));
  }
}

void Balancer::UpdateBatch(int64_t now_ms) {
  ++picks_;
  int64_t elapsed_ms = now_ms - window_start_ms_;
  if (elapsed_ms < kWindowMs) {
    return;
  }
  int64_t per_second = int64_t{picks_} * 1000 / elapsed_ms;
  batch_ = static_cast<uint32_t>(std::clamp<int64_t>(per_second / kBatchesPerSecond, 1, kBatchMax));
  picks_ = 0;
  window_start_ms_ = now_ms;
  // A shard that has become slow gives no old claims away: they would break the alternation seen
  // now.
  if (batch_ == 1) {
    claimed_ = claimed_end_;
  }
}

size_t Balancer::Next(int64_t now_ms) {
  Refresh();
  UpdateBatch(now_ms);
  if (sequence_.empty()) {
    return kNone;
  }
  if (claimed_ == claimed_end_) {
    claimed_ = table_->group(group_index_).cursor.fetch_add(batch_, std::memory_order_relaxed);
    claimed_end_ = claimed_ + batch_;
  }
  return sequence_[claimed_++ % sequence_.size()];
}

size_t Balancer::NextAfter(size_t tried) {
  Refresh();
  for (size_t i = 1; i <= count_; ++i) {
    size_t member = (tried + i) % count_;
    if (Usable(member, failing_open_)) {
      return member;
    }
  }
  return kNone;
}

}  // namespace postern::upstream
