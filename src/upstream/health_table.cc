#include "src/upstream/health_table.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <new>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace postern::upstream {

// First line of the table. The prober lease says which process checks: a successor takes it with a
// higher epoch.
struct alignas(64) HealthTable::Header {
  char magic[8];
  uint32_t layout_version;
  uint32_t groups;
  uint32_t servers;
  uint32_t shards;
  std::atomic<uint32_t> prober_pid;    // control of the serving process writes, its successor reads
  std::atomic<uint32_t> prober_epoch;  // likewise
};

std::string_view NameOf(ServerState state) {
  switch (state) {
    case ServerState::kUnknown:
      return "unknown";
    case ServerState::kHealthy:
      return "healthy";
    case ServerState::kUnhealthy:
      return "unhealthy";
    case ServerState::kDisabled:
      return "disabled";
  }
  return "invalid";
}

std::string_view NameOf(CheckError error) {
  switch (error) {
    case CheckError::kNone:
      return "none";
    case CheckError::kConnect:
      return "connect";
    case CheckError::kTimeout:
      return "timeout";
    case CheckError::kBadResponse:
      return "bad_response";
    case CheckError::kBadStatus:
      return "bad_status";
    case CheckError::kTls:
      return "tls";
    case CheckError::kClosed:
      return "closed";
  }
  return "invalid";
}

absl::StatusOr<std::unique_ptr<HealthTable>> HealthTable::Create(const Shape& shape) {
  std::unique_ptr<HealthTable> table(new HealthTable());
  table->shape_ = shape;
  table->bytes_ = sizeof(Header) + shape.servers * sizeof(ServerLine) +
                  shape.groups * sizeof(GroupLine) +
                  size_t{shape.servers} * shape.shards * sizeof(ShardLine);
  table->descriptor_ = memfd_create("postern-health", MFD_CLOEXEC);
  if (table->descriptor_ < 0 ||
      ftruncate(table->descriptor_, static_cast<off_t>(table->bytes_)) != 0) {
    return absl::ResourceExhaustedError(absl::StrCat("health table: ", std::strerror(errno)));
  }
  void* memory =
      mmap(nullptr, table->bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, table->descriptor_, 0);
  if (memory == MAP_FAILED) {
    return absl::ResourceExhaustedError(absl::StrCat("health table: ", std::strerror(errno)));
  }
  table->memory_ = memory;
  auto* at = static_cast<uint8_t*>(memory);
  table->header_ = new (at) Header();
  std::memcpy(table->header_->magic, "PSTNHLTH", 8);
  table->header_->layout_version = kLayoutVersion;
  table->header_->groups = shape.groups;
  table->header_->servers = shape.servers;
  table->header_->shards = shape.shards;
  table->header_->prober_pid.store(static_cast<uint32_t>(getpid()), std::memory_order_relaxed);
  at += sizeof(Header);
  table->servers_ = new (at) ServerLine[shape.servers]();
  at += shape.servers * sizeof(ServerLine);
  table->groups_ = new (at) GroupLine[shape.groups]();
  at += shape.groups * sizeof(GroupLine);
  table->shards_ = new (at) ShardLine[size_t{shape.servers} * shape.shards]();
  return table;
}

HealthTable::~HealthTable() {
  if (memory_ != nullptr) {
    munmap(memory_, bytes_);
  }
  if (descriptor_ >= 0) {
    close(descriptor_);
  }
}

uint64_t RowKey(std::string_view group, std::string_view server) {
  // FNV-1a with a separator that names cannot contain.
  uint64_t hash = 14695981039346656037ull;
  auto mix = [&hash](std::string_view text) {
    for (char c : text) {
      hash = (hash ^ static_cast<uint8_t>(c)) * 1099511628211ull;
    }
  };
  mix(group);
  mix(std::string_view("\0", 1));
  mix(server);
  return hash;
}

}  // namespace postern::upstream
