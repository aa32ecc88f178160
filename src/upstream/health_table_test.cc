#include "src/upstream/health_table.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <thread>

#include "absl/status/statusor.h"

namespace postern::upstream {
namespace {

std::unique_ptr<HealthTable> Create(const HealthTable::Shape& shape) {
  auto table = HealthTable::Create(shape);
  EXPECT_TRUE(table.ok()) << table.status().ToString();
  return *std::move(table);
}

TEST(HealthTable, StartsWithNothingKnown) {
  std::unique_ptr<HealthTable> table = Create({2, 3, 4});
  EXPECT_EQ(table->shape().servers, 3u);
  for (size_t row = 0; row < 3; ++row) {
    EXPECT_EQ(table->server(row).state.load(), ServerState::kUnknown);
    EXPECT_EQ(table->server(row).weight.load(), 0u);
    for (size_t shard = 0; shard < 4; ++shard) {
      EXPECT_EQ(table->shard(row, shard).requests.load(), 0u);
    }
  }
  EXPECT_EQ(table->group(1).cursor.load(), 0u);
  EXPECT_EQ(table->group(1).version.load(), 0u);
}

TEST(HealthTable, EveryLineIsItsOwn) {
  std::unique_ptr<HealthTable> table = Create({2, 3, 4});
  std::set<const void*> lines;
  auto add = [&lines](const void* line) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(line) % 64, 0u);
    EXPECT_TRUE(lines.insert(line).second);
  };
  for (size_t row = 0; row < 3; ++row) {
    add(&table->server(row));
    for (size_t shard = 0; shard < 4; ++shard) {
      add(&table->shard(row, shard));
    }
  }
  add(&table->group(0));
  add(&table->group(1));
  EXPECT_EQ(lines.size(), 3u + 12 + 2);
}

TEST(HealthTable, AToolSeesItThroughTheDescriptor) {
  std::unique_ptr<HealthTable> table = Create({1, 1, 1});
  table->server(0).key = 0x1122334455667788;
  table->server(0).last_status.store(204);
  void* seen = mmap(nullptr, 4096, PROT_READ, MAP_SHARED, table->descriptor(), 0);
  ASSERT_NE(seen, MAP_FAILED);
  EXPECT_EQ(std::memcmp(seen, "PSTNHLTH", 8), 0);
  uint32_t version = 0;
  std::memcpy(&version, static_cast<char*>(seen) + 8, sizeof(version));
  EXPECT_EQ(version, HealthTable::kLayoutVersion);
  // The server's line follows the header's.
  const auto* line = reinterpret_cast<const ServerLine*>(static_cast<char*>(seen) + 64);
  EXPECT_EQ(line->key, 0x1122334455667788u);
  EXPECT_EQ(line->last_status.load(), 204u);
  munmap(seen, 4096);
}

// A descriptor of its own, as a tool opens one.
int OpenedAgain(const HealthTable& table) {
  std::string path = "/proc/self/fd/" + std::to_string(table.descriptor());
  int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  EXPECT_GE(descriptor, 0);
  return descriptor;
}

TEST(HealthTable, OpensReadOnly) {
  std::unique_ptr<HealthTable> table = Create({2, 3, 4});
  const std::string longest(256, 'x');
  table->SetNames(0, "web", "a");
  table->SetNames(2, longest, longest + "y");
  table->set_generation(7);
  auto opened = HealthTable::Open(OpenedAgain(*table));
  ASSERT_TRUE(opened.ok()) << opened.status().ToString();
  const HealthTable& seen = **opened;
  EXPECT_EQ(seen.shape().servers, 3u);
  EXPECT_EQ(seen.generation(), 7u);
  EXPECT_EQ(seen.group_name(0), "web");
  EXPECT_EQ(seen.server_name(0), "a");
  EXPECT_EQ(seen.server_name(1), "");
  EXPECT_EQ(seen.group_name(2), longest);
  EXPECT_EQ(seen.server_name(2), longest) << "cut";
  table->server(1).state.store(ServerState::kHealthy);
  table->shard(2, 3).requests.store(99);
  EXPECT_EQ(seen.server(1).state.load(), ServerState::kHealthy);
  EXPECT_EQ(seen.shard(2, 3).requests.load(), 99u);
}

TEST(HealthTable, OpensNothingElse) {
  std::unique_ptr<HealthTable> table = Create({1, 1, 1});
  auto write = [&table](off_t at, uint32_t value) {
    ASSERT_EQ(pwrite(table->descriptor(), &value, sizeof(value), at), ssize_t{sizeof(value)});
  };
  write(8, HealthTable::kLayoutVersion + 1);
  EXPECT_EQ(HealthTable::Open(OpenedAgain(*table)).status().code(),
            absl::StatusCode::kFailedPrecondition);
  write(8, HealthTable::kLayoutVersion);
  write(16, 1'000'000);  // servers
  EXPECT_EQ(HealthTable::Open(OpenedAgain(*table)).status().message(),
            "is no health table: shorter than it says");
  write(0, 0);
  EXPECT_EQ(HealthTable::Open(OpenedAgain(*table)).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(HealthTable::Open(open("/dev/null", O_RDONLY | O_CLOEXEC)).ok());
  EXPECT_FALSE(HealthTable::Open(-1).ok());
}

TEST(HealthTable, KeysTellRowsApart) {
  EXPECT_EQ(RowKey("web", "a"), RowKey("web", "a"));
  EXPECT_NE(RowKey("web", "a"), RowKey("web", "b"));
  EXPECT_NE(RowKey("web", "a"), RowKey("we", "ba"));
  EXPECT_NE(RowKey("weba", ""), RowKey("web", "a"));
}

TEST(HealthTable, NamesAreDistinct) {
  std::set<std::string> names;
  for (ServerState state : {ServerState::kUnknown, ServerState::kHealthy, ServerState::kUnhealthy,
                            ServerState::kDisabled}) {
    EXPECT_TRUE(names.insert(std::string(NameOf(state))).second);
  }
  for (CheckError error : {CheckError::kNone, CheckError::kConnect, CheckError::kTimeout,
                           CheckError::kBadResponse, CheckError::kBadStatus, CheckError::kClosed}) {
    EXPECT_TRUE(names.insert(std::string(NameOf(error))).second);
  }
  EXPECT_FALSE(names.contains("invalid"));
}

// What the version promises: a shard that sees the new count sees the new states.
TEST(HealthTable, AStateIsThereWhenItsVersionIs) {
  std::unique_ptr<HealthTable> table = Create({1, 1, 1});
  constexpr uint64_t kChanges = 20'000;
  std::thread control([&table] {
    for (uint64_t i = 1; i <= kChanges; ++i) {
      table->server(0).weight.store(static_cast<uint32_t>(i), std::memory_order_relaxed);
      table->group(0).version.store(i, std::memory_order_release);
    }
  });
  uint64_t version = 0;
  while (version < kChanges) {
    version = table->group(0).version.load(std::memory_order_acquire);
    uint32_t weight = table->server(0).weight.load(std::memory_order_relaxed);
    ASSERT_GE(weight, version);
  }
  control.join();
}

}  // namespace
}  // namespace postern::upstream
