#include "tests/gate/gate.h"

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "src/base/check.h"
#include "src/control/check_targets.h"
#include "src/control/listen.h"

namespace postern::gate {

io::Address Gate::Address() {
  return *io::ParseHost("192.0.2.1", 443);
}

std::string Gate::ConfigText(const GateOptions& options) {
  std::string text = R"(
listeners {
  name: "https" address: "192.0.2.1:443"
  certificates { certificate_file: "server.crt" key_file: "server.key" }
  client_auth { mode: "require" ca_files: "ca.crt" )" +
                     options.client_auth + R"( }
  default_server_group: "servers"
}
server_groups {
  name: "servers" response_timeout_ms: 5000 connect_timeout_ms: 2000
  health_check { enabled: )" +
                     (options.health_check ? "true" : "false") + " }\n";
  if (options.server_http2) {
    text += "  protocol: \"http2\"\n";
  }
  if (options.server_tls) {
    text += "  tls { ca_files: \"ca.crt\" server_name: \"gate.example.test\" }\n";
  }
  for (size_t i = 0; i < options.servers.size(); ++i) {
    char host[io::kAddressTextMax];
    std::string address(host, io::FormatHost(options.servers[i], host));
    text += "  servers { name: \"server" + std::to_string(i) + "\" host: \"" + address +
            "\" port: " + std::to_string(options.servers[i].port) + " }\n";
  }
  return text + "}\nshards: " + std::to_string(options.shards) +
         " connections_max: 200 access_log: \"access\" error_log: \"error\"\n";
}

Gate::Gate(sim::World* world, const Certificates& certificates, const GateOptions& options)
    : world_(world), host_(world) {
  host_.SetFile("server.crt", certificates.server.certificate_pem);
  host_.SetFile("server.key", certificates.server.key_pem);
  host_.SetFile("ca.crt", certificates.root_pem);
  for (const auto& [path, contents] : options.files) {
    host_.SetFile(path, contents);
  }
  std::string text = ConfigText(options);
  host_.SetFile("postern.textproto", text);
  source_.values.config = "postern.textproto";
  auto config = config::Reload(source_, text);
  CHECK(config.ok());
  control::LoadTerms terms;
  terms.host = &host_;
  terms.random_secret = tls::RandomTicketSecret();
  auto materials =
      control::LoadMaterials(std::make_shared<const config::Config>(*std::move(config)), terms);
  CHECK(materials.ok());
  auto generation = control::BuildGeneration(*std::move(materials), options.shards, nullptr);
  CHECK(generation.ok());
  logs_ = std::make_unique<control::LogThread>(&host_, (*generation)->config());
  CHECK(logs_->OpenLogs().ok());
  control_driver_ =
      std::make_unique<sim::SimDriver>(world, sim::SimDriverOptions{.name = "control"});
  MakeShards(**generation, options);
  MakeControl(*std::move(generation), terms.random_secret);
  world->AddOther(
      "helper",
      [this] { return LogsWaiting() || helper_.jobs_waiting() ? world_->now_us() : base::kNever; },
      [this] {
        logs_->RunOnce();
        helper_.RunOnce();
      });
}

void Gate::MakeShards(const control::Generation& generation, const GateOptions& options) {
  std::vector<io::Driver*> drivers;
  std::vector<proxy::Serving*> borrowed;
  for (size_t i = 0; i < options.shards; ++i) {
    auto parts = std::make_unique<ShardParts>();
    sim::SimDriverOptions driver;
    driver.name = "shard" + std::to_string(i);
    driver.small_buffers = options.small_buffers;
    driver.large_buffers = options.large_buffers;
    parts->driver = options.make_driver ? options.make_driver(world_, driver)
                                        : std::make_unique<sim::SimDriver>(world_, driver);
    parts->log = std::make_unique<proxy::LogChannel>();
    parts->mailbox = std::make_unique<shard::Mailbox>();
    drivers.push_back(parts->driver.get());
    borrowed.push_back(generation.servings[i].get());
    shards_.push_back(std::move(parts));
  }
  std::vector<io::Waker*> wakers;
  for (io::Driver* driver : drivers) {
    wakers.push_back(driver->waker());
  }
  hand_off_ = std::make_unique<shard::HandOff>(std::move(wakers));
  CHECK(control::OpenListeners(generation.config(), drivers, borrowed, {}, nullptr, &ports_).ok());
  for (size_t i = 0; i < options.shards; ++i) {
    ShardParts* parts = shards_[i].get();
    shard::Options shard;
    shard.index = static_cast<uint32_t>(i);
    shard.serving = borrowed[i];
    shard.driver = parts->driver.get();
    shard.log = parts->log.get();
    shard.mailbox = parts->mailbox.get();
    shard.hand_off = hand_off_.get();
    shard.control = control_driver_->waker();
    shard.log_waker = logs_->waker();
    parts->shard = std::make_unique<shard::Shard>(std::move(shard));
    logs_->AddChannel(parts->log.get());
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

void Gate::MakeControl(std::unique_ptr<control::Generation> generation,
                       const tls::TicketSecret& random_secret) {
  control::Control::Options options;
  options.generation = std::move(generation);
  options.source = source_;
  options.random_secret = random_secret;
  options.driver = control_driver_.get();
  options.host = &host_;
  options.helper = &helper_;
  options.logs = logs_.get();
  options.log = &control_log_;
  options.listener_ports = ports_;
  logs_->AddChannel(&control_log_);
  helper_.set_done_waker(control_driver_->waker());
  for (auto& parts : shards_) {
    options.shards.push_back({parts->mailbox.get(), parts->driver->waker(), false, false});
  }
  control_ = std::make_unique<control::Control>(std::move(options));
  control_->SetHealthService([this](const control::Generation& served) {
    return control::MakeHealthChecker(
        served, control_->env(),
        [this](config::LogLevel level, const std::string& line) { control_->Log(level, line); });
  });
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
