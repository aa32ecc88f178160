// One shard's world around real connections and exchanges: a fake driver, real TLS clients, and
// servers played by the test. Checks at its end that nothing is left of anything.
#ifndef POSTERN_SRC_PROXY_PROXY_TEST_UTIL_H_
#define POSTERN_SRC_PROXY_PROXY_TEST_UTIL_H_

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "src/base/arena.h"
#include "src/base/block_pool.h"
#include "src/base/check.h"
#include "src/base/slab.h"
#include "src/base/timer_wheel.h"
#include "src/config/config.h"
#include "src/http/h2_library.h"
#include "src/io/address.h"
#include "src/proxy/downstream_connection.h"
#include "src/proxy/downstream_h2.h"
#include "src/proxy/downstream_h2_stream.h"
#include "src/proxy/env.h"
#include "src/proxy/exchange.h"
#include "src/proxy/fake_driver_test_util.h"
#include "src/proxy/log_writer.h"
#include "src/proxy/serving.h"
#include "src/proxy/upstream_attach.h"
#include "src/proxy/upstream_h1.h"
#include "src/proxy/upstream_h2.h"
#include "src/proxy/upstream_h2_stream.h"
#include "src/tls/tls_test_util.h"
#include "src/tls/transport.h"
#include "src/upstream/health_table.h"

namespace postern::proxy {

inline io::Address At(std::string_view host, uint16_t port) {
  auto address = io::ParseHost(host, port);
  CHECK(address.has_value());
  return *address;
}

struct WorldOptions {
  config::Config config = {};
  config::ClientAuth client_auth = config::ClientAuth::kOff;
  size_t servers = 2;
  bool http2 = false;  // agreed to with clients that ask for it
  size_t exchanges_max = 100;
  size_t upstreams_max = 100;
};

class TestWorld {
 public:
  explicit TestWorld(WorldOptions options = {})
      : exchanges_(&arena_, options.exchanges_max), upstreams_(&arena_, options.upstreams_max) {
    config_ = std::move(options.config);
    log_ = LogWriter(&log_channel_, config_);
    if (config_.listeners.empty()) {
      config_.listeners.emplace_back();
      config_.listeners[0].name = "https";
      config_.listeners[0].default_group_index = 0;
    }
    config_.listeners[0].client_auth.mode = options.client_auth;
    if (config_.groups.empty()) {
      config_.groups.emplace_back();
      config_.groups[0].name = "app";
    }
    BuildGroup(options.servers);
    auto listener = std::make_unique<Listener>(config_.listeners[0]);
    tls::ContextInput input = tls::BasicInput(options.client_auth);
    input.http2 = options.http2;
    listener->tls = tls::MakeContext(input);
    listener->port = 443;
    listener->port_text = "443";
    AddListener(std::move(listener), &serving_);
    FillEnv();
  }

  ~TestWorld() {
    CloseEverything();
    Expect(downstreams_.live() == 0, "a downstream connection is left");
    Expect(upstreams_.live() == 0, "an upstream connection is left");
    Expect(h2_upstreams_.live() == 0, "an upstream HTTP/2 connection is left");
    Expect(h2_upstream_streams_.live() == 0, "an upstream stream is left");
    Expect(exchanges_.live() == 0, "an exchange is left");
    Expect(h2_streams_.live() == 0, "a stream is left");
    Expect(h2_.allocated_bytes() == 0, "memory of nghttp2 is left");
    Expect(driver.open_sockets() == 0, "a socket is left");
    Expect(driver.lent() == 0, "a receive buffer is left");
    Expect(blocks_.used_bytes() == 0, "a block is left");
    Expect(timers_.size() == 0, "a timer is left");
    const Counters& counters = env->counters;
    uint64_t closes = std::accumulate(counters.closes.begin(), counters.closes.end(), uint64_t{0});
    Expect(closes == counters.connections_accepted, "not one reason for each connection");
    Expect(counters.closes[0] == 0, "a connection without a reason");
    Expect(counters.connections_open == 0 && counters.upstream_open == 0, "a level is not zero");
    for (size_t row = 0; row < serving_.upstreams->groups[0]->servers.size(); ++row) {
      Expect(health_->shard(row, 0).active.load() == 0, "an exchange is counted as active");
    }
  }

  // A new client's connection.
  io::Socket Accept(const io::Address& peer = At("192.0.2.7", 4711)) {
    io::Socket socket = driver.Accepted(peer);
    CHECK(downstreams_.Acquire(env.get(), serving_.listeners[0].get(), socket) != nullptr);
    return socket;
  }

