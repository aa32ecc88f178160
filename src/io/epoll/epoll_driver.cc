#include "src/io/epoll/epoll_driver.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "src/base/check.h"
#include "src/base/limits.h"
#include "src/io/epoll/attempt.h"
#include "src/io/epoll/buffer_pool.h"
#include "src/io/machine/clock.h"
#include "src/io/machine/event_waker.h"
#include "src/io/machine/socket.h"

namespace postern::io::epoll {
namespace {

using machine::StatusOf;

constexpr size_t kEventsPerWait = 256;

class EpollDriver : public Driver {
 public:
  explicit EpollDriver(const Options& options);
  ~EpollDriver() override;

  absl::Status Create();

  absl::Status Start() override;
  absl::StatusOr<Socket> Listen(const ListenOptions& options) override;
  Socket Adopt(int descriptor) override { return Socket{descriptor}; }
  int Export(Socket socket) override;
  int Duplicate(Socket socket) override { return machine::Duplicate(socket.id); }
  Address LocalAddress(Socket socket) override { return machine::LocalAddressOf(socket.id); }
  Address PeerAddress(Socket socket) override { return machine::PeerAddressOf(socket.id); }

  void SubmitAccept(Socket listener, Token token) override;
  bool TakeWaiting(Socket listener, Socket* socket) override;
  Status Open(bool ipv6, Socket* socket) override;
  void SubmitConnect(Socket socket, const Address& peer, Token token) override;
  void SubmitReceive(Socket socket, BufferClass buffer_class, Token token) override;
  void ReleaseBuffer(const Buffer& buffer) override;
  void SubmitSend(Socket socket, std::span<const std::span<const uint8_t>> spans,
                  Token token) override;
  void SubmitCancel(Token target) override;
  void AcknowledgeNow(Socket socket) override { machine::AcknowledgeNow(socket.id); }
  void Shutdown(Socket socket, ShutdownSide side) override;
  void Close(Socket socket) override;
  void Submit() override;
  Turn Wait(std::span<Completion> out, int64_t deadline_us) override;
  base::Time now() const override { return now_; }
  int64_t MonotonicUs() override { return machine::MonotonicMicroseconds(); }
  void RandomBytes(std::span<uint8_t> out) override { machine::FillRandom(out); }
  Waker* waker() override { return &waker_; }
  const Stats& stats() const override { return stats_; }

 private:
  struct Peer {
    In in;
    Out out;
    bool watched = false;
  };
  // Handed over and not yet tried.
  struct Queued {
    Token token;
    int descriptor;  // -1: cancel the operation under `token`
  };

  Peer& PeerOf(int descriptor);
  void Forget(Socket socket);
  void Enqueue(Token token, int descriptor);
  // An operation that is still there waits for what epoll says.
  void Await(Token token, int descriptor, Peer* peer);
  void TryIn(int descriptor, Peer* peer);
  void TryOut(int descriptor, Peer* peer);
  void Accept(int descriptor, Peer* peer);
  void Cancel(Token target);
  void Complete(Token* token, const Outcome& outcome);
  void OnEvent(const epoll_event& event);
  int WaitForEvents(std::span<epoll_event> events, int64_t wait_us);
  BufferPool& PoolOf(BufferClass buffer_class);
  void ReadClocks();

