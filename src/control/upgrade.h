// Replacing a running process: the door at which a successor asks for what the process holds, and
// the successor's side of it. The running one goes on until the successor says that it accepts; if
// it never does, nothing has happened.
#ifndef POSTERN_SRC_CONTROL_UPGRADE_H_
#define POSTERN_SRC_CONTROL_UPGRADE_H_

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "src/control/handover.h"
#include "src/control/patience.h"
#include "src/io/driver.h"

namespace postern::control {

// A Unix socket, and a thread of its own that waits on it and may block. Whoever has come in and
// not asked is in nobody's way; one who has asked is waited for while it starts, and others that
// ask meanwhile are told so.
class UpgradeDoor {
 public:
  enum class Event : uint8_t {
    kNone,
    kWanted,      // a successor asks: Provide
    kHandedOver,  // it accepts: stop accepting, and drain
  };

  // `path`: of a file, or with a leading '@' an abstract name. Only this user and root are served.
  static absl::StatusOr<std::unique_ptr<UpgradeDoor>> Open(const std::string& path);
  // Stops.
  ~UpgradeDoor();
  UpgradeDoor(const UpgradeDoor&) = delete;
  UpgradeDoor& operator=(const UpgradeDoor&) = delete;

  // `waker`, which outlives this, is woken when there is an event.
  void Start(io::Waker* waker);
  // By the control thread: what has happened since the last time.
  Event TakeEvent();
  // The answer to an event is still waited for.
  bool awaits();
  // Answers an event. Without a value a successor that wants something is turned away. The
  // descriptors are taken over, and closed if nobody waits for them any more.
  void Provide(std::optional<Handover> handover);
  // The process that took over; 0 before kHandedOver.
  int successor() const { return successor_; }
  // After kHandedOver.
  bool SuccessorLives() const;
  void Stop();

 private:
  explicit UpgradeDoor(std::string path) : path_(std::move(path)) {}

  void Run();
  // One wait and what came of it. False once stopping or handed over.
  bool Serve();
  void Admit();
  // What the guest at this place has said.
  void Hear(size_t guest);
  // Takes over `peer`.
  void Answer(int peer);
  // A word of the one that starts, its end, or the end of its time. True: it is ready.
  bool EndStart();
  void HandOver();
  void Announce(Event event);
  std::optional<Handover> AwaitProvided();

  std::string path_;
  int listener_ = -1;
  bool bound_ = false;  // the name is ours
  int stop_ = -1;       // an eventfd
  io::Waker* waker_ = nullptr;
  std::thread thread_;
  std::vector<int> guests_;  // connected, of this user or root, and silent; the oldest first
  int starting_ = -1;        // the one that has been given a handover
  std::optional<Patience> start_patience_;
  int successor_ = 0;
  int watch_ = -1;  // the successor's pidfd
  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  Event event_ = Event::kNone;
  bool stopping_ = false;
  bool awaited_ = false;  // by AwaitProvided
  bool provided_ = false;
  std::optional<Handover> handover_;
};

// What a successor has of the process that it replaces.
class Predecessor {
 public:
  // Waits for up to 30 s. What it is given are listening sockets, or it fails.
  static absl::StatusOr<std::unique_ptr<Predecessor>> Ask(const std::string& path);
  ~Predecessor();

  Handover& handover() { return handover_; }
  // This process accepts: the other one need not any more. Returns when its door is closed.
  absl::Status SayReady();

 private:
  explicit Predecessor(int socket) : socket_(socket) {}

  int socket_;
  Handover handover_;
};

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_UPGRADE_H_