  // What a shard does in one turn. Whether anything happened.
  bool Turn() {
    io::Driver::Turn turn = driver.Wait(completions_, base::kNever);
    env->now = turn.now;
    tls_.set_now_s(turn.now.wall_ms / 1000);
    for (size_t i = 0; i < turn.completions; ++i) {
      Dispatch(completions_[i]);
    }
    expired_.clear();
    timers_.Expire(env->now.monotonic_ms(), &expired_);
    for (io::Token token : expired_) {
      base::SlabId id = io::SlabIdOf(token);
      Owner owner = static_cast<Owner>(io::OwnerKindOf(token));
      if (owner == Owner::kDownstream) {
        downstreams_.Get(id)->OnTimer();
      } else if (owner == Owner::kUpstream) {
        upstreams_.Get(id)->OnTimer();
      } else if (owner == Owner::kUpstreamH2) {
        h2_upstreams_.Get(id)->OnTimer();
      } else {
        h2_streams_.Get(id)->OnTimer();
      }
    }
    bool starved = FeedStarved();
    bool ran = RunLists();
    return turn.completions > 0 || !expired_.empty() || ran || starved;
  }

  void Sleep(int64_t ms) {
    driver.time.monotonic_us += ms * 1000;
    driver.time.wall_ms += ms;
  }

  void Drain() {
    env->draining = true;
    downstreams_.ForEach([](DownstreamConnection* connection) { connection->Drain(); });
    CloseIdle(serving_.upstreams.get());
  }

  size_t exchanges() const { return exchanges_.live(); }
  size_t downstreams() const { return downstreams_.live(); }
  // What each client's connection says of itself.
  std::string Described() {
    std::string text;
    downstreams_.ForEach([&text](const DownstreamConnection* connection) {
      base::RawLine line;
      connection->Describe(&line);
      text.append(line.view()).append("\n");
    });
    return text;
  }
  size_t upstreams() const { return upstreams_.live(); }
  size_t h2_upstreams() const { return h2_upstreams_.live(); }
  size_t idle(size_t server = 0) {
    return serving_.upstreams->groups[0]->servers[server]->idle.size();
  }
  uint64_t closes(CloseReason reason) const {
    return env->counters.closes[static_cast<size_t>(reason)];
  }
  upstream::ShardLine& line(size_t server) { return health_->shard(server, 0); }
  upstream::HealthTable& health() { return *health_; }
  const base::BlockPool& blocks() const { return blocks_; }
  Listener& listener() { return *serving_.listeners[0]; }
  config::ListenerConfig& listener_config() { return config_.listeners[0]; }
  // As it is in use.
  config::GroupConfig& group_config() { return serving_.upstreams->groups[0]->config; }

  // All log lines so far.
  std::string TakeLog(LogKind kind) {
    log_.Flush();
    LogBatch* batch = nullptr;
    while (log_channel_.full.TryPop(&batch)) {
      logs_[static_cast<size_t>(batch->kind)].append(batch->bytes.data(), batch->size);
      CHECK(log_channel_.empty.TryPush(std::move(batch)));
    }
    return std::exchange(logs_[static_cast<size_t>(kind)], "");
  }

  FakeDriver driver;
  std::unique_ptr<Env> env = std::make_unique<Env>();

 private:
  static void Expect(bool condition, const char* what) {
    if (!condition) {
      std::fprintf(stderr, "%s\n", what);
    }
    CHECK(condition);
  }

  void BuildGroup(size_t servers) {
    auto health = upstream::HealthTable::Create({1, static_cast<uint32_t>(servers), 1});
    CHECK(health.ok());
    health_ = *std::move(health);
    upstream::Balancer balancer(health_.get(), 0, 0, servers, config_.groups[0].fail_open);
    auto group = std::make_unique<ServerGroup>(config_.groups[0], std::move(balancer));
    for (size_t i = 0; i < servers; ++i) {
      auto server = std::make_unique<Server>();
      server->name = "s" + std::to_string(i);
      server->address = At("10.0.0." + std::to_string(i + 1), 8080);
      server->row = i;
      group->servers.push_back(std::move(server));
      health_->server(i).weight.store(100);
      health_->server(i).state.store(upstream::ServerState::kHealthy);
    }
    serving_.config = &config_;
    serving_.upstreams = std::make_unique<Upstreams>();
    serving_.upstreams->health = health_.get();
    group->owner = serving_.upstreams.get();
    serving_.upstreams->groups.push_back(std::move(group));
  }

  void FillEnv() {
    env->driver = &driver;
    env->arena = &arena_;
    env->blocks = &blocks_;
    env->identities = &blocks_;
    env->timers = &timers_;
    env->tls = &tls_;
    env->serving = &serving_;
    env->log = &log_;
    env->now = driver.time;
    env->downstreams = &downstreams_;
    env->upstreams = &upstreams_;
    env->exchanges = &exchanges_;
    env->h2 = &h2_;
    env->h2_connections = &h2_connections_;
    env->h2_streams = &h2_streams_;
    env->h2_upstreams = &h2_upstreams_;
    env->h2_upstream_streams = &h2_upstream_streams_;
    tls_.set_now_s(driver.time.wall_ms / 1000);
  }

