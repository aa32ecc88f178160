#include "src/control/process.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "src/base/check.h"
#include "src/control/check_targets.h"
#include "src/control/crash_report.h"
#include "src/control/drivers.h"
#include "src/control/generation.h"
#include "src/control/handover.h"
#include "src/control/inheritance.h"
#include "src/control/listen.h"
#include "src/control/loader.h"
#include "src/control/notify_socket.h"
#include "src/control/ready_line.h"
#include "src/control/real_host.h"
#include "src/control/resources.h"
#include "src/control/shard_thread.h"
#include "src/control/start_limits.h"
#include "src/control/table_door.h"
#include "src/control/upgrade.h"
#include "src/shard/shard.h"
#include "src/upstream/table_handout.h"

namespace postern::control {
namespace {

// At the end of the process, for what is under way.
constexpr std::chrono::milliseconds kHelperPatience{250};
constexpr std::chrono::milliseconds kLogPatience{1'500};

void Say(const std::string& text) {
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    std::fprintf(stderr, "postern: %.*s\n", static_cast<int>(line.size()), line.data());
  }
}

int Fail(int code, const absl::Status& status) {
  Say(std::string(status.message()));
  return code;
}

class Process {
 public:
  explicit Process(ProcessOptions options) : options_(std::move(options)) {}

  int Run();

 private:
  Handover BeginHandover();
  absl::Status OpenDoor();
  void TakeOver();
  absl::Status CreateDrivers();
  std::string DriverKind() const;
  absl::Status Listen();
  void StartShards();
  void AddServices(Control* control);
  int Serve();
  int RunControl();
  int End();

