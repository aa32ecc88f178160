#include "src/proxy/upstream_transport.h"

#include <algorithm>
#include <array>

#include "src/base/check.h"
#include "src/base/limits.h"

namespace postern::proxy {
namespace {

namespace limits = base::limits;

}  // namespace

UpstreamTransport::UpstreamTransport(Env* env, Owner owner, base::SlabId id,
                                     const UpstreamPeer& peer, io::Socket socket)
    : env_(env),
      id_(id),
      owner_(owner),
      receive_progress_ms_(env->now.monotonic_ms()),
      text_(env->blocks),
      pending_(env->blocks),
      side_(env, owner, id, socket) {
  if (peer.tls != nullptr) {
    engine_.emplace(peer.tls, env->tls, peer.tls_name, peer.tls_sessions);
  }
  ++env_->counters.upstream_connects;
  ++env_->counters.upstream_open;
  env_->driver->SubmitConnect(socket, *peer.address, connect_token());
}

io::Status UpstreamTransport::Open(Env* env, const io::Address& address, io::Socket* socket) {
  const io::Status status = env->driver->Open(address.ipv6, socket);
  env->counters.upstream_connect_failures += status == io::Status::kOk ? 0u : 1u;
  return status;
}

void UpstreamTransport::Fail(ConnectFailure failure) {
  if (state_ != State::kFailed) {
    state_ = State::kFailed;
    failure_ = failure;
    ++env_->counters.upstream_connect_failures;
  }
}

void UpstreamTransport::BecomeUp() {
  state_ = State::kUp;
  up_ms_ = env_->now.monotonic_ms();
}

void UpstreamTransport::GiveUpConnecting() {
  if (!up()) {
    Fail(ConnectFailure::kTimeout);
  }
}

void UpstreamTransport::OnConnect(const io::Completion& completion) {
  connecting_ = false;
  connect_status_ = completion.status;
  if (state_ != State::kConnecting) {
    return;
  }
  if (completion.status != io::Status::kOk) {
    Fail(completion.status == io::Status::kTimedOut ? ConnectFailure::kTimeout
                                                    : ConnectFailure::kConnect);
  } else if (engine_.has_value()) {
    state_ = State::kHandshake;
  } else {
    BecomeUp();
  }
}

void UpstreamTransport::OnReceive(const io::Completion& completion) {
  side_.OnReceive(completion);
  receive_progress_ms_ = env_->now.monotonic_ms();
  engine_drained_ = engine_drained_ && !side_.has_input();
}

void UpstreamTransport::Advance() {
  if (state_ != State::kHandshake) {
    return;
  }
  if (hello_sent_ && !side_.has_input()) {
    if (side_.peer_ended() || side_.broken()) {
      Fail(ConnectFailure::kConnect);
    }
    return;
  }
  hello_sent_ = true;
  std::span<const uint8_t> input = side_.input();
  size_t size = input.size();
  tls::Channel::HandshakeStep step = engine_->Handshake(&input, &side_.output());
  if (size > 0) {
    side_.Take(size - input.size());
  }
  switch (step) {
    case tls::Channel::HandshakeStep::kNeedInput:
      break;
    case tls::Channel::HandshakeStep::kDone:
      ++env_->counters.upstream_handshakes;
      env_->counters.upstream_resumptions += engine_->resumed() ? 1u : 0u;
      engine_drained_ = false;
      BecomeUp();
      break;
    case tls::Channel::HandshakeStep::kRefused:
      ++env_->counters.upstream_refusals[static_cast<size_t>(env_->tls->refusal().reason)];
      // The alert, which tells the server why.
      side_.ArmSend();
      Fail(ConnectFailure::kTls);
      break;
  }
}

std::string_view UpstreamTransport::input() const {
  if (!text_.empty() || engine_.has_value()) {
    return text_.view();
  }
  std::span<const uint8_t> input = side_.input();
  return {reinterpret_cast<const char*>(input.data()), input.size()};
}

bool UpstreamTransport::Pull() {
  return engine_.has_value() ? Decrypt() : Collect();
}

bool UpstreamTransport::Collect() {
  size_t size = std::min(side_.input().size(), base::TextBuffer::kBytesMax - text_.size());
  if (size == 0) {
    return false;
  }
  std::copy_n(side_.input().begin(), size, text_.Reserve(size).begin());
  text_.Commit(size);
  side_.Take(size);
  return true;
}

bool UpstreamTransport::Decrypt() {
  while (up() && !tls_failed_ && !close_notified_ && (side_.has_input() || !engine_drained_)) {
    size_t wanted =
        std::min(limits::kRecordPlaintextMax, base::TextBuffer::kBytesMax - text_.size());
    if (wanted == 0) {
      return false;
    }
    std::span<uint8_t> room = text_.Reserve(wanted);
    std::span<const uint8_t> input = side_.input();
    size_t before = input.size();
    size_t size = 0;
    tls::Channel::ReadStep step = engine_->Read(&input, room, &size, &side_.output());
    text_.Commit(size);
    if (before > 0) {
      side_.Take(before - input.size());
    }
    switch (step) {
      case tls::Channel::ReadStep::kData:
        return true;
      case tls::Channel::ReadStep::kNeedInput:
        engine_drained_ = true;
        break;
      case tls::Channel::ReadStep::kCloseNotify:
        close_notified_ = true;
        side_.DropInput();
        break;
      case tls::Channel::ReadStep::kFailed:
        tls_failed_ = true;
        side_.DropInput();
        break;
    }
  }
  return false;
}

void UpstreamTransport::Take(size_t bytes) {
  if (bytes == 0) {
    return;
  }
  if (!text_.empty()) {
    text_.Consume(bytes);
  } else {
    side_.Take(bytes);
  }
}

void UpstreamTransport::DropInput() {
  text_.Clear();
  side_.DropInput();
}

bool UpstreamTransport::ended() const {
  return engine_.has_value() ? close_notified_ : side_.peer_ended() && !side_.has_input();
}

bool UpstreamTransport::broken() const {
  // RFC 8446, 6.1: an end without close_notify may be somebody else's work.
  bool cut_off =
      engine_.has_value() && side_.peer_ended() && !side_.has_input() && !close_notified_;
  return side_.broken() || tls_failed_ || cut_off;
}

void UpstreamTransport::Write(std::string_view bytes) {
  base::ByteQueue& queue = engine_.has_value() ? pending_ : side_.output();
  queue.Append(bytes);
}

bool UpstreamTransport::TouchedSince(uint64_t mark) const {
  return this->mark() != mark || (!engine_.has_value() && side_.sending());
}

// What was written in small pieces becomes few records.
void UpstreamTransport::Encrypt() {
  while (!pending_.empty() && !tls_failed_ && side_.queued() < limits::kSendQueueBytesHigh) {
    std::array<std::span<const uint8_t>, 8> spans;
    size_t count = pending_.Peek(0, spans);
    auto& record = env_->scratch.record;
    size_t size = std::min(pending_.size(), record.size());
    std::span<const uint8_t> plaintext = spans[0].first(std::min(size, spans[0].size()));
    if (plaintext.size() < size) {
      size_t copied = 0;
      for (size_t i = 0; i < count && copied < size; ++i) {
        size_t part = std::min(size - copied, spans[i].size());
        std::copy_n(spans[i].begin(), part, record.begin() + static_cast<ptrdiff_t>(copied));
        copied += part;
      }
      plaintext = std::span<const uint8_t>(record.data(), copied);
    }
    tls_failed_ = !engine_->Write(plaintext, &side_.output());
    encrypted_bytes_ += plaintext.size();
    pending_.Consume(plaintext.size());
  }
}

void UpstreamTransport::AdvanceEnd() {
  if (!output_ending_ || output_ended_ || !pending_.empty() || side_.broken()) {
    return;
  }
  if (engine_.has_value() && !goodbye_said_) {
    goodbye_said_ = true;
    engine_->Shutdown(&side_.output());
  }
  if (side_.queued() == 0) {
    output_ended_ = true;
    env_->driver->Shutdown(side_.socket(), io::ShutdownSide::kWrite);
  }
}

void UpstreamTransport::Arm(bool receive) {
  if (state_ == State::kConnecting || state_ == State::kFailed) {
    return;
  }
  if (up()) {
    Encrypt();
    AdvanceEnd();
  }
  side_.ArmSend();
  if (receive || !up()) {
    side_.ArmReceive();
  } else {
    side_.Park();
  }
}

bool UpstreamTransport::Quiet() {
  return !Pull() && input().empty() && queued() == 0 && !side_.sending() && !ended() && !broken();
}

void UpstreamTransport::BeginClose() {
  if (connecting_) {
    env_->driver->SubmitCancel(connect_token());
  }
  if (engine_.has_value() && up() && !tls_failed_ && !goodbye_said_ && !side_.broken() &&
      pending_.empty()) {
    // RFC 8446, 6.1. It leaves at once or not at all: the cancel below comes right behind it.
    engine_->Shutdown(&side_.output());
    side_.ArmSend();
  }
  side_.CancelAll();
}

void UpstreamTransport::Close() {
  DropInput();
  side_.Close();
  --env_->counters.upstream_open;
}

}  // namespace postern::proxy
