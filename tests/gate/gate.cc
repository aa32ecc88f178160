#include "tests/gate/gate.h"

#include <algorithm>
#include <utility>

#include "src/base/check.h"
#include "src/control/health_checker.h"
#include "src/control/listen.h"

namespace postern::gate {

io::Address Gate::Address() {
  return *io::ParseHost("192.0.2.1", 443);
}

config::Config Gate::MakeConfig(const GateOptions& options) const {
  config::Config config;
  config::ListenerConfig listener;
  listener.name = "https";
  listener.address = {"192.0.2.1", 443};
  listener.certificates = {{"server.crt", "server.key"}};
  listener.client_auth.mode = config::ClientAuth::kRequire;
  listener.client_auth.trust.ca_files = {"ca.crt"};
  listener.default_group_index = 0;
  config.listeners.push_back(listener);
  config::GroupConfig group;
  group.name = "servers";
  group.response_timeout_ms = 5'000;
  group.connect_timeout_ms = 2'000;
  group.health_check.enabled = options.health_check;
  for (size_t i = 0; i < options.servers.size(); ++i) {
    config::ServerConfig server;
    server.name = "server" + std::to_string(i);
    char host[io::kAddressTextMax];
    server.host = std::string(host, io::FormatHost(options.servers[i], host));
    server.port = options.servers[i].port;
    group.servers.push_back(server);
  }
  config.groups.push_back(group);
  config.shards = static_cast<uint32_t>(options.shards);
  config.connections_max = 200;
  config.access_log = "access";
  config.error_log = "error";
  return config;
}

Gate::Gate(sim::World* world, const Certificates& certificates, const GateOptions& options)
    : world_(world), host_(world) {
  host_.SetFile("server.crt", certificates.server.certificate_pem);
  host_.SetFile("server.key", certificates.server.key_pem);
  host_.SetFile("ca.crt", certificates.root_pem);
  config_ = std::make_shared<const config::Config>(MakeConfig(options));
  auto materials = control::LoadMaterials(config_, &host_);
  CHECK(materials.ok());
  auto health = control::CreateHealthTable(*config_, config_->shards);
  CHECK(health.ok());
  health_ = *std::move(health);
  helper_ = std::make_unique<control::Helper>(&host_, config_->access_log, config_->error_log);
  CHECK(helper_->OpenLogs().ok());
  control_driver_ =
      std::make_unique<sim::SimDriver>(world, sim::SimDriverOptions{.name = "control"});
  MakeShards(*materials, options);
  MakeControl(*materials);
  world->AddOther(
      "helper", [this] { return LogsWaiting() ? world_->now_us() : base::kNever; },
      [this] { helper_->RunOnce(); });
}

void Gate::MakeShards(const control::Materials& materials, const GateOptions& options) {
  std::vector<std::unique_ptr<proxy::Serving>> servings;
  std::vector<io::Driver*> drivers;
  std::vector<proxy::Serving*> borrowed;
  for (size_t i = 0; i < options.shards; ++i) {
    auto parts = std::make_unique<ShardParts>();
    sim::SimDriverOptions driver;
    driver.name = "shard" + std::to_string(i);
    driver.small_buffers = options.small_buffers;
    driver.large_buffers = options.large_buffers;
    parts->driver = std::make_unique<sim::SimDriver>(world_, driver);
    parts->log = std::make_unique<proxy::LogChannel>();
    parts->mailbox = std::make_unique<shard::Mailbox>();
    auto serving = control::BuildServing(materials, health_.get());
    CHECK(serving.ok());
    servings.push_back(*std::move(serving));
    drivers.push_back(parts->driver.get());
    borrowed.push_back(servings.back().get());
    shards_.push_back(std::move(parts));
  }
  CHECK(control::OpenListeners(*config_, drivers, borrowed, &ports_).ok());
  for (size_t i = 0; i < options.shards; ++i) {
    ShardParts* parts = shards_[i].get();
    shard::Options shard;
    shard.index = static_cast<uint32_t>(i);
    shard.serving = std::move(servings[i]);
    shard.driver = parts->driver.get();
    shard.health = health_.get();
    shard.log = parts->log.get();
    shard.mailbox = parts->mailbox.get();
    shard.control = control_driver_->waker();
    shard.helper = helper_.get();
    parts->shard = std::make_unique<shard::Shard>(std::move(shard));
    helper_->AddChannel(parts->log.get());
    CHECK(parts->shard->Start().ok());
    auto id = std::make_shared<sim::World::ParticipantId>(0);
    *id = world_->Add("shard" + std::to_string(i), parts->driver.get(), [this, parts, id] {
      if (!parts->shard->Turn()) {
        parts->ended = true;
        world_->Remove(*id);
      }
    });
  }
}

void Gate::MakeControl(const control::Materials& materials) {
  control::Control::Options options;
  options.config = config_;
  options.driver = control_driver_.get();
  options.host = &host_;
  options.helper = helper_.get();
  options.health = health_.get();
  options.log = &control_log_;
  options.listener_ports = ports_;
  helper_->AddChannel(&control_log_);
  for (auto& parts : shards_) {
    options.shards.push_back({parts->mailbox.get(), parts->driver->waker(), false, false});
  }
  control_ = std::make_unique<control::Control>(std::move(options));
  std::vector<control::HealthChecker::Target> targets;
  for (size_t i = 0; i < config_->groups[0].servers.size(); ++i) {
    control::HealthChecker::Target target;
    target.row = i;
    target.group_name = "servers";
    target.server_name = config_->groups[0].servers[i].name;
    target.address = materials.servers[0][i];
    target.config = &config_->groups[0].health_check;
    target.weight = 100;
    targets.push_back(target);
  }
  control_->AddService(
      proxy::Owner::kHealthCheck,
      std::make_unique<control::HealthChecker>(control_->env(), health_.get(), std::move(targets),
                                               [this](std::string line) { control_->Log(line); }));
  CHECK(control_->Start().ok());
  auto id = std::make_shared<sim::World::ParticipantId>(0);
  *id = world_->Add("control", control_driver_.get(), [this, id] {
    if (!control_->Turn()) {
      control_ended_ = true;
      world_->Remove(*id);
    }
  });
}

Gate::~Gate() = default;

bool Gate::LogsWaiting() const {
  return !control_log_.full.empty() ||
         std::any_of(shards_.begin(), shards_.end(),
                     [](const auto& parts) { return !parts->log->full.empty(); });
}

bool Gate::ended() const {
  return control_ended_ && std::all_of(shards_.begin(), shards_.end(),
                                       [](const auto& parts) { return parts->ended; });
}

std::string Gate::DescribeCloses() const {
  std::string text;
  for (size_t reason = 0; reason < proxy::kCloseReasons; ++reason) {
    uint64_t count = 0;
    for (const auto& parts : shards_) {
      count += parts->shard->env().counters.closes[reason];
    }
    if (count > 0) {
      text += std::string(proxy::NameOf(static_cast<proxy::CloseReason>(reason))) + " " +
              std::to_string(count) + "\n";
    }
  }
  return text;
}

void Gate::CheckEmpty() const {
  control_driver_->CheckIdle();
  for (const auto& parts : shards_) {
    parts->driver->CheckIdle();
    const proxy::Env& env = parts->shard->env();
    CHECK(env.blocks->used_bytes() == 0);
    CHECK(env.counters.connections_open == 0 && env.counters.upstream_open == 0);
    uint64_t closed = 0;
    for (uint64_t count : env.counters.closes) {
      closed += count;
    }
    // Every connection ended once, with a reason.
    CHECK(closed == env.counters.connections_accepted);
    CHECK(env.counters.closes[static_cast<size_t>(proxy::CloseReason::kNone)] == 0);
  }
}

}  // namespace postern::gate
