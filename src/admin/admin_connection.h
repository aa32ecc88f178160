// One connection to the admin server: requests come in, one at a time, and are answered.
//
// Completions record facts; Advance decides. Closing is cancel, join, close; only a closed
// connection may be destroyed.
#ifndef POSTERN_SRC_ADMIN_ADMIN_CONNECTION_H_
#define POSTERN_SRC_ADMIN_ADMIN_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "src/admin/commands.h"
#include "src/admin/pages.h"
#include "src/admin/state_texts.h"
#include "src/base/slab.h"
#include "src/base/text_buffer.h"
#include "src/base/timer_wheel.h"
#include "src/control/status_source.h"
#include "src/http/h1_parser.h"
#include "src/io/driver.h"
#include "src/proxy/env.h"
#include "src/proxy/socket_side.h"

namespace postern::admin {

// From the first byte of a head to its last one.
inline constexpr int64_t kHeadTimeoutMs = 10'000;
// Between requests.
inline constexpr int64_t kIdleTimeoutMs = 30'000;
// For the shards to tell about themselves.
inline constexpr int64_t kSnapshotTimeoutMs = 5'000;

class AdminConnection {
 public:
  // Owns `socket`. `env`, `source`, `commands` and `texts` outlive this.
  AdminConnection(proxy::Env* env, control::StatusSource* source, Commands* commands,
                  StateTexts* texts, Scope scope, base::SlabId id, io::Socket socket);
  // Closed.
  ~AdminConnection();
  AdminConnection(const AdminConnection&) = delete;
  AdminConnection& operator=(const AdminConnection&) = delete;

  // Facts.
  void OnCompletion(const io::Completion& completion);
  // Decides and submits. Once a turn, news or not: deadlines and the snapshots are looked at here.
  void Advance();
  // Ends it whatever it is doing.
  void Cut();

  // What is lost if it is cut, least first.
  enum class Worth : uint8_t {
    kNothing,  // it has been answered, or has asked for nothing yet
    kAsking,   // part of a request has come
    kAnswer,   // its answer is awaited or under way
  };
  Worth worth() const;
  int64_t since_ms() const { return since_ms_; }  // in this state
  uint8_t network() const { return network_; }    // of its peer: a flow, see FlowOf
  bool closing() const { return state_ == State::kClosing || state_ == State::kClosed; }

  uint32_t generation() const { return id_.generation; }
  // Nothing is in flight and nothing is open.
  bool closed() const { return state_ == State::kClosed; }

 private:
  enum class State : uint8_t {
    kReading,    // a head is awaited; its first bytes may lie in text_
    kWaiting,    // /status or /metrics was asked for; snapshots of round_ are awaited, nothing is
                 // read
    kSending,    // answer_ is being sent, nothing is read; then kReading or kLingering
    kLingering,  // our half has ended; what still comes is dropped until the peer's has, too
    kClosing,    // whatever is in flight has been cancelled and is being joined
    kClosed,     // the socket is closed
  };

  // Each does what can be done in its state; false when the state stays as it is.
  bool Step();
  bool StepReading();
  bool StepWaiting();
  bool StepSending();
  bool StepLingering();
  bool StepClosing();

  void TakeInput();
  void OnHead(std::string_view bytes);
  // A head that cannot be read: where the next one begins is unknown, so this is the last answer.
  void Refuse(uint16_t status);
  void AnswerState();
  void BeginAnswer(Answer answer);
  void EnterReading();
  void Enter(State state, int64_t deadline_ms);
  bool Expired() const { return env_->now.monotonic_ms() >= deadline_ms_; }
  void ArmTimer();

  proxy::Env* env_;
  control::StatusSource* source_;
  Commands* commands_;
  StateTexts* texts_;
  Scope scope_;
  base::SlabId id_;
  State state_ = State::kReading;
  bool head_begun_ = false;   // the first byte of a head has come
  bool head_only_ = false;    // the request was HEAD
  bool close_after_ = false;  // the answer is the last one
  bool metrics_ = false;      // in kWaiting: for /metrics
  int64_t deadline_ms_ = 0;   // of the state
  int64_t since_ms_ = 0;      // when it began
  uint8_t network_;
  uint64_t round_ = 0;         // of the snapshots awaited
  size_t body_sent_ = 0;       // bytes of answer_'s body handed to side_
  size_t lingered_bytes_ = 0;  // dropped
  Answer answer_;
  proxy::SocketSide side_;
  base::TextBuffer text_;
  http::HeadScanner scanner_;
  base::Timer timer_;
};

}  // namespace postern::admin

#endif  // POSTERN_SRC_ADMIN_ADMIN_CONNECTION_H_
