#include "src/proxy/socket_side.h"

#include <array>

#include "src/base/check.h"
#include "src/base/limits.h"

namespace postern::proxy {
namespace {

// A receive that fills a small buffer to the brim is one of many: the next asks for a large one.
constexpr uint32_t kSmallBufferFull = io::kSmallBufferBytes;

}  // namespace

SocketSide::SocketSide(Env* env, Owner owner, base::SlabId id, io::Socket socket)
    : env_(env),
      id_(id),
      socket_(socket),
      owner_(owner),
      parked_(env->blocks),
      output_(env->blocks) {}

SocketSide::~SocketSide() {
  CHECK(!in_flight() && !socket_.valid());
  DropInput();
}

void SocketSide::OnReceive(const io::Completion& completion) {
  receiving_ = false;
  switch (completion.status) {
    case io::Status::kOk:
      CHECK(!has_input());
      in_ = completion.buffer;
      in_taken_ = 0;
      bytes_in_ += in_.size;
      ++env_->counters.buffers_held;
      if (receive_class_ != io::BufferClass::kHandshake) {
        receive_class_ =
            in_.size >= kSmallBufferFull ? io::BufferClass::kLarge : io::BufferClass::kSmall;
      }
      break;
    case io::Status::kEndOfStream:
      peer_ended_ = true;
      break;
    case io::Status::kNoBuffers:
      starved_ = true;
      break;
    case io::Status::kCancelled:
      break;
    case io::Status::kReset:
    case io::Status::kRefused:
    case io::Status::kUnreachable:
    case io::Status::kTimedOut:
    case io::Status::kNoDescriptors:
    case io::Status::kOther:
      broken_ = true;
      break;
  }
}

void SocketSide::OnSend(const io::Completion& completion) {
  sending_ = false;
  if (completion.status != io::Status::kOk) {
    broken_ = broken_ || completion.status != io::Status::kCancelled;
    return;
  }
  bytes_out_ += completion.bytes;
  send_progress_ms_ = env_->now.monotonic_ms();
  output_.Consume(completion.bytes);
  send_wait_.Reach(bytes_out_, send_progress_ms_);
  send_waits_ = !output_.empty();
}

void SocketSide::ArmReceive() {
  if (receiving_ || has_input() || peer_ended_ || broken_ || starved_ || !socket_.valid()) {
    return;
  }
  receiving_ = true;
  env_->driver->SubmitReceive(socket_, receive_class_, token(io::Operation::kReceive));
}

void SocketSide::ArmSend() {
  if (sending_ || broken_ || output_.empty()) {
    return;
  }
  std::array<std::span<const uint8_t>, base::limits::kSendSpans> spans;
  size_t count = output_.Peek(0, spans);
  sending_ = true;
  send_progress_ms_ = env_->now.monotonic_ms();
  if (!send_waits_) {
    send_waits_ = true;
    send_wait_.Begin(bytes_out_, send_progress_ms_);
  }
  env_->driver->SubmitSend(socket_, std::span(spans.data(), count), token(io::Operation::kSend));
}

void SocketSide::CancelAll() {
  if (receiving_) {
    env_->driver->SubmitCancel(token(io::Operation::kReceive));
  }
  CancelSend();
}

void SocketSide::CancelSend() {
  if (sending_) {
    env_->driver->SubmitCancel(token(io::Operation::kSend));
  }
}

void SocketSide::Close() {
  CHECK(!in_flight());
  if (socket_.valid()) {
    env_->driver->Close(socket_);
    socket_ = {};
  }
}

std::span<const uint8_t> SocketSide::input() const {
  if (parked_.empty()) {
    return {in_.data + in_taken_, in_.size - in_taken_};
  }
  std::span<const uint8_t> front;
  parked_.Peek(0, {&front, 1});
  return front;
}

void SocketSide::Take(size_t bytes) {
  if (!parked_.empty()) {
    parked_.Consume(bytes);
    return;
  }
  DCHECK(bytes <= in_.size - in_taken_);
  in_taken_ += bytes;
  if (in_taken_ == in_.size) {
    ReleaseBuffer();
  }
}

void SocketSide::DropInput() {
  parked_.Clear();
  ReleaseBuffer();
}

void SocketSide::Park() {
  if (in_.data != nullptr) {
    parked_.Append(input());
    ReleaseBuffer();
  }
}

void SocketSide::ReleaseBuffer() {
  if (in_.data != nullptr) {
    env_->driver->ReleaseBuffer(in_);
    --env_->counters.buffers_held;
    in_ = {};
    in_taken_ = 0;
  }
}

}  // namespace postern::proxy
