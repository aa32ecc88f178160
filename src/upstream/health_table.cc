#include "src/upstream/health_table.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <type_traits>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace postern::upstream {
namespace {

constexpr char kMagic[8] = {'P', 'S', 'T', 'N', 'H', 'L', 'T', 'H'};

}  // namespace

// First line of the table.
struct alignas(64) HealthTable::Header {
  char magic[8];
  uint32_t layout_version;
  uint32_t groups;
  uint32_t servers;
  uint32_t shards;
  uint64_t generation;  // written before any other thread sees the table
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

size_t HealthTable::BytesFor(const Shape& shape) {
  return sizeof(Header) + shape.servers * (sizeof(ServerLine) + sizeof(NameLine)) +
         shape.groups * sizeof(GroupLine) +
         size_t{shape.servers} * shape.shards * sizeof(ShardLine);
}

// Finds each part; says nothing about what is in it.
void HealthTable::Lay(void* memory) {
  memory_ = memory;
  auto* at = static_cast<uint8_t*>(memory);
  auto next = [&at](auto** part, size_t count) {
    using Part = std::remove_reference_t<decltype(**part)>;
    *part = reinterpret_cast<Part*>(at);
    at += count * sizeof(Part);
  };
  next(&header_, 1);
  next(&servers_, shape_.servers);
  next(&groups_, shape_.groups);
  next(&shards_, size_t{shape_.servers} * shape_.shards);
  next(&names_, shape_.servers);
}

absl::StatusOr<std::unique_ptr<HealthTable>> HealthTable::Create(const Shape& shape) {
  std::unique_ptr<HealthTable> table(new HealthTable());
  table->shape_ = shape;
  table->bytes_ = BytesFor(shape);
  table->descriptor_ = memfd_create(kMemfdName, MFD_CLOEXEC);
  if (table->descriptor_ < 0 ||
      ftruncate(table->descriptor_, static_cast<off_t>(table->bytes_)) != 0) {
    return absl::ResourceExhaustedError(absl::StrCat("health table: ", std::strerror(errno)));
  }
  void* memory =
      mmap(nullptr, table->bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, table->descriptor_, 0);
  if (memory == MAP_FAILED) {
    return absl::ResourceExhaustedError(absl::StrCat("health table: ", std::strerror(errno)));
  }
  table->Lay(memory);
  new (table->header_) Header();
  std::memcpy(table->header_->magic, kMagic, sizeof(kMagic));
  table->header_->layout_version = kLayoutVersion;
  table->header_->groups = shape.groups;
  table->header_->servers = shape.servers;
  table->header_->shards = shape.shards;
  new (table->servers_) ServerLine[shape.servers]();
  new (table->groups_) GroupLine[shape.groups]();
  new (table->shards_) ShardLine[size_t{shape.servers} * shape.shards]();
  new (table->names_) NameLine[shape.servers]();
  return table;
}

absl::StatusOr<std::unique_ptr<const HealthTable>> HealthTable::Open(int descriptor) {
  std::unique_ptr<HealthTable> table(new HealthTable());
  table->descriptor_ = descriptor;
  struct stat about;
  if (fstat(descriptor, &about) != 0 || about.st_size < static_cast<off_t>(sizeof(Header))) {
    return absl::InvalidArgumentError("is no health table: too short");
  }
  table->bytes_ = static_cast<size_t>(about.st_size);
  void* memory = mmap(nullptr, table->bytes_, PROT_READ, MAP_SHARED, descriptor, 0);
  if (memory == MAP_FAILED) {
    return absl::ResourceExhaustedError(absl::StrCat("health table: ", std::strerror(errno)));
  }
  table->memory_ = memory;
  const auto* header = static_cast<const Header*>(memory);
  if (std::memcmp(header->magic, kMagic, sizeof(kMagic)) != 0) {
    return absl::InvalidArgumentError("is no health table: it begins with something else");
  }
  if (header->layout_version != kLayoutVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("has layout ", header->layout_version, ", and this program reads layout ",
                     kLayoutVersion, "; use the one of the same version"));
  }
  table->shape_ = {header->groups, header->servers, header->shards};
  if (table->bytes_ < BytesFor(table->shape_)) {
    return absl::InvalidArgumentError("is no health table: shorter than it says");
  }
  table->Lay(memory);
  return table;
}

void HealthTable::SetNames(size_t row, std::string_view group, std::string_view server) {
  NameLine& line = names_[row];
  std::memcpy(line.group, group.data(), std::min(group.size(), sizeof(line.group)));
  std::memcpy(line.server, server.data(), std::min(server.size(), sizeof(line.server)));
}

std::string_view HealthTable::group_name(size_t row) const {
  return {names_[row].group, strnlen(names_[row].group, sizeof(names_[row].group))};
}

std::string_view HealthTable::server_name(size_t row) const {
  return {names_[row].server, strnlen(names_[row].server, sizeof(names_[row].server))};
}

void HealthTable::set_generation(uint64_t generation) {
  header_->generation = generation;
}

uint64_t HealthTable::generation() const {
  return header_->generation;
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
