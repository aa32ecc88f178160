#include "tools/load/conductor.h"

#include <signal.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/control/drivers.h"
#include "tools/load/commands.h"

namespace postern::load {
namespace {

constexpr int64_t kLookEveryMs = 20;
// Between the order to start and the start, so that all workers begin at once.
constexpr int64_t kLeadUs = 20'000;
// What a command is given to end once the load is over.
constexpr double kCommandGraceS = 10;

int64_t MonotonicUs() {
  timespec time = {};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000'000 + time.tv_nsec / 1000;
}

absl::Status RaiseDescriptorLimit(size_t connections) {
  rlimit limit = {};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  size_t wanted = connections + 100;
  if (limit.rlim_cur < wanted) {
    return absl::ResourceExhaustedError(
        absl::StrCat("this process may open ", limit.rlim_cur, " files, and ", connections,
                     " connections need ", wanted, ": raise it with 'ulimit -n'"));
  }
  return absl::OkStatus();
}

class Conductor {
 public:
  explicit Conductor(const Plan& plan) : plan_(plan), commands_(plan.options.commands) {}
  ~Conductor();

  absl::StatusOr<Results> Run();

 private:
  struct Hand {
    std::unique_ptr<Worker> worker;
    std::thread thread;
    bool ready = false;
    bool ended = false;
    size_t seconds = 0;  // that it has told of
  };

  absl::Status Begin();
  void TellAll(const Order& order);
  // Waits a moment; true when a signal asks to stop.
  bool Pause();
  void ReadReports();
  void CloseSeconds();
  void CloseSecond(size_t second, const Tally& tally);
  void Finish();
  bool AllEnded() const;
  double elapsed_s() const { return static_cast<double>(MonotonicUs() - start_us_) / 1e6; }

