// For tests of the admin server, in the simulator: the server, what it asks, and clients.
#ifndef POSTERN_SRC_ADMIN_ADMIN_TEST_UTIL_H_
#define POSTERN_SRC_ADMIN_ADMIN_TEST_UTIL_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "src/admin/admin_server.h"
#include "src/control/certificate_list.h"
#include "src/control/probe_test_util.h"
#include "tests/sim/sim_peer.h"
#include "tests/sim/world.h"

namespace postern::admin {

// The control thread, as far as the admin server sees it.
class FakeSource : public control::StatusSource {
 public:
  explicit FakeSource(const upstream::HealthTable::Shape& shape) {
    table_ = *upstream::HealthTable::Create(shape);
  }
  uint64_t RequestSnapshots() override { return ++asked; }
  uint64_t snapshot_round() const override { return done; }
  std::span<const shard::Snapshot> snapshots() const override { return shards; }
  const config::Config& config() const override { return configuration; }
  upstream::HealthTable& health() override { return *table_; }
  control::ReloadStatus reload_status() const override { return reload; }
  bool draining() const override { return drain; }
  bool serving() const override { return !drain; }
  int64_t started_wall_ms() const override { return started_ms; }
  std::span<const uint16_t> listener_ports() const override { return ports; }

  bool SetDrained(std::string_view group, std::string_view server, bool drained) override {
    if (group != known_group || server != known_server) {
      return false;
    }
    drained_now = drained;
    ++commands;
    return true;
  }
  void RequestReload() override {
    ++reloads;
    ++commands;
  }
  std::string watch_problem() const override { return watch; }
  uint64_t lost_log_lines() const override { return lost_lines; }
  config::LogLevel log_level() const override { return level; }
  void SetLogLevel(config::LogLevel wanted) override {
    level = wanted;
    ++commands;
  }

  config::Config configuration;
  std::vector<shard::Snapshot> shards;
  std::vector<uint16_t> ports;
  control::ReloadStatus reload;
  control::CertificateList certificates;
  uint64_t asked = 0;
  uint64_t done = 0;
  uint64_t lost_lines = 0;
  std::string watch = {};
  bool drain = false;
  config::LogLevel level = config::LogLevel::kInfo;
  int64_t started_ms = 0;
  // What commands are about, and what has come of them.
  std::string known_group = "web";
  std::string known_server = "a b&c";
  bool drained_now = false;
  int reloads = 0;
  int commands = 0;

 private:
  std::unique_ptr<upstream::HealthTable> table_;
};

class AdminTest : public ::testing::Test {
 protected:
  void Start(uint64_t seed = 1, const sim::Faults& faults = sim::Faults::None(),
             const upstream::HealthTable::Shape& shape = {1, 2, 2}) {
    world_ = std::make_unique<sim::World>(seed, faults);
    loop_ = std::make_unique<control::ServiceLoop>(world_.get(), driver_options_);
    source_ = std::make_unique<FakeSource>(shape);
    source_->started_ms = world_->wall_ms();
    source_->configuration.admin_write = write_;
    auto listener = loop_->driver().Listen({*io::ParseHost("127.0.0.1", 9000)});
    ASSERT_TRUE(listener.ok());
    server_ = std::make_unique<AdminServer>(loop_->env(), source_.get(), *listener, scope_);
    // Snapshots are there a turn after they were asked for.
    loop_->set_on_turn([this] { source_->done = answering_ ? source_->asked : 0; });
    loop_->Run(server_.get());
  }
  void Finish() {
    loop_->StopAndJoin();
    clients_.clear();
    server_.reset();
    loop_.reset();
    EXPECT_EQ(world_->network().open_sockets(), 0u);
  }
  sim::SimStream* Connect() {
    clients_.push_back(std::make_unique<sim::SimStream>(world_.get()));
    clients_.back()->Connect(*io::ParseHost("127.0.0.1", 9000));
    return clients_.back().get();
  }
  void RunFor(double seconds) { EXPECT_TRUE(world_->RunFor(static_cast<int64_t>(seconds * 1e6))); }
  // What comes back for these bytes within a second.
  std::string Ask(std::string_view bytes) {
    sim::SimStream* client = Connect();
    client->Write(bytes);
    RunFor(1);
    return client->Read();
  }
  std::string Get(const std::string& path, const std::string& host = "localhost:9000") {
    return Ask("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
  }
  static std::string Body(const std::string& response) {
    return response.substr(std::min(response.find("\r\n\r\n") + 4, response.size()));
  }
  static size_t Count(std::string_view text, std::string_view word) {
    size_t count = 0;
    for (size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) {
      ++count;
    }
    return count;
  }

  bool answering_ = true;
  Scope scope_ = Scope::kAll;
  bool write_ = false;  // before Start: whether the configuration lets the page change something
  sim::SimDriverOptions driver_options_;  // before Start
  std::unique_ptr<sim::World> world_;
  std::unique_ptr<control::ServiceLoop> loop_;
  std::unique_ptr<FakeSource> source_;
  std::unique_ptr<AdminServer> server_;
  std::vector<std::unique_ptr<sim::SimStream>> clients_;
};

}  // namespace postern::admin

#endif  // POSTERN_SRC_ADMIN_ADMIN_TEST_UTIL_H_
