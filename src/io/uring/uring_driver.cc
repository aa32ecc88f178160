#include "src/io/uring/uring_driver.h"

#include <liburing.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "src/base/check.h"
#include "src/base/limits.h"
#include "src/io/machine/clock.h"
#include "src/io/machine/event_waker.h"
#include "src/io/machine/socket.h"
#include "src/io/uring/buffer_ring.h"
#include "src/io/uring/ring_wait.h"

namespace postern::io::uring {
namespace {

// The driver's own tokens; their completions never leave it.
constexpr Token kOwnTokens = Token{8} << 60;
constexpr Token kQuietToken =
    kOwnTokens;  // close, cancel: success is silent, an error is of no interest
constexpr Token kWakeToken = kOwnTokens + 1;

constexpr int kSubmitTries = 10'000;

constexpr uint16_t kSmallGroup = 0;
constexpr uint16_t kLargeGroup = 1;
constexpr uint16_t kHandshakeGroup = 2;

uint16_t GroupOf(BufferClass buffer_class) {
  switch (buffer_class) {
    case BufferClass::kSmall:
      return kSmallGroup;
    case BufferClass::kLarge:
      return kLargeGroup;
    case BufferClass::kHandshake:
      return kHandshakeGroup;
  }
  return kSmallGroup;
}

class UringDriver : public Driver {
 public:
  explicit UringDriver(const Features& features) : features_(features) {}
  ~UringDriver() override;

  absl::Status Create(const Options& options);

  absl::Status Start() override;
  absl::StatusOr<Socket> Listen(const ListenOptions& options) override;
  Socket Adopt(int descriptor) override {
    // The kernel would answer that nobody waits, instead of waiting for somebody.
    machine::MakeBlocking(descriptor);
    return Socket{descriptor};
  }
  int Export(Socket socket) override { return socket.id; }
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
  // What a submission points to until the kernel has read it, which is when it is submitted.
  struct Stable {
    msghdr message;
    std::array<iovec, base::limits::kSendSpans> parts;
    sockaddr_storage address;
  };

  io_uring_sqe* NextEntry(Token token);
  // The place that belongs to this entry of the submission queue, and is used again when the entry
  // is.
  Stable* StableOf(const io_uring_sqe* entry);
  absl::Status RegisterBuffers();
  void ArmWake();
  void ReadClocks();
  // False: the completion is the driver's own.
  bool Translate(const io_uring_cqe& cqe, Completion* out);
  BufferRing& RingOf(uint16_t id) {
    return small_.Has(id) ? small_ : large_.Has(id) ? large_ : handshake_;
  }
  void TranslateReceive(const io_uring_cqe& cqe, Completion* out);

