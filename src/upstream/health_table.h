// The health table: the only memory that two shards both touch. Flat, lock-free, in a memfd, so
// that a successor process can take it over and a tool can watch it.
//
// One cache line a server, written by the control thread alone. One line a (server, shard), written
// by that shard alone and summed by the status page. Two lines a group: its rotation cursor, which
// shards claim slots of, and its count of changes, which every pick reads. The names, for tools,
// stand behind all that. Readers never wait; nobody retries. All values of a line are independent
// of each other, so every access is relaxed unless said otherwise beside the field.
#ifndef POSTERN_SRC_UPSTREAM_HEALTH_TABLE_H_
#define POSTERN_SRC_UPSTREAM_HEALTH_TABLE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "src/base/status_fwd.h"

namespace postern::upstream {

enum class ServerState : uint32_t {
  kUnknown,    // not checked yet: used
  kHealthy,    // used
  kUnhealthy,  // not used while any other server is usable
  kDisabled,   // weight 0: not checked, takes no new requests
};
std::string_view NameOf(ServerState state);

// Why the last check failed.
enum class CheckError : uint32_t {
  kNone,
  kConnect,
  kTimeout,
  kBadResponse,
  kBadStatus,
  kClosed,
  kTls,  // the handshake failed
};
std::string_view NameOf(CheckError error);

struct alignas(64) ServerLine {
  uint64_t key;  // hash of (group name, server name); written before any other thread starts
  std::atomic<ServerState> state;       // control writes, shards read
  std::atomic<uint32_t> weight;         // control writes, shards read
  std::atomic<uint32_t> successes;      // control: consecutive good checks
  std::atomic<uint32_t> failures;       // control: consecutive bad checks
  std::atomic<CheckError> last_error;   // control writes, tools read
  std::atomic<uint32_t> last_status;    // control: HTTP status of the last check, 0 without one
  std::atomic<int64_t> last_check_ms;   // control: wall time
  std::atomic<int64_t> state_since_ms;  // control: wall time
  std::atomic<uint32_t> latency_us;     // control: moving average of good checks
  std::atomic<uint32_t> drained;        // control writes, shards read: 1: takes no new requests
};
static_assert(sizeof(ServerLine) == 64);

// Passive results of one shard for one server: plain totals, written with relaxed stores by that
// shard alone.
struct alignas(64) ShardLine {
  std::atomic<uint64_t> requests;
  std::atomic<uint64_t> connect_failures;
  std::atomic<uint64_t>
      response_failures;  // reset, malformed or timed out before the response head
  std::atomic<uint64_t> responses_5xx;
  std::atomic<uint64_t> active;  // exchanges now
};
static_assert(sizeof(ShardLine) == 64);

struct alignas(64) GroupLine {
  // Next slot of the rotation; shards claim with fetch_add (relaxed: only the number matters).
  alignas(64) std::atomic<uint64_t> cursor;
  // Counts changes of any member's state or weight. Control: release store after the member's line;
  // shards: acquire load, so that a shard which sees the new count sees the new states.
  alignas(64) std::atomic<uint64_t> version;
};
static_assert(sizeof(GroupLine) == 128);

// What a row is called; written before any other thread starts. Bytes behind a name are zero.
struct alignas(64) NameLine {
  char group[256];
  char server[256];
};
static_assert(sizeof(NameLine) == 512);

class HealthTable {
 public:
  // Of everything above, the header, and their order.
  static constexpr uint32_t kLayoutVersion = 4;
  // The memfd's name: /proc/PID/fd/N leads to "/memfd:postern-health (deleted)".
  static constexpr char kMemfdName[] = "postern-health";

  struct Shape {
    uint32_t groups = 0;
    uint32_t servers = 0;  // of all groups
    uint32_t shards = 0;
  };
  static absl::StatusOr<std::unique_ptr<HealthTable>> Create(const Shape& shape);
  // Another process's table, to be read only. The descriptor becomes the table's, in any case.
  // InvalidArgument: this is no health table; FailedPrecondition: it has another layout.
  static absl::StatusOr<std::unique_ptr<const HealthTable>> Open(int descriptor);
  ~HealthTable();
  HealthTable(const HealthTable&) = delete;
  HealthTable& operator=(const HealthTable&) = delete;

  ServerLine& server(size_t row) { return servers_[row]; }
  ShardLine& shard(size_t row, size_t shard_index) {
    return shards_[row * shape_.shards + shard_index];
  }
  GroupLine& group(size_t index) { return groups_[index]; }
  const ServerLine& server(size_t row) const { return servers_[row]; }
  const ShardLine& shard(size_t row, size_t shard_index) const {
    return shards_[row * shape_.shards + shard_index];
  }
  const Shape& shape() const { return shape_; }

  // Before any other thread sees the table. Longer names are cut.
  void SetNames(size_t row, std::string_view group, std::string_view server);
  std::string_view group_name(size_t row) const;
  std::string_view server_name(size_t row) const;
  // Of the configuration that brought these servers, before any other thread sees the table; the
  // newest table of a process has the highest.
  void set_generation(uint64_t generation);
  uint64_t generation() const;
  // The memfd, for a successor or a tool.
  int descriptor() const { return descriptor_; }

 private:
  struct Header;
  HealthTable() = default;
  static size_t BytesFor(const Shape& shape);
  void Lay(void* memory);

  Shape shape_;
  int descriptor_ = -1;
  void* memory_ = nullptr;
  size_t bytes_ = 0;
  Header* header_ = nullptr;
  ServerLine* servers_ = nullptr;
  GroupLine* groups_ = nullptr;
  ShardLine* shards_ = nullptr;
  NameLine* names_ = nullptr;
};

// Whether the server takes new requests; it is checked either way. Control thread.
void SetDrained(HealthTable* table, size_t row, size_t group_index, bool drained);

// The key of a server's row.
uint64_t RowKey(std::string_view group, std::string_view server);

}  // namespace postern::upstream

#endif  // POSTERN_SRC_UPSTREAM_HEALTH_TABLE_H_
