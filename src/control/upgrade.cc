#include "src/control/upgrade.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/base/unix_peer.h"
#include "src/control/upgrade_name.h"

namespace postern::control {
namespace {

// What a successor says, and the answer to the second word.
constexpr char kAsk = 'Q';
constexpr char kReady = 'R';
constexpr char kGone = 'G';
// For the shards to say what they have, and for a running process to answer.
constexpr std::chrono::seconds kProvideTimeout{10};
constexpr std::chrono::seconds kAnswerTimeout{30};
// For a successor to read what it is given, and to start up.
constexpr std::chrono::seconds kReadTimeout{10};
constexpr std::chrono::minutes kStartTimeout{10};
// After a failed accept: out of descriptors, perhaps.
constexpr std::chrono::milliseconds kAcceptPause{100};
// Those that have come in and said nothing. One more takes the place of the oldest, which has had
// the longest time to ask.
constexpr size_t kGuestsMax = 8;

// For as long as a refusal takes to fit into a socket that nothing else has been written to.
void Refuse(int peer, const std::string& why) {
  SendRefusal(peer, why, Patience(std::chrono::seconds(1))).IgnoreError();
  close(peer);
}

absl::Status CheckSockets(const Handover& handover) {
  for (const auto* sockets : {&handover.listeners, &handover.admin}) {
    for (const Handover::Listening& listening : *sockets) {
      absl::StatusOr<Handover::Listening> known = Handover::Listening::Of(listening.descriptor);
      if (!known.ok()) {
        return absl::InvalidArgumentError(absl::StrCat(
            "the running process has handed over something else: ", known.status().message()));
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<UpgradeDoor>> UpgradeDoor::Open(const std::string& path) {
  sockaddr_un name;
  absl::StatusOr<socklen_t> size = MakeName(path, &name);
  if (!size.ok()) {
    return size.status();
  }
  absl::StatusOr<NameLock> lock = NameLock::Take(path);
  if (!lock.ok()) {
    return lock.status();
  }
  int other = Connect(name, *size);
  if (other >= 0) {
    close(other);
    return absl::AlreadyExistsError(absl::StrCat(
        "upgrade socket ", path, ": another postern has it; --upgrade replaces that one"));
  }
  if (other == -EAGAIN) {
    return absl::UnavailableError(absl::StrCat(
        "upgrade socket ", path, ": a process listens there that takes nobody in; end it"));
  }
  if (other == -ECONNREFUSED && path.front() != '@') {
    if (IsNoSocket(path)) {
      return absl::FailedPreconditionError(
          absl::StrCat("upgrade socket ", path,
                       ": is something else than a socket; remove it, or name another"));
    }
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
    // In this order: once nobody listens, the name may be another one's.
    if (bound_ && path_.front() != '@') {
      unlink(path_.c_str());
    }
    close(listener_);
  }
  guests_.insert(guests_.end(), {stop_, watch_, starting_});
  for (int descriptor : guests_) {
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

bool UpgradeDoor::awaits() {
  std::lock_guard lock(mutex_);
  return awaited_;
}

void UpgradeDoor::Provide(std::optional<Handover> handover) {
  {
    std::lock_guard lock(mutex_);
    if (awaited_ && !provided_) {
      handover_ = std::exchange(handover, std::nullopt);
      provided_ = true;
    }
  }
  // Kept, they would go on listening when the process itself does not any more.
  if (handover.has_value()) {
    handover->CloseAll();
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
    awaited_ = true;
    provided_ = false;
  }
  waker_->Wake();
}

std::optional<Handover> UpgradeDoor::AwaitProvided() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kProvideTimeout, [this] { return provided_ || stopping_; });
  awaited_ = false;
  if (event_ == Event::kWanted) {
    event_ = Event::kNone;
  }
  return std::exchange(handover_, std::nullopt);
}

void UpgradeDoor::Run() {
  while (Serve()) {
  }
}

bool UpgradeDoor::Serve() {
  // poll passes over a descriptor of -1.
  std::vector<pollfd> waits = {{stop_, POLLIN, 0}, {listener_, POLLIN, 0}, {starting_, POLLIN, 0}};
  for (int guest : guests_) {
    waits.push_back({guest, POLLIN, 0});
  }
  size_t guests = guests_.size();
  int timeout_ms = start_patience_.has_value() ? start_patience_->left_ms() : -1;
  if (poll(waits.data(), waits.size(), timeout_ms) < 0) {
    return true;
  }
  if (waits[0].revents != 0) {
    return false;
  }
  // First: who asks next may have waited for the end of this one.
  bool late = start_patience_.has_value() && start_patience_->left_ms() == 0;
  if ((waits[2].revents != 0 || late) && EndStart()) {
    return false;
  }
  // From the last one: those before it keep their places.
  for (size_t i = guests; i > 0; --i) {
    if (waits[waits.size() - guests + i - 1].revents != 0) {
      Hear(i - 1);
    }
  }
  if (waits[1].revents != 0) {
    Admit();
  }
  return true;
}

void UpgradeDoor::Admit() {
  int peer = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (peer < 0) {
    Patience(std::chrono::seconds(1), stop_).Pause(kAcceptPause);
    return;
  }
  if (!base::IsTrusted(base::PeerOf(peer))) {
    close(peer);
    return;
  }
  if (guests_.size() == kGuestsMax) {
    close(guests_.front());
    guests_.erase(guests_.begin());
  }
  guests_.push_back(peer);
}

void UpgradeDoor::Hear(size_t guest) {
  int peer = guests_[guest];
  guests_.erase(guests_.begin() + static_cast<ptrdiff_t>(guest));
  char word = 0;
  if (recv(peer, &word, 1, MSG_DONTWAIT) != 1 || word != kAsk) {
    close(peer);
  } else if (starting_ >= 0) {
    Refuse(peer, absl::StrCat("process ", base::PeerOf(starting_).pid,
                              " has asked before and is starting up, for which it has ",
                              kStartTimeout.count(), " minutes; if it never will, end it"));
  } else {
    Answer(peer);
  }
}

void UpgradeDoor::Answer(int peer) {
  Announce(Event::kWanted);
  std::optional<Handover> handover = AwaitProvided();
  if (!handover.has_value()) {
    Refuse(peer, absl::StrCat("the running process is ending, or has not answered for ",
                              kProvideTimeout.count(),
                              " s: if it is reloading its configuration, ask again later"));
    return;
  }
  absl::Status sent = SendHandover(peer, *handover, Patience(kReadTimeout, stop_));
  handover->CloseAll();
  if (!sent.ok()) {
    if (absl::IsResourceExhausted(sent)) {
      Refuse(peer, std::string(sent.message()));  // nothing of it has left yet
    } else {
      close(peer);
    }
    return;
  }
  // It starts up, for as long as that takes. One that fails hangs up.
  starting_ = peer;
  start_patience_.emplace(kStartTimeout);
}

bool UpgradeDoor::EndStart() {
  char word = 0;
  if (recv(starting_, &word, 1, MSG_DONTWAIT) == 1 && word == kReady) {
    HandOver();
    return true;
  }
  close(std::exchange(starting_, -1));
  start_patience_.reset();
  return false;
}

void UpgradeDoor::HandOver() {
  successor_ = base::PeerOf(starting_).pid;
  watch_ = static_cast<int>(syscall(SYS_pidfd_open, successor_, 0));  // in glibc 2.36 C has it only
  close(listener_);
  listener_ = -1;  // the name is the successor's from here on
  Announce(Event::kHandedOver);
  // The service manager hears of the successor before it hears anything from it: of what other
  // processes than the main one say it believes nothing.
  AwaitProvided();
  send(starting_, &kGone, 1, MSG_NOSIGNAL);
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
  if (!base::IsTrusted(base::PeerOf(descriptor))) {
    return absl::PermissionDeniedError(
        absl::StrCat("upgrade socket ", path,
                     ": who listens there is neither root nor the user of this process"));
  }
  if (base::PeerOf(descriptor).pid == 1) {
    return absl::FailedPreconditionError(
        "the running postern is process 1 of its container, which ends with it: replace the "
        "container (a rolling update drains the old one), or run postern under an init, as "
        "\"docker run --init\" does");
  }
  // If it does not get there, nothing comes back either.
  send(descriptor, &kAsk, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
  absl::StatusOr<Handover> handover = ReceiveHandover(descriptor, Patience(kAnswerTimeout));
  if (!handover.ok()) {
    return handover.status();
  }
  predecessor->handover_ = *std::move(handover);
  absl::Status status = CheckSockets(predecessor->handover_);
  if (!status.ok()) {
    return status;
  }
  return predecessor;
}

Predecessor::~Predecessor() {
  handover_.CloseAll();
  close(socket_);
}

absl::Status Predecessor::SayReady() {
  char word = kReady;
  if (send(socket_, &word, 1, MSG_NOSIGNAL | MSG_DONTWAIT) != 1 ||
      !Patience(kAnswerTimeout).Await(socket_, POLLIN) ||
      recv(socket_, &word, 1, MSG_DONTWAIT) != 1 || word != kGone) {
    return absl::UnavailableError("the process that was replaced has ended");
  }
  return absl::OkStatus();
}

}  // namespace postern::control