  Features features_;
  bool created_ = false;
  io_uring ring_;
  BufferRing small_;
  BufferRing large_;
  BufferRing handshake_;
  machine::EventWaker waker_;
  uint64_t wake_count_ = 0;  // the kernel writes the eventfd's value here
  std::vector<Stable> stable_;
  base::Time now_;
  Stats stats_;
  Options options_;
};

UringDriver::~UringDriver() {
  if (created_) {
    io_uring_queue_exit(&ring_);
  }
}

absl::Status UringDriver::Create(const Options& options) {
  options_ = options;
  io_uring_params params = {};
  params.cq_entries = options.completion_entries;
  params.flags = IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_R_DISABLED;
  if (features_.defer_taskrun) {
    params.flags |= IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
  } else if (features_.coop_taskrun) {
    params.flags |= IORING_SETUP_COOP_TASKRUN;
  }
  int result = io_uring_queue_init_params(options.submission_entries, &ring_, &params);
  if (result < 0) {
    return absl::ResourceExhaustedError(absl::StrCat("io_uring ring: ", std::strerror(-result),
                                                     "; is the memory lock limit too low?"));
  }
  created_ = true;
  stable_.resize(params.sq_entries);
  ReadClocks();
  return absl::OkStatus();
}

absl::Status UringDriver::Start() {
  int result = io_uring_enable_rings(&ring_);
  if (result < 0) {
    return absl::InternalError(absl::StrCat("io_uring enable: ", std::strerror(-result)));
  }
  io_uring_register_ring_fd(
      &ring_);  // saves a descriptor look-up each call; harmless where refused
  absl::Status status = RegisterBuffers();
  ArmWake();
  ReadClocks();
  return status;
}

absl::Status UringDriver::RegisterBuffers() {
  struct Part {
    BufferRing* ring;
    uint16_t group;
    uint32_t count;
    uint32_t bytes;
  };
  uint32_t first_id = 0;
  for (const Part& part :
       {Part{&small_, kSmallGroup, options_.small_buffers, options_.small_buffer_bytes},
        Part{&large_, kLargeGroup, options_.large_buffers, options_.large_buffer_bytes},
        Part{&handshake_, kHandshakeGroup, options_.handshake_buffers,
             options_.handshake_buffer_bytes}}) {
    absl::Status status = part.ring->Register(&ring_, part.group, static_cast<uint16_t>(first_id),
                                              part.count, part.bytes);
    if (!status.ok()) {
      return status;
    }
    first_id += part.count;
  }
  return absl::OkStatus();
}

absl::StatusOr<Socket> UringDriver::Listen(const ListenOptions& options) {
  absl::StatusOr<int> descriptor = machine::OpenListener(options);
  if (!descriptor.ok()) {
    return descriptor.status();
  }
  return Socket{*descriptor};
}

io_uring_sqe* UringDriver::NextEntry(Token token) {
  io_uring_sqe* entry = io_uring_get_sqe(&ring_);
  // A full queue is handed over. The kernel may take none of it for a moment (interrupted, short of
  // memory).
  for (int tries = 0; entry == nullptr; ++tries) {
    CHECK(tries < kSubmitTries);
    Submit();
    entry = io_uring_get_sqe(&ring_);
  }
  ++stats_.submissions;
  io_uring_sqe_set_data64(entry, token);
  return entry;
}

UringDriver::Stable* UringDriver::StableOf(const io_uring_sqe* entry) {
  return &stable_[static_cast<size_t>(entry - ring_.sq.sqes)];
}

void UringDriver::ArmWake() {
  io_uring_sqe* entry = NextEntry(kWakeToken);
  io_uring_prep_read(entry, waker_.descriptor(), &wake_count_, sizeof(wake_count_), 0);
  io_uring_sqe_set_data64(entry, kWakeToken);
}

void UringDriver::SubmitAccept(Socket listener, Token token) {
  io_uring_sqe* entry = NextEntry(token);
  io_uring_prep_multishot_accept(entry, listener.id, nullptr, nullptr, SOCK_CLOEXEC);
  io_uring_sqe_set_data64(entry, token);
}

bool UringDriver::TakeWaiting(Socket listener, Socket* socket) {
  *socket = Socket{std::max(machine::AcceptWaiting(listener.id), -1)};
  return socket->valid();
}

Status UringDriver::Open(bool ipv6, Socket* socket) {
  int descriptor = machine::OpenStream(ipv6);
  if (descriptor < 0) {
    return machine::StatusOf(-descriptor);
  }
  socket->id = descriptor;
  return Status::kOk;
}

void UringDriver::SubmitConnect(Socket socket, const Address& peer, Token token) {
  io_uring_sqe* entry = NextEntry(token);
  Stable* stable = StableOf(entry);
  uint32_t size = ToKernel(peer, &stable->address);
  io_uring_prep_connect(entry, socket.id, reinterpret_cast<sockaddr*>(&stable->address), size);
  io_uring_sqe_set_data64(entry, token);
}

void UringDriver::SubmitReceive(Socket socket, BufferClass buffer_class, Token token) {
  io_uring_sqe* entry = NextEntry(token);
  io_uring_prep_recv(entry, socket.id, nullptr, 0, 0);
  entry->flags |= IOSQE_BUFFER_SELECT;
  entry->buf_group = GroupOf(buffer_class);
  if (features_.poll_first) {
    entry->ioprio |= IORING_RECVSEND_POLL_FIRST;
  }
  io_uring_sqe_set_data64(entry, token);
}

void UringDriver::ReleaseBuffer(const Buffer& buffer) {
  auto id = static_cast<uint16_t>(buffer.id);
  RingOf(id).Release(id);
}

void UringDriver::SubmitSend(Socket socket, std::span<const std::span<const uint8_t>> spans,
                             Token token) {
  DCHECK(!spans.empty() && spans.size() <= base::limits::kSendSpans);
  if (spans.size() == 1) {
    io_uring_sqe* entry = NextEntry(token);
    io_uring_prep_send(entry, socket.id, spans[0].data(), spans[0].size(), MSG_NOSIGNAL);
    io_uring_sqe_set_data64(entry, token);
    return;
  }
  io_uring_sqe* entry = NextEntry(token);
  Stable* stable = StableOf(entry);
  for (size_t i = 0; i < spans.size(); ++i) {
    stable->parts[i] = {const_cast<uint8_t*>(spans[i].data()), spans[i].size()};
  }
  stable->message = {};
  stable->message.msg_iov = stable->parts.data();
  stable->message.msg_iovlen = spans.size();
  io_uring_prep_sendmsg(entry, socket.id, &stable->message, MSG_NOSIGNAL);
  io_uring_sqe_set_data64(entry, token);
}

void UringDriver::SubmitCancel(Token target) {
  io_uring_sqe* entry = NextEntry(kQuietToken);
  io_uring_prep_cancel64(entry, target, 0);
  entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
  io_uring_sqe_set_data64(entry, kQuietToken);
}

void UringDriver::Shutdown(Socket socket, ShutdownSide side) {
  // The ring's own shutdown operation always takes a detour through a worker thread.
  shutdown(socket.id, side == ShutdownSide::kWrite ? SHUT_WR : SHUT_RDWR);
}

void UringDriver::Close(Socket socket) {
  io_uring_sqe* entry = NextEntry(kQuietToken);
  io_uring_prep_close(entry, socket.id);
  entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
  io_uring_sqe_set_data64(entry, kQuietToken);
}

void UringDriver::Submit() {
  ++stats_.waits;
  // Interrupted or out of completion space: what was not taken stays queued and goes with the next
  // call.
  io_uring_submit(&ring_);
}

void UringDriver::ReadClocks() {
  now_.monotonic_us = machine::MonotonicMicroseconds();
  now_.wall_ms = machine::WallMilliseconds();
}

Driver::Turn UringDriver::Wait(std::span<Completion> out, int64_t deadline_us) {
  int64_t wait_us = deadline_us == base::kNever ? base::kNever : deadline_us - MonotonicUs();
  stats_.waits += WaitForCompletions(&ring_, wait_us, out.size());
  if (io_uring_cq_has_overflow(&ring_)) {
    ++stats_.overflows;
  }
  ReadClocks();
  Turn turn;
  unsigned head = 0;
  unsigned seen = 0;
  io_uring_cqe* cqe = nullptr;
  io_uring_for_each_cqe(&ring_, head, cqe) {
    if (turn.completions == out.size()) {
      break;
    }
    ++seen;
    if (Translate(*cqe, &out[turn.completions])) {
      ++turn.completions;
    }
  }
  io_uring_cq_advance(&ring_, seen);
  stats_.completions += seen;
  turn.now = now_;
  return turn;
}

bool UringDriver::Translate(const io_uring_cqe& cqe, Completion* out) {
  if (cqe.user_data >= kOwnTokens) {
    if (cqe.user_data == kWakeToken) {
      ArmWake();
    }
    return false;
  }
  *out = Completion{};
  out->token = cqe.user_data;
  out->more = (cqe.flags & IORING_CQE_F_MORE) != 0;
  if (cqe.res < 0) {
    out->status = machine::StatusOf(-cqe.res);
    stats_.no_buffers += out->status == Status::kNoBuffers ? 1 : 0;
    return true;
  }
  out->bytes = static_cast<uint32_t>(cqe.res);
  Operation operation = OperationOf(out->token);
  if (operation == Operation::kAccept) {
    out->socket.id = cqe.res;
  } else if (operation == Operation::kReceive) {
    TranslateReceive(cqe, out);
  }
  return true;
}

void UringDriver::TranslateReceive(const io_uring_cqe& cqe, Completion* out) {
  if ((cqe.flags & IORING_CQE_F_BUFFER) != 0) {
    auto id = static_cast<uint16_t>(cqe.flags >> IORING_CQE_BUFFER_SHIFT);
    out->buffer = {RingOf(id).data(id), out->bytes, id};
    if (out->bytes == 0) {
      ReleaseBuffer(out->buffer);
    }
  }
  if (out->bytes == 0) {
    out->buffer = {};
    out->status = Status::kEndOfStream;
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<Driver>> CreateDriver(const Features& features,
                                                     const Options& options) {
  auto driver = std::make_unique<UringDriver>(features);
  absl::Status status = driver->Create(options);
  if (!status.ok()) {
    return status;
  }
  return driver;
}

}  // namespace postern::io::uring