  void Dispatch(const io::Completion& completion) {
    io::Operation operation = io::OperationOf(completion.token);
    base::SlabId id = io::SlabIdOf(completion.token);
    if (static_cast<Owner>(io::OwnerKindOf(completion.token)) == Owner::kDownstream) {
      DownstreamConnection* connection = downstreams_.Get(id);
      CHECK(connection != nullptr);
      operation == io::Operation::kReceive ? connection->OnReceive(completion)
                                           : connection->OnSend(completion);
      return;
    }
    if (static_cast<Owner>(io::OwnerKindOf(completion.token)) == Owner::kUpstreamH2) {
      DispatchUpstream(h2_upstreams_.Get(id), completion);
    } else {
      DispatchUpstream(upstreams_.Get(id), completion);
    }
  }

  template <typename Connection>
  static void DispatchUpstream(Connection* connection, const io::Completion& completion) {
    CHECK(connection != nullptr);
    io::Operation operation = io::OperationOf(completion.token);
    if (operation == io::Operation::kReceive) {
      connection->OnReceive(completion);
    } else if (operation == io::Operation::kSend) {
      connection->OnSend(completion);
    } else {
      connection->OnConnect(completion);
    }
  }

  bool FeedStarved() {
    size_t room = driver.buffers_max - std::min(driver.buffers_max, driver.lent());
    if (room == 0) {
      return false;  // as in a shard, which asks again later
    }
    size_t count = env->starved_hellos.size() + env->starved_downstreams.size() +
                   env->starved_upstreams.size() + env->starved_h2_upstreams.size();
    for (size_t i = env->starved_hellos.size(); i > 0; --i) {
      env->starved_hellos.Pop()->OnBuffersAvailable();
    }
    for (size_t i = env->starved_downstreams.size(); i > 0; --i) {
      env->starved_downstreams.PopFront()->OnBuffersAvailable();
    }
    for (size_t i = env->starved_upstreams.size(); i > 0; --i) {
      env->starved_upstreams.PopFront()->OnBuffersAvailable();
    }
    for (size_t i = env->starved_h2_upstreams.size(); i > 0; --i) {
      env->starved_h2_upstreams.PopFront()->OnBuffersAvailable();
    }
    return count > 0;
  }

  template <typename List>
  static bool RunList(List* list) {
    size_t count = list->size();
    for (size_t i = count; i > 0; --i) {
      list->PopFront()->Advance();
    }
    return count > 0;
  }
  bool RunLists() {
    bool ran = RunList(&env->run_upstreams);
    ran = RunList(&env->run_h2_upstreams) || ran;
    ran = RunList(&env->run_downstreams) || ran;
    ran = RunList(&env->run_h2_upstreams) || ran;
    ran = RunList(&env->run_second_flights) || ran;
    for (size_t i = env->run_hellos.size(); i > 0; --i) {
      env->run_hellos.Pop()->Advance();
      ran = true;
    }
    return ran;
  }

  void CloseEverything() {
    driver.buffers_max = SIZE_MAX;
    env->draining = true;
    CloseIdle(serving_.upstreams.get());
    downstreams_.ForEach([](DownstreamConnection* connection) { connection->Stop(); });
    for (int i = 0; i < 100 && Turn(); ++i) {
    }
  }

  config::Config config_;
  base::Arena arena_{size_t{1} << 30};
  base::BlockPool blocks_{&arena_};
  base::TimerWheel timers_{1'000'000};
  tls::Transport tls_;
  std::unique_ptr<upstream::HealthTable> health_;
  Serving serving_;
  LogChannel log_channel_;
  LogWriter log_{&log_channel_, config_};
  std::array<std::string, kLogKinds> logs_;
  base::Slab<DownstreamConnection> downstreams_{&arena_, 100};
  base::Slab<Exchange> exchanges_;
  base::Slab<UpstreamH1> upstreams_;
  http::H2Library h2_;
  base::Slab<DownstreamH2> h2_connections_{&arena_, 100};
  base::Slab<DownstreamH2Stream> h2_streams_{&arena_, 1000};
  base::Slab<UpstreamH2> h2_upstreams_{&arena_, 100};
  base::Slab<UpstreamH2Stream> h2_upstream_streams_{&arena_, 1000};
  std::array<io::Completion, 256> completions_;
  std::vector<uint64_t> expired_;
};

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_PROXY_TEST_UTIL_H_