  const Plan& plan_;
  Commands commands_;
  std::vector<Hand> hands_;
  sigset_t signals_ = {};
  int64_t start_us_ = 0;
  absl::Status failure_;
  std::map<size_t, Tally> seconds_;  // not closed yet
  int64_t busy_us_ = 0;
  double ended_s_ = 0;
  Results results_;
};

Conductor::~Conductor() {
  for (Hand& hand : hands_) {
    if (hand.thread.joinable()) {
      hand.thread.join();
    }
  }
}

absl::Status Conductor::Begin() {
  absl::Status status = RaiseDescriptorLimit(plan_.options.connections);
  if (!status.ok()) {
    return status;
  }
  auto drivers = control::ChooseDrivers(plan_.options.io);
  if (!drivers.ok()) {
    return drivers.status();
  }
  results_.driver = drivers->description.substr(0, drivers->description.find_first_of(":,"));
  // Before threads are made: they inherit it.
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  for (size_t i = 0; i < plan_.options.threads; ++i) {
    auto driver = drivers->make(false);
    if (!driver.ok()) {
      return driver.status();
    }
    hands_.emplace_back();
    hands_.back().worker = std::make_unique<Worker>(&plan_, i, *std::move(driver));
  }
  for (Hand& hand : hands_) {
    hand.thread = std::thread([worker = hand.worker.get()] { worker->Run(); });
  }
  return absl::OkStatus();
}

void Conductor::TellAll(const Order& order) {
  for (Hand& hand : hands_) {
    if (hand.ready && !hand.ended) {
      hand.worker->Tell(order);
    }
  }
}

bool Conductor::Pause() {
  timespec moment = {0, kLookEveryMs * 1'000'000};
  return sigtimedwait(&signals_, nullptr, &moment) > 0;
}

void Conductor::ReadReports() {
  for (Hand& hand : hands_) {
    Report report;
    while (hand.worker->TakeReport(&report)) {
      switch (report.kind) {
        case Report::Kind::kReady:
          hand.ready = true;
          break;
        case Report::Kind::kFailed:
          failure_ = report.status;
          hand.ended = true;
          break;
        case Report::Kind::kLast:
          hand.ended = true;
          [[fallthrough]];
        case Report::Kind::kSecond:
          seconds_[report.second].Add(*report.tally);
          hand.seconds = report.second + 1;
          break;
      }
    }
  }
}

void Conductor::CloseSeconds() {
  size_t complete = SIZE_MAX;
  for (const Hand& hand : hands_) {
    complete = hand.ended ? complete : std::min(complete, hand.seconds);
  }
  while (!seconds_.empty() && seconds_.begin()->first < complete) {
    CloseSecond(seconds_.begin()->first, seconds_.begin()->second);
    seconds_.erase(seconds_.begin());
  }
}

void Conductor::CloseSecond(size_t second, const Tally& tally) {
  bool counted = static_cast<double>(second) >= plan_.options.warm_up_s;
  results_.rows.push_back(RowOf(second, counted, tally));
  if (counted) {
    results_.total.Add(tally);
  }
  busy_us_ += tally.busy_us;
  // What only waits for the end is nobody's second.
  if (!plan_.options.quiet && (tally.due > 0 || tally.answers() > 0 || tally.failed() > 0)) {
    std::fputs(ProgressLine(results_.rows.back()).c_str(), stderr);
  }
}

bool Conductor::AllEnded() const {
  return std::all_of(hands_.begin(), hands_.end(), [](const Hand& hand) { return hand.ended; });
}

absl::StatusOr<Results> Conductor::Run() {
  absl::Status begun = Begin();
  if (!begun.ok()) {
    return begun;
  }
  bool stopped = false;
  bool started = false;
  while (!AllEnded()) {
    if (Pause()) {
      if (stopped) {
        _exit(130);
      }
      results_.interrupted = true;
    }
    ReadReports();
    bool all_ready = std::all_of(hands_.begin(), hands_.end(),
                                 [](const Hand& hand) { return hand.ready || hand.ended; });
    if (!started && all_ready) {
      started = true;
      start_us_ = MonotonicUs() + kLeadUs;
      TellAll({false, start_us_});
    }
    if (started && !stopped && (results_.interrupted || !failure_.ok())) {
      stopped = true;
      TellAll({true, 0});
    }
    if (started) {
      commands_.Advance(elapsed_s());
      CloseSeconds();
    }
  }
  Finish();
  return failure_.ok() ? absl::StatusOr<Results>(std::move(results_)) : failure_;
}

void Conductor::Finish() {
  ended_s_ = elapsed_s();
  ReadReports();
  CloseSeconds();
  while (commands_.running() && elapsed_s() < ended_s_ + kCommandGraceS && !Pause()) {
    commands_.Advance(elapsed_s());
  }
  results_.commands = commands_.outcomes();
  // Seconds in which connections were only closed.
  std::vector<Row>& rows = results_.rows;
  while (!rows.empty() && rows.back().due + rows.back().answers + rows.back().failed == 0) {
    rows.pop_back();
  }
  double load_s = plan_.options.duration_s;
  auto last_s = static_cast<double>(results_.total.last_us) / 1e6;
  bool short_of_it = results_.interrupted || plan_.options.operations > 0;
  load_s = short_of_it ? last_s : std::max(load_s, last_s);
  results_.counted_s = std::max(load_s - plan_.options.warm_up_s, 1e-3);
  results_.busy_share = static_cast<double>(busy_us_) / 1e6 /
                        (std::max(ended_s_, 1e-3) * static_cast<double>(hands_.size()));
  results_.identities = plan_.identities.size();
  std::map<size_t, IdentityFate> fates;
  for (Hand& hand : hands_) {
    hand.thread.join();
    for (const auto& identity : hand.worker->identities()) {
      fates[identity->index()].Add(identity->fate());
    }
  }
  for (const auto& [index, fate] : fates) {
    if (fate.refusals > 0) {
      results_.refused.push_back({plan_.identities[index].name, fate});
    }
  }
}

}  // namespace

absl::StatusOr<Results> Conduct(const Plan& plan) {
  return Conductor(plan).Run();
}

}  // namespace postern::load