  int epoll_ = -1;
  BufferPool small_;
  BufferPool large_;
  BufferPool handshake_;
  machine::EventWaker waker_;
  std::vector<Peer> peers_;  // by descriptor
  std::vector<Queued> queued_;
  std::deque<Completion> done_;
  absl::flat_hash_map<Token, int> waiting_;  // descriptor of each operation that has to wait
  bool fine_time_ = true;                    // epoll_pwait2 is there
  base::Time now_;
  Stats stats_;
};

EpollDriver::EpollDriver(const Options& options)
    : small_(0, options.small_buffers, options.small_buffer_bytes),
      large_(options.small_buffers, options.large_buffers, options.large_buffer_bytes),
      handshake_(options.small_buffers + options.large_buffers, options.handshake_buffers,
                 options.handshake_buffer_bytes) {}

EpollDriver::~EpollDriver() {
  if (epoll_ >= 0) {
    close(epoll_);
  }
}

absl::Status EpollDriver::Create() {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.fd = waker_.descriptor();
  if (epoll_ < 0 || epoll_ctl(epoll_, EPOLL_CTL_ADD, waker_.descriptor(), &event) != 0) {
    return absl::ResourceExhaustedError(absl::StrCat("epoll: ", std::strerror(errno)));
  }
  ReadClocks();
  return absl::OkStatus();
}

absl::Status EpollDriver::Start() {
  ReadClocks();
  return absl::OkStatus();
}

void EpollDriver::ReadClocks() {
  now_.monotonic_us = machine::MonotonicMicroseconds();
  now_.wall_ms = machine::WallMilliseconds();
}

BufferPool& EpollDriver::PoolOf(BufferClass buffer_class) {
  bool small = buffer_class == BufferClass::kSmall;
  return small ? small_ : buffer_class == BufferClass::kLarge ? large_ : handshake_;
}

EpollDriver::Peer& EpollDriver::PeerOf(int descriptor) {
  auto index = static_cast<size_t>(descriptor);
  if (index >= peers_.size()) {
    peers_.resize(std::max(index + 1, 2 * peers_.size()));
  }
  return peers_[index];
}

absl::StatusOr<Socket> EpollDriver::Listen(const ListenOptions& options) {
  absl::StatusOr<int> descriptor = machine::OpenListener(options);
  return descriptor.ok() ? absl::StatusOr<Socket>(Socket{*descriptor}) : descriptor.status();
}

int EpollDriver::Export(Socket socket) {
  Forget(socket);
  epoll_ctl(epoll_, EPOLL_CTL_DEL, socket.id, nullptr);  // if it was watched at all
  return socket.id;
}

void EpollDriver::Forget(Socket socket) {
  Peer& peer = PeerOf(socket.id);
  CHECK(peer.in.token == 0 && peer.out.token == 0);
  peer = Peer();
}

Status EpollDriver::Open(bool ipv6, Socket* socket) {
  int descriptor = machine::OpenStream(ipv6);
  if (descriptor < 0) {
    return StatusOf(-descriptor);
  }
  socket->id = descriptor;
  return Status::kOk;
}

void EpollDriver::Enqueue(Token token, int descriptor) {
  ++stats_.submissions;
  queued_.push_back({token, descriptor});
}

void EpollDriver::SubmitAccept(Socket listener, Token token) {
  PeerOf(listener.id).in.token = token;
  Enqueue(token, listener.id);
}

bool EpollDriver::TakeWaiting(Socket listener, Socket* socket) {
  *socket = Socket{std::max(machine::AcceptWaiting(listener.id), -1)};
  return socket->valid();
}

void EpollDriver::SubmitConnect(Socket socket, const Address& address, Token token) {
  Out& out = PeerOf(socket.id).out;
  out.token = token;
  out.peer = address;
  Enqueue(token, socket.id);
}

void EpollDriver::SubmitReceive(Socket socket, BufferClass buffer_class, Token token) {
  In& in = PeerOf(socket.id).in;
  DCHECK(in.token == 0);
  in.token = token;
  in.buffer_class = buffer_class;
  Enqueue(token, socket.id);
}

void EpollDriver::SubmitSend(Socket socket, std::span<const std::span<const uint8_t>> spans,
                             Token token) {
  DCHECK(!spans.empty() && spans.size() <= base::limits::kSendSpans);
  Out& out = PeerOf(socket.id).out;
  DCHECK(out.token == 0);
  out.token = token;
  out.count = static_cast<uint32_t>(spans.size());
  for (size_t i = 0; i < spans.size(); ++i) {
    out.parts[i] = {const_cast<uint8_t*>(spans[i].data()), spans[i].size()};
  }
  Enqueue(token, socket.id);
}

void EpollDriver::SubmitCancel(Token target) {
  Enqueue(target, -1);
}

void EpollDriver::ReleaseBuffer(const Buffer& buffer) {
  BufferPool& pool = small_.Has(buffer.id) ? small_ : large_.Has(buffer.id) ? large_ : handshake_;
  pool.Release(buffer.id);
}

void EpollDriver::Shutdown(Socket socket, ShutdownSide side) {
  shutdown(socket.id, side == ShutdownSide::kWrite ? SHUT_WR : SHUT_RDWR);
}

void EpollDriver::Close(Socket socket) {
  Forget(socket);
  close(socket.id);  // which ends the watch
}

void EpollDriver::Complete(Token* token, const Outcome& outcome) {
  Completion completion;
  completion.token = std::exchange(*token, 0);
  completion.status = outcome.status;
  completion.bytes = outcome.bytes;
  completion.buffer = outcome.buffer;
  stats_.no_buffers += outcome.status == Status::kNoBuffers ? 1 : 0;
  waiting_.erase(completion.token);
  done_.push_back(completion);
}

void EpollDriver::Await(Token token, int descriptor, Peer* peer) {
  if (token == 0) {
    return;
  }
  waiting_[token] = descriptor;
  if (peer->watched) {
    return;
  }
  epoll_event event = {};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.fd = descriptor;
  // Tells at once what is the case already. Fails only for want of kernel memory.
  CHECK(epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) == 0);
  peer->watched = true;
}

void EpollDriver::TryIn(int descriptor, Peer* peer) {
  if (OperationOf(peer->in.token) == Operation::kAccept) {
    Accept(descriptor, peer);
  } else if (auto outcome = TryReceive(descriptor, &peer->in, &PoolOf(peer->in.buffer_class))) {
    Complete(&peer->in.token, *outcome);
  }
  Await(peer->in.token, descriptor, peer);
}

void EpollDriver::TryOut(int descriptor, Peer* peer) {
  bool connects = OperationOf(peer->out.token) == Operation::kConnect;
  if (auto outcome =
          connects ? TryConnect(descriptor, &peer->out) : TrySend(descriptor, &peer->out)) {
    Complete(&peer->out.token, *outcome);
  }
  Await(peer->out.token, descriptor, peer);
}

void EpollDriver::Accept(int descriptor, Peer* peer) {
  while (peer->in.ready) {
    int accepted = machine::AcceptWaiting(descriptor);
    if (accepted >= 0) {
      Completion completion;
      completion.token = peer->in.token;
      completion.more = true;
      completion.socket.id = accepted;
      done_.push_back(completion);
    } else if (accepted == -EAGAIN) {
      peer->in.ready = false;
    } else if (accepted != -EINTR && accepted != -ECONNABORTED) {
      // The connections that are there stay, and `ready` with them: no further edge tells of them.
      Complete(&peer->in.token, {StatusOf(-accepted)});
      return;
    }
  }
}

void EpollDriver::Cancel(Token target) {
  auto found = waiting_.find(target);
  if (found == waiting_.end()) {
    return;  // it has its completion already
  }
  Peer& peer = PeerOf(found->second);
  Complete(peer.in.token == target ? &peer.in.token : &peer.out.token, {Status::kCancelled});
}

void EpollDriver::Submit() {
  for (const Queued& queued : queued_) {
    if (queued.descriptor < 0) {
      Cancel(queued.token);
      continue;
    }
    Peer& peer = PeerOf(queued.descriptor);
    if (peer.in.token == queued.token) {
      TryIn(queued.descriptor, &peer);
    } else {
      CHECK(peer.out.token == queued.token);
      TryOut(queued.descriptor, &peer);
    }
  }
  queued_.clear();
}

int EpollDriver::WaitForEvents(std::span<epoll_event> events, int64_t wait_us) {
  ++stats_.waits;
  int size = static_cast<int>(events.size());
  if (fine_time_ && wait_us > 0 && wait_us != base::kNever) {
    timespec time = {wait_us / 1'000'000, wait_us % 1'000'000 * 1000};
    int count = epoll_pwait2(epoll_, events.data(), size, &time, nullptr);
    if (count >= 0 || errno == EINTR) {
      return std::max(count, 0);
    }
    fine_time_ = false;  // refused, as by an older container's filter
  }
  // Rounded up: a wait that is too short would only come back at once.
  int64_t wait_ms = wait_us == base::kNever ? -1 : std::max<int64_t>((wait_us + 999) / 1000, 0);
  int count = epoll_wait(epoll_, events.data(), size,
                         static_cast<int>(std::min<int64_t>(wait_ms, 3'600'000)));
  return std::max(count, 0);
}

void EpollDriver::OnEvent(const epoll_event& event) {
  int descriptor = event.data.fd;
  if (descriptor == waker_.descriptor()) {
    uint64_t count = 0;
    [[maybe_unused]] ssize_t taken = read(descriptor, &count, sizeof(count));
    return;
  }
  Peer& peer = PeerOf(descriptor);
  bool over = (event.events & (EPOLLERR | EPOLLHUP)) != 0;
  peer.in.ended = peer.in.ended || over || (event.events & EPOLLRDHUP) != 0;
  peer.in.ready = peer.in.ready || peer.in.ended || (event.events & EPOLLIN) != 0;
  // A connect that fails is an error in both directions; its own completion comes first.
  if (peer.out.token != 0 && (over || (event.events & EPOLLOUT) != 0)) {
    TryOut(descriptor, &peer);
  }
  if (peer.in.token != 0 && peer.in.ready) {
    TryIn(descriptor, &peer);
  }
}

Driver::Turn EpollDriver::Wait(std::span<Completion> out, int64_t deadline_us) {
  Submit();
  int64_t wait_us = deadline_us == base::kNever ? base::kNever : deadline_us - MonotonicUs();
  std::array<epoll_event, kEventsPerWait> events;
  int count = WaitForEvents(events, done_.empty() ? std::max<int64_t>(wait_us, 0) : 0);
  for (int i = 0; i < count; ++i) {
    OnEvent(events[static_cast<size_t>(i)]);
  }
  ReadClocks();
  Turn turn;
  turn.completions = std::min(out.size(), done_.size());
  std::copy_n(done_.begin(), turn.completions, out.begin());
  done_.erase(done_.begin(), done_.begin() + static_cast<ptrdiff_t>(turn.completions));
  stats_.completions += turn.completions;
  turn.now = now_;
  return turn;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Driver>> CreateDriver(const Options& options) {
  auto driver = std::make_unique<EpollDriver>(options);
  absl::Status status = driver->Create();
  if (!status.ok()) {
    return status;
  }
  return driver;
}

}  // namespace postern::io::epoll
