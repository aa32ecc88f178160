#include "src/control/upgrade.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/control/upgrade_name.h"

namespace postern::control {
namespace {

constexpr char kReady = 'R';
constexpr char kGone = 'G';
// For the shards to say what they have, and for a running process to answer.
constexpr std::chrono::seconds kProvideTimeout{10};
constexpr time_t kAnswerTimeoutS = 30;
// For a successor to read what it is given, and to start up.
constexpr timeval kReadTimeout = {.tv_sec = 10, .tv_usec = 0};
constexpr int kStartTimeoutMs = 600'000;
// After a failed accept: out of descriptors, perhaps.
constexpr int kAcceptPauseMs = 100;

}  // namespace

absl::StatusOr<std::unique_ptr<UpgradeDoor>> UpgradeDoor::Open(const std::string& path) {
  sockaddr_un name;
  absl::StatusOr<socklen_t> size = MakeName(path, &name);
  if (!size.ok()) {
    return size.status();
  }
  NameLock lock(path);
  int other = Connect(name, *size);
  if (other >= 0) {
    close(other);
    return absl::AlreadyExistsError(absl::StrCat(
        "upgrade socket ", path, ": another postern has it; --upgrade replaces that one"));
  }
  if (other == -ECONNREFUSED && path.front() != '@' && IsSocket(path)) {
    unlink(path.c_str());  // left behind by a process that was killed
  }
  std::unique_ptr<UpgradeDoor> door(new UpgradeDoor(path));
  door->stop_ = eventfd(0, EFD_CLOEXEC);
  door->listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  door->bound_ = bind(door->listener_, reinterpret_cast<sockaddr*>(&name), *size) == 0;
  if (door->bound_ && path.front() != '@') {
    // Nobody can connect before it listens. (A umask would be that of the helper's files, too.)
    chmod(path.c_str(), 0600);
  }
  if (!door->bound_ || listen(door->listener_, 4) != 0) {
    return Trouble(path, "bind");
  }
  return door;
}

UpgradeDoor::~UpgradeDoor() {
  Stop();
  if (listener_ >= 0) {
    close(listener_);
    if (bound_ && path_.front() != '@') {
      unlink(path_.c_str());
    }
  }
  for (int descriptor : {stop_, watch_}) {
    if (descriptor >= 0) {
      close(descriptor);
    }
  }
  if (handover_.has_value()) {
    handover_->CloseAll();
  }
}

void UpgradeDoor::Start(io::Waker* waker) {
  waker_ = waker;
  thread_ = std::thread([this] { Run(); });
}

void UpgradeDoor::Stop() {
  if (!thread_.joinable()) {
    return;
  }
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  eventfd_write(stop_, 1);
  thread_.join();
}

UpgradeDoor::Event UpgradeDoor::TakeEvent() {
  std::lock_guard lock(mutex_);
  return std::exchange(event_, Event::kNone);
}

void UpgradeDoor::Provide(std::optional<Handover> handover) {
  {
    std::lock_guard lock(mutex_);
    if (handover_.has_value()) {
      handover_->CloseAll();
    }
    handover_ = std::move(handover);
    provided_ = true;
  }
  changed_.notify_all();
}

bool UpgradeDoor::SuccessorLives() const {
  // Not kill(): a process that its parent has not reaped yet is gone, too.
  pollfd wait = {watch_, POLLIN, 0};
  return watch_ >= 0 && poll(&wait, 1, 0) == 0;
}

void UpgradeDoor::Announce(Event event) {
  {
    std::lock_guard lock(mutex_);
    event_ = event;
    provided_ = false;
  }
  waker_->Wake();
}

std::optional<Handover> UpgradeDoor::AwaitProvided() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kProvideTimeout, [this] { return provided_ || stopping_; });
  return std::exchange(handover_, std::nullopt);
}

bool UpgradeDoor::WaitReadable(int descriptor, int timeout_ms) {
  std::array<pollfd, 2> waits = {{{descriptor, POLLIN, 0}, {stop_, POLLIN, 0}}};
  while (poll(waits.data(), waits.size(), timeout_ms) < 0) {
  }
  return waits[1].revents == 0;
}

void UpgradeDoor::Run() {
  while (Serve()) {
  }
}

bool UpgradeDoor::Serve() {
  if (!WaitReadable(listener_, -1)) {
    return false;
  }
  int peer = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (peer < 0) {
    return WaitReadable(-1, kAcceptPauseMs);
  }
  setsockopt(peer, SOL_SOCKET, SO_SNDTIMEO, &kReadTimeout, sizeof(kReadTimeout));
  bool go_on = IsTrusted(PeerOf(peer)) ? Answer(peer) : true;
  close(peer);
  return go_on;
}

bool UpgradeDoor::Answer(int peer) {
  Announce(Event::kWanted);
  std::optional<Handover> handover = AwaitProvided();
  if (!handover.has_value()) {
    return true;
  }
  absl::Status sent = SendHandover(peer, *handover);
  handover->CloseAll();
  if (!sent.ok()) {
    return true;
  }
  // It starts up, for as long as that takes. One that fails hangs up.
  if (!WaitReadable(peer, kStartTimeoutMs)) {
    return false;
  }
  char word = 0;
  if (recv(peer, &word, 1, MSG_DONTWAIT) != 1 || word != kReady) {
    return true;
  }
  successor_ = PeerOf(peer).pid;
  watch_ = static_cast<int>(syscall(SYS_pidfd_open, successor_, 0));  // in glibc 2.36 C has it only
  close(listener_);
  listener_ = -1;  // the name is the successor's from here on
  Announce(Event::kHandedOver);
  // The service manager hears of the successor before it hears anything from it: of what other
  // processes than the main one say it believes nothing.
  AwaitProvided();
  send(peer, &kGone, 1, MSG_NOSIGNAL);
  return false;
}

absl::StatusOr<std::unique_ptr<Predecessor>> Predecessor::Ask(const std::string& path) {
  sockaddr_un name;
  absl::StatusOr<socklen_t> size = MakeName(path, &name);
  if (!size.ok()) {
    return size.status();
  }
  int descriptor = Connect(name, *size);
  if (descriptor < 0) {
    errno = -descriptor;
    return Trouble(path, "no postern answers here that could be replaced");
  }
  std::unique_ptr<Predecessor> predecessor(new Predecessor(descriptor));
  // What it gives are secrets and sockets: from a stranger, who has taken a free name, they would
  // be his.
  if (!IsTrusted(PeerOf(descriptor))) {
    return absl::PermissionDeniedError(
        absl::StrCat("upgrade socket ", path,
                     ": who listens there is neither root nor the user of this process"));
  }
  if (PeerOf(descriptor).pid == 1) {
    return absl::FailedPreconditionError(
        "the running postern is process 1 of its container, which ends with it: replace the "
        "container (a rolling update drains the old one), or run postern under an init, as "
        "\"docker run --init\" does");
  }
  timeval limit = {kAnswerTimeoutS, 0};
  setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  absl::StatusOr<Handover> handover = ReceiveHandover(descriptor);
  if (!handover.ok()) {
    return handover.status();
  }
  predecessor->handover_ = *std::move(handover);
  return predecessor;
}

Predecessor::~Predecessor() {
  handover_.CloseAll();
  close(socket_);
}

absl::Status Predecessor::SayReady() {
  char word = kReady;
  if (send(socket_, &word, 1, MSG_NOSIGNAL) != 1 || recv(socket_, &word, 1, 0) != 1 ||
      word != kGone) {
    return absl::UnavailableError("the process that was replaced has ended");
  }
  return absl::OkStatus();
}

}  // namespace postern::control
