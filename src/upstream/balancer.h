// Weighted round robin of one group in one shard. The rotation is shared by all shards through the
// group's cursor, so that even one slow client sees the servers alternate whichever shard serves
// it; a busy shard claims several slots at once and touches the shared line seldom.
#ifndef POSTERN_SRC_UPSTREAM_BALANCER_H_
#define POSTERN_SRC_UPSTREAM_BALANCER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "src/upstream/health_table.h"

namespace postern::upstream {

class Balancer {
 public:
  static constexpr size_t kNone = SIZE_MAX;

  // Members are the table's rows [first_row, first_row + count). `table` outlives this.
  Balancer(HealthTable* table, size_t group_index, size_t first_row, size_t count, bool fail_open);

  // The next member of the rotation (0 .. count-1), or kNone when there is none to use. `now_ms` is
  // monotonic.
  size_t Next(int64_t now_ms);

  // Another member for a second attempt, preferably not `tried`; claims nothing of the rotation.
  size_t NextAfter(size_t tried);

  // True while every server is down and all are used regardless.
  bool failing_open() const { return failing_open_; }

 private:
  void Refresh();
  void Spread(std::vector<uint32_t>* weights);
  bool Usable(size_t member, bool also_unhealthy) const;
  void UpdateBatch(int64_t now_ms);

  HealthTable* table_;
  size_t group_index_;
  size_t first_row_;
  size_t count_;
  bool fail_open_;
  bool failing_open_ = false;
  bool fresh_ = false;
  uint64_t version_ = 0;
  std::vector<uint16_t> sequence_;  // weighted order of the usable members, evenly spread
  uint64_t claimed_ = 0;            // next claimed slot
  uint64_t claimed_end_ = 0;
  uint32_t batch_ = 1;
  uint32_t picks_ = 0;  // since window_start_ms_
  int64_t window_start_ms_ = 0;
};

}  // namespace postern::upstream

#endif  // POSTERN_SRC_UPSTREAM_BALANCER_H_