  ProcessOptions options_;
  std::unique_ptr<Generation> generation_;  // until the control thread has it
  const config::Config* config_ = &options_.config;
  tls::TicketSecret random_secret_ = tls::RandomTicketSecret();
  Inheritance inheritance_;
  std::vector<size_t> cores_ = AllowedCores();
  std::vector<std::unique_ptr<ShardThread>> shards_;
  std::unique_ptr<shard::HandOff> hand_off_;
  std::unique_ptr<io::Driver> control_driver_;
  // Dies before the driver: its signal watcher wakes it until it is joined.
  RealHost host_;
  proxy::LogChannel control_log_;
  std::unique_ptr<LogThread> logs_;
  Helper helper_;
  std::vector<uint16_t> ports_;
  std::unique_ptr<UpgradeDoor> door_;
  SingleListener admin_{"admin"};
  SingleListener metrics_{"metrics"};
  DescriptorPlan descriptors_;
  std::string drivers_;  // which they are, for people
};

int Process::Run() {
  // First: a handover may be thousands of descriptors, and files may change while they are read.
  RaiseDescriptorLimit();
  WatchSources(*config_, nullptr, options_.source, &host_);
  const std::string problem = host_.WatchProblem();
  if (config_->watch_files && !options_.check_config && !problem.empty()) {
    Say(problem);
  }
  if (options_.upgrade && !options_.check_config) {
    absl::Status status = inheritance_.AskPredecessor(*config_);
    if (!status.ok()) {
      return Fail(kExitFailure, status);
    }
    random_secret_ = inheritance_.secret();
  }
  const ListHistory lists = inheritance_.lists();
  const LoadTerms terms = {.host = &host_,
                           .lists = &lists,
                           .random_secret = random_secret_,
                           .instance = RandomInstance()};
  auto materials = LoadMaterials(std::make_shared<const config::Config>(options_.config), terms);
  if (!materials.ok()) {
    return Fail(kExitConfig, materials.status());
  }
  size_t count = config_->shards != 0 ? config_->shards : std::max<size_t>(cores_.size(), 1);
  if (options_.check_config) {
    count = 1;
  } else {
    auto descriptors = CheckStartLimits(*config_, count, &materials->warnings);
    if (!descriptors.ok()) {
      return Fail(kExitFailure, descriptors.status());
    }
    descriptors_ = *std::move(descriptors);
  }
  auto generation = BuildGeneration(*std::move(materials), count, nullptr);
  if (!generation.ok()) {
    return Fail(absl::IsInvalidArgument(generation.status()) ? kExitConfig : kExitFailure,
                generation.status());
  }
  generation_ = *std::move(generation);
  inheritance_.KeepHealth(generation_->health.get());
  for (size_t i = 0; i < count; ++i) {
    shards_.push_back(std::make_unique<ShardThread>());
    shards_.back()->serving = generation_->servings[i].get();
  }
  // The error log gets them when the process serves; whoever starts it looks here.
  if (options_.check_config || config_->error_log != "-") {
    for (const std::string& warning : WarningsOf(*generation_, host_.WallSeconds())) {
      Say(absl::StrCat("warning: ", warning));
    }
  }
  if (options_.check_config) {
    Say("the configuration is good");
    return kExitOk;
  }
  return Serve();
}

int Process::Serve() {
  absl::Status status = CreateDrivers();
  if (status.ok() && !inheritance_.has_predecessor()) {
    status = OpenDoor();
  }
  if (status.ok()) {
    status = Listen();
  }
  for (const std::string& line : inheritance_.CloseUnused()) {
    Say(line);
  }
  logs_ = std::make_unique<LogThread>(&host_, *config_);
  if (status.ok()) {
    status = logs_->OpenLogs();
  }
  if (!status.ok()) {
    return Fail(kExitFailure, status);
  }
  return RunControl();
}

absl::Status Process::CreateDrivers() {
  absl::StatusOr<Drivers> drivers = ChooseDrivers(config_->io);
  if (!drivers.ok()) {
    return drivers.status();
  }
  drivers_ = drivers->description;
  auto create = [&drivers](bool few, std::unique_ptr<io::Driver>* out) {
    auto driver = drivers->make(few);
    if (driver.ok()) {
      *out = *std::move(driver);
    }
    return driver.status();
  };
  absl::Status status;
  for (auto& shard : shards_) {
    status.Update(create(false, &shard->driver));
  }
  status.Update(create(true, &control_driver_));
  if (status.ok()) {
    status = inheritance_.CheckDriver(DriverKind());
  }
  return status;
}

std::string Process::DriverKind() const {
  return drivers_.substr(0, drivers_.find_first_of(":, "));  // the first word of what describes it
}

// What the shards do not know.
Handover Process::BeginHandover() {
  Handover handover;
  handover.io = DriverKind();
  handover.secret = random_secret_;
  handover.notify_socket = std::string(absl::NullSafeStringView(std::getenv("NOTIFY_SOCKET")));
  handover.watchdog_us = std::string(absl::NullSafeStringView(std::getenv("WATCHDOG_USEC")));
  for (const auto* one : {&admin_, &metrics_}) {
    if (one->socket.valid()) {
      handover.admin.push_back({one->name,
                                {one->address.address, one->address.port},
                                control_driver_->Duplicate(one->socket)});
    }
  }
  return handover;
}

// Where a successor may ask, if one may.
absl::Status Process::OpenDoor() {
  if (config_->upgrade_socket.empty()) {
    return absl::OkStatus();
  }
  absl::StatusOr<std::unique_ptr<UpgradeDoor>> door = UpgradeDoor::Open(config_->upgrade_socket);
  if (door.ok()) {
    door_ = *std::move(door);
  }
  return door.status();
}

// The predecessor lets go, and its name is free for the next successor.
void Process::TakeOver() {
  absl::Status ready = inheritance_.SayReady();
  if (!ready.ok()) {
    Say(std::string(ready.message()));
  }
  absl::Status door = OpenDoor();
  if (!door.ok()) {
    Say(absl::StrCat("no successor can take over: ", door.message()));
  }
}

absl::Status Process::Listen() {
  absl::Status status = inheritance_.AddActivated(*config_);
  if (!status.ok()) {
    return status;
  }
  io::ListenOptions terms;
  terms.backlog = descriptors_.shard.backlog(config_->listeners.size());
  terms.cores = SteeringCores(*config_, cores_, shards_.size());
  inheritance_.Steer(terms.cores);
  std::vector<io::Driver*> drivers;
  std::vector<proxy::Serving*> servings;
  for (auto& shard : shards_) {
    drivers.push_back(shard->driver.get());
    servings.push_back(shard->serving);
  }
  status = OpenListeners(*config_, drivers, servings, terms, inheritance_.listeners(), &ports_);
  if (status.ok() && config_->admin_enabled) {
    status = OpenSingle(config_->admin, control_driver_.get(), inheritance_.admin(), &admin_);
  }
  if (status.ok() && config_->metrics_address.has_value()) {
    status = OpenSingle(*config_->metrics_address, control_driver_.get(), inheritance_.admin(),
                        &metrics_);
  }
  return status;
}

void Process::StartShards() {
  std::vector<io::Waker*> wakers;
  for (auto& shard : shards_) {
    wakers.push_back(shard->driver->waker());
  }
  hand_off_ = std::make_unique<shard::HandOff>(std::move(wakers));
  for (size_t i = 0; i < shards_.size(); ++i) {
    ShardThread* shard = shards_[i].get();
    shard::Options options;
    options.index = static_cast<uint32_t>(i);
    options.serving = shard->serving;
    options.driver = shard->driver.get();
    options.log = &shard->log;
    options.mailbox = &shard->mailbox;
    options.hand_off = hand_off_.get();
    options.steering_cores = SteeringCores(*config_, cores_, shards_.size());
    options.capacity = descriptors_.shard;
    options.control = control_driver_->waker();
    options.log_waker = logs_->waker();
    std::optional<size_t> core;
    if (config_->pin_shards && !cores_.empty()) {
      core = cores_[i % cores_.size()];
    }
    shard->thread = std::thread(RunShard, std::move(options), core);
  }
}

void Process::AddServices(Control* control) {
  control->SetHealthService([control](const Generation& generation) {
    return MakeHealthChecker(
        generation, control->env(),
        [control](config::LogLevel level, const std::string& line) { control->Log(level, line); });
  });
  if (config_->admin_enabled) {
    control->AddService(proxy::Owner::kAdmin,
                        options_.make_admin(control->env(), control, admin_.socket));
  }
  if (config_->metrics_address.has_value()) {
    control->AddService(proxy::Owner::kMetrics,
                        options_.make_metrics(control->env(), control, metrics_.socket));
  }
  absl::StatusOr<int> tools = upstream::ListenForTools();
  if (tools.ok()) {
    control->AddService(proxy::Owner::kTableDoor,
                        std::make_unique<TableDoor>(control->env(), control, *tools));
  } else {
    Say(absl::StrCat("health table: ", tools.status().message(),
                     "; healthtop sees it as root only"));
  }
}

int Process::RunControl() {
  Control::Options options;
  options.generation = std::move(generation_);
  options.source = options_.source;
  options.random_secret = random_secret_;
  options.driver = control_driver_.get();
  options.host = &host_;
  options.helper = &helper_;
  options.logs = logs_.get();
  options.log = &control_log_;
  options.descriptors = descriptors_;
  options.listener_ports = ports_;
  options.begin_handover = [this] { return BeginHandover(); };
  options.notifier = Notifier(NotifierFromEnvironment(Say));
  for (auto& shard : shards_) {
    logs_->AddChannel(&shard->log);
    options.shards.push_back({&shard->mailbox, shard->driver->waker(), false, false});
  }
  logs_->AddChannel(&control_log_);
  Control* serving = nullptr;
  options.on_ready = [this, &serving] {
    if (inheritance_.has_predecessor()) {
      TakeOver();
    }
    if (door_ != nullptr) {
      serving->SetDoor(door_.get());
    }
    Say(ReadyLine{config_, shards_.size(), ports_, admin_.address, metrics_.address, drivers_}
            .Text());
    if (options_.on_serving) {
      options_.on_serving();
    }
  };
  Control control(std::move(options));
  serving = &control;
  helper_.set_done_waker(control_driver_->waker());
  AddServices(&control);
  if (absl::Status status = control.Start(); !status.ok()) {
    return Fail(kExitFailure, status);
  }
  logs_->Start();
  helper_.Start();
  StartShards();
  while (control.Turn()) {
  }
  if (door_ != nullptr) {
    door_->Stop();
  }
  std::for_each(shards_.begin(), shards_.end(), [](auto& shard) { shard->thread.join(); });
  return End();
}

// Every request has had its end; what may hold these threads is not the clients' matter.
int Process::End() {
  const bool is_loaded = helper_.Stop(kHelperPatience);
  if (!is_loaded) {
    Say("ends while a reload is under way: a file or a name server does not answer");
  }
  const bool is_idle = host_.StopLooking(kHelperPatience) && is_loaded;
  const bool is_written = logs_->Stop(kLogPatience);
  if (!is_written) {
    Say("ends without its last log lines: a log does not take them");
  }
  if (!is_idle || !is_written) {
    _exit(is_written ? kExitOk : kExitFailure);  // not exit: destructors would wait for the thread
  }
  return kExitOk;
}

}  // namespace

int RunProcess(ProcessOptions options) {
  ReportCrashes();
  const ReportedThread reported("control");
  return Process(std::move(options)).Run();
}

}  // namespace postern::control
