#include "src/upstream/health_table.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <new>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace postern::upstream {
namespace {

constexpr std::string_view kMagic = "PSTNHLTH";

}  // namespace

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

size_t HealthTable::BytesOf(const Shape& shape) {
  return sizeof(Header) + shape.servers * sizeof(ServerLine) + shape.groups * sizeof(GroupLine) +
         size_t{shape.servers} * shape.shards * sizeof(ShardLine);
}

void HealthTable::Place() {
  auto* at = static_cast<uint8_t*>(memory_);
  header_ = reinterpret_cast<Header*>(at);
  at += sizeof(Header);
  servers_ = reinterpret_cast<ServerLine*>(at);
  at += shape_.servers * sizeof(ServerLine);
  groups_ = reinterpret_cast<GroupLine*>(at);
  at += shape_.groups * sizeof(GroupLine);
  shards_ = reinterpret_cast<ShardLine*>(at);
}

absl::StatusOr<std::unique_ptr<HealthTable>> HealthTable::Create(const Shape& shape) {
  std::unique_ptr<HealthTable> table(new HealthTable());
  table->shape_ = shape;
  table->bytes_ = BytesOf(shape);
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
  table->Place();
  new (table->header_) Header();
  std::memcpy(table->header_->magic, kMagic.data(), kMagic.size());
  table->header_->layout_version = kLayoutVersion;
  table->header_->groups = shape.groups;
  table->header_->servers = shape.servers;
  table->header_->shards = shape.shards;
  table->header_->prober_pid.store(static_cast<uint32_t>(getpid()), std::memory_order_relaxed);
  new (table->servers_) ServerLine[shape.servers]();
  new (table->groups_) GroupLine[shape.groups]();
  new (table->shards_) ShardLine[size_t{shape.servers} * shape.shards]();
  return table;
}

absl::StatusOr<std::unique_ptr<HealthTable>> HealthTable::Open(int descriptor) {
  std::unique_ptr<HealthTable> table(new HealthTable());
  table->descriptor_ = descriptor;
  struct stat file;
  if (fstat(descriptor, &file) != 0 || file.st_size < static_cast<off_t>(sizeof(Header))) {
    return absl::InvalidArgumentError("this is no health table");
  }
  table->bytes_ = static_cast<size_t>(file.st_size);
  void* memory = mmap(nullptr, table->bytes_, PROT_READ, MAP_SHARED, descriptor, 0);
  if (memory == MAP_FAILED) {
    return absl::UnavailableError(absl::StrCat("health table: ", std::strerror(errno)));
  }
  table->memory_ = memory;
  const auto& header = *static_cast<const Header*>(memory);
  if (std::memcmp(header.magic, kMagic.data(), kMagic.size()) != 0) {
    return absl::InvalidArgumentError("this is no health table");
  }
  if (header.layout_version != kLayoutVersion) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the health table has layout ", header.layout_version, ", not ", uint32_t{kLayoutVersion}));
  }
  table->shape_ = {header.groups, header.servers, header.shards};
  if (BytesOf(table->shape_) != table->bytes_) {
    return absl::InvalidArgumentError("the health table is cut off");
  }
  table->Place();
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

void SetDrained(HealthTable* table, size_t row, size_t group_index, bool drained) {
  table->server(row).drained.store(drained ? 1 : 0, std::memory_order_relaxed);
  // Release: pairs with the shards' acquire load in Balancer::Refresh. Only the control thread
  // writes it.
  std::atomic<uint64_t>& version = table->group(group_index).version;
  version.store(version.load(std::memory_order_relaxed) + 1, std::memory_order_release);
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
