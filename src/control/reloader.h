// Reloads while shards serve: loads on the helper thread, has every shard prepare, then has all of
// them switch, or none. Keeps every generation until no shard points into it. Part of the control
// thread; no thread of its own.
//
//   kIdle -> kSettling -> kLoading -> kPreparing -> kSwitching -> kIdle
//                             |            +-> kAborting -> kIdle
//                             +-> kLoading (failed: once more, who is trusted alone)
//                             +-> kIdle (that too, or nothing has changed)
#ifndef POSTERN_SRC_CONTROL_RELOADER_H_
#define POSTERN_SRC_CONTROL_RELOADER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "src/config/source.h"
#include "src/control/descriptor_plan.h"
#include "src/control/expiry_watch.h"
#include "src/control/generation.h"
#include "src/control/helper.h"
#include "src/shard/mailbox.h"

namespace postern::control {

class Reloader {
 public:
  // What the reloader asks of the control thread.
  class Owner {
   public:
    virtual ~Owner() = default;
    // False: the shard has ended, and will answer nothing.
    virtual bool Send(size_t shard, shard::ToShard message) = 0;
    virtual void Log(config::LogLevel level, const std::string& line) = 0;
    // Every shard serves by `generation` now.
    virtual void OnSwitched(const Generation& generation) = 0;
  };
  struct Options {
    Owner* owner = nullptr;  // all of these outlive the reloader
    Host* host = nullptr;
    Helper* helper = nullptr;
    config::Source source;
    std::unique_ptr<Generation> first;
    tls::TicketSecret random_secret = {};
    size_t shards = 0;
    DescriptorPlan descriptors = {};  // as the start has shared them out
  };
  explicit Reloader(Options options);
  ~Reloader();

  // With the control thread running.
  void Start();
  // Somebody asked for it (SIGHUP): at once, and something is said in any case.
  void Request();
  // A file may have changed: after it has been quiet for a moment, and silently if nothing is
  // different.
  void OnFilesChanged(int64_t now_ms);
  // A shard's answer to something that was sent for this. `shard` is its index.
  void OnMessage(size_t shard, shard::ToControl message);
  // `now_ms` is monotonic, `now_s` seconds since 1970.
  void Advance(int64_t now_ms, int64_t now_s);
  // A shard has ended: it answers nothing any more.
  void OnShardEnded(size_t shard);
  // The process takes no further clients. Of what changes it takes who is trusted, for those that
  // it has; its configuration and its servers stay.
  void Drain();
  // The process is ending: nothing new is begun.
  void Stop();

  // When Advance has something to do by itself, in monotonic time; kNever: not before a message.
  int64_t DeadlineMs() const;
  // What is served.
  const Generation& current() const { return *generations_.back(); }
  // Generations that some shard still points into, the current one included.
  size_t living() const { return generations_.size(); }
  bool busy() const { return state_ != State::kIdle; }
  // A reload is under way that somebody has asked for, or that really changes something: watched
  // directories cry wolf.
  bool loading() const {
    return state_ == State::kLoading ? asked_
                                     : state_ != State::kIdle && state_ != State::kSettling;
  }

  uint64_t reloads() const { return reloads_; }
  uint64_t failures() const { return failures_; }
  const std::string& last_error() const { return last_error_; }

 private:
  enum class State : uint8_t {
    kIdle,
    kSettling,   // files have changed; more may
    kLoading,    // job_ is with the helper
    kPreparing,  // next_ is being prepared, shard by shard
    kAborting,   // a shard could not; the others are forgetting next_
    kSwitching,  // every shard has been told to switch
  };
  // Loads once it has been quiet for a moment.
  void Settle(int64_t now_ms);
  void Load(LoadJob::Scope scope);
  // After a failure.
  void LoadTrust();
  // What there is to load: of a process that drains, trust alone.
  LoadJob::Scope scope() const { return draining_ ? LoadJob::Scope::kTrust : LoadJob::Scope::kAll; }
  void OnLoaded(std::unique_ptr<HelperJob> job, int64_t now_ms);
  // Says once which names have no address, and has them tried again.
  void NoticeNames(const LoadJob& loaded, int64_t now_ms);
  // The first one from `shard` on that has not ended; behind the last one, all are told to switch.
  void PrepareShard(size_t shard);
  void OnPrepared(size_t shard, const shard::ToControl& message);
  void OnReleased(uint64_t number);
  // One answer fewer is awaited in kAborting or kSwitching.
  void OnAnswer(size_t shard);
  void EndTelling();
  // Frees what nobody uses any more.
  void Sweep();
  void Tell(shard::ToShard::Kind kind, size_t shards);
  void Switched();
  void Fail(const absl::Status& status);
  // Who is trusted does not wait until the rest of a configuration is good again.
  void FailedTrust(const absl::Status& status);
  // Says it once when a list has become stale: what that means for clients must not be a riddle.
  void LookAtExpiry(int64_t now_s);
  void LookAtWatch();

  Options options_;
  State state_ = State::kIdle;
  bool asked_ = false;  // by a person: an answer is expected
  bool again_ = false;  // something was asked for meanwhile
  // The configuration could not be loaded as a whole; trust alone is, by the running one.
  bool partial_ = false;
  bool trust_is_left_ = false;  // to be loaded so, once next_ has been forgotten
  bool draining_ = false;
  bool stopped_ = false;
  int64_t changed_ms_ = 0;  // the first of the changes that are settling
  int64_t settle_until_ms_ = 0;
  int64_t look_at_expiry_ms_ = 0;
  int64_t names_again_ms_;                 // kNever: all have addresses
  std::set<std::string> names_told_ = {};  // those that have not, as they were told
  ExpiryWatch expiry_;
  std::string watch_problem_;                             // as it was last told
  std::vector<std::unique_ptr<Generation>> generations_;  // the last one is the current one
  std::unique_ptr<Generation> next_;
  std::vector<uint16_t> ports_;  // of next_'s listeners, once a shard has opened them
  size_t preparing_ = 0;         // in kPreparing: the shard whose answer is awaited
  std::vector<bool> awaited_;    // in kAborting and kSwitching: whose answers are
  uint64_t reloads_ = 0;
  uint64_t failures_ = 0;
  std::string last_error_;
};

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_RELOADER_H_
