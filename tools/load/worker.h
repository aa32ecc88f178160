// One thread of the load: a driver, its connections, and the requests that are due.
//
// A turn: wait; record completions; time out; let connections advance; decide what is due and give
// it to connections; hand a full second's tally over.
#ifndef POSTERN_TOOLS_LOAD_WORKER_H_
#define POSTERN_TOOLS_LOAD_WORKER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <vector>

#include "absl/status/status.h"
#include "src/base/arena.h"
#include "src/base/block_pool.h"
#include "src/base/intrusive_list.h"
#include "src/base/slab.h"
#include "src/base/spsc_queue.h"
#include "src/http/h2_library.h"
#include "src/io/driver.h"
#include "src/proxy/env.h"
#include "src/tls/transport.h"
#include "tools/load/connection.h"
#include "tools/load/identity.h"
#include "tools/load/options.h"
#include "tools/load/schedule.h"
#include "tools/load/tally.h"

namespace postern::load {

// What a worker tells the main thread.
struct Report {
  enum class Kind : uint8_t {
    kReady,   // waits for the start
    kFailed,  // could not get ready; its thread ends
    kSecond,  // one is over
    kLast,    // the same, and its thread ends
  };
  Kind kind = Kind::kSecond;
  size_t second = 0;  // counted from the start
  std::unique_ptr<Tally> tally;
  absl::Status status;  // kFailed: why
};

// What the main thread tells a worker.
struct Order {
  bool stop = false;     // no further requests; what is under way is finished
  int64_t start_us = 0;  // else: begin then, by the monotonic clock
};

// What all workers share, read only.
struct Plan {
  Options options;
  Request request;
  std::vector<IdentitySource> identities;
  io::Address address;
};

// Address space that one worker reserves.
size_t ArenaBytesOf(const Plan& plan);

class Worker : public ConnectionUser {
 public:
  // `plan` outlives the worker. The identities' files have been found to be sound.
  Worker(const Plan* plan, size_t index, std::unique_ptr<io::Driver> driver);
  ~Worker() override;

  // The thread: gets ready, waits for the order to start, and makes the load until it is over.
  void Run();

  // For the main thread.
  void Tell(const Order& order);
  bool TakeReport(Report* report) { return reports_.TryPop(report); }
  // After Run.
  const std::vector<std::unique_ptr<Identity>>& identities() const { return identities_; }

  // ConnectionUser
  void OnHandshake(bool offered, bool resumed, int64_t duration_us) override;
  void OnAnswer(Operation* operation, uint16_t status, int64_t at_us) override;
  void OnFailure(Operation* operation, Failure failure) override;
  void OnRefused(Identity* identity, uint8_t alert) override;
  void OnBody(size_t bytes) override { tally_->body_bytes += bytes; }
  void OnLeaving(Connection* connection) override;
  void OnNews(Connection* connection) override;
  void OnStarved(Connection* connection) override;

 private:
  absl::Status GetReady();
  // False: it is over.
  bool Turn();
  int64_t DeadlineUs() const;
  void Dispatch(const io::Completion& completion);
  void TimeOut();
  void AdvanceConnections();
  void FeedStarved();
  void ReadOrders();

  // What is due.
  void Issue();
  void IssueScheduled();
  void IssueClosedLoop();
  void Add(int64_t due_us);
  Kind Draw();
  bool over() const { return finishing_ && unanswered_.empty(); }

  // Upon what connection.
  void Assign();
  void OpenStanding();
  Connection* Open(bool resume);
  void MakeRoom();
  void NoteRoom(Connection* connection);

  void HandOver(bool last);
  int64_t elapsed_us() const { return env_.now.monotonic_us - start_us_; }
  size_t connections_allowed() const;
  void Release(Operation* operation);

  const Plan* plan_;
  size_t index_;
  size_t connections_max_;
  uint64_t operations_left_;
  std::unique_ptr<io::Driver> driver_;
  base::Arena arena_;
  base::BlockPool blocks_;
  tls::Transport tls_;
  http::H2Library h2_;
  proxy::Env env_;
  Terms terms_;
  std::vector<std::unique_ptr<Identity>> identities_;
  size_t next_identity_ = 0;
  base::Slab<Connection> connections_;
  base::Slab<Operation> operations_;
  std::optional<Schedule> schedule_;  // the open loop's
  std::mt19937_64 random_;

  base::IntrusiveList<Operation, AgeTag> unanswered_;
  base::IntrusiveList<Operation, CarryTag> waiting_kept_;  // for a connection that stands
  base::IntrusiveList<Operation, CarryTag> waiting_new_;
  base::IntrusiveList<Connection, proxy::RunTag> run_;
  base::IntrusiveList<Connection, proxy::StarvedTag> starved_;
  base::IntrusiveList<Connection, RoomTag> roomy_;  // the one that waited longest is used next
  base::IntrusiveList<Connection, OpenTag> open_;
  std::deque<int64_t> paused_until_us_;  // closed loop: whoever has just failed
  size_t standing_opened_ = 0;
  int64_t starved_fed_us_ = 0;
  int64_t busy_since_us_ = 0;  // of the thread's processor time
  int64_t start_us_ = base::kNever;
  bool finishing_ = false;

  std::unique_ptr<Tally> tally_;
  size_t second_ = 0;
  base::SpscQueue<Report> reports_{1024};
  base::SpscQueue<Order> orders_{8};
  std::array<io::Completion, 256> completions_;
};

}  // namespace postern::load

#endif  // POSTERN_TOOLS_LOAD_WORKER_H_
