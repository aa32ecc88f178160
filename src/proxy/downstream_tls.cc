// The TLS side of a downstream connection: the handshake, a refusal, and plaintext out of records.
#include <algorithm>

#include "src/base/limits.h"
#include "src/proxy/downstream_connection.h"
#include "src/proxy/event_log.h"

namespace postern::proxy {
namespace {

namespace limits = base::limits;

}  // namespace

DownstreamConnection::Step DownstreamConnection::StepHandshake() {
  if (!side_.has_input()) {
    return side_.peer_ended() ? OnPeerGone() : Step::kBlocked;
  }
  std::span<const uint8_t> input = side_.input();
  size_t size = input.size();
  int64_t waited_ms = env_->now.monotonic_ms() - asking_since_ms_;
  asking_since_ms_ = base::kNever;
  if (!hello_done_ && TooLate(waited_ms)) {
    return TurnAway();
  }
  if (!engine_.has_value()) {
    engine_.emplace(listener_->tls.get(), env_->tls, &identity_);
  }
  env_->tls->set_resumed_only(waited_ms > limits::kHelloWaitMsMax);
  int64_t begin_us = env_->driver->MonotonicUs();
  tls::Engine::HandshakeStep step = engine_->Handshake(&input, &side_.output());
  auto spent_us = static_cast<uint32_t>(env_->driver->MonotonicUs() - begin_us);
  env_->counters.handshake_us += spent_us;
  (hello_done_ ? verify_us_ : sign_us_) += spent_us;
  side_.Take(size - input.size());
  hello_done_ = true;
  // What comes next has cost a signature: it does not wait for the buffers of hellos.
  side_.set_receive_class(io::BufferClass::kSmall);
  tls::Transport::Candidate candidate = env_->tls->candidate();
  if (candidate == tls::Transport::Candidate::kWouldAdmit ||
      candidate == tls::Transport::Candidate::kWouldRefuse) {
    LogCandidate(env_, *listener_, client_address(), server_name());
  }
  switch (step) {
    case tls::Engine::HandshakeStep::kNeedInput:
      // What was parked may lie in several pieces.
      return side_.has_input() ? Step::kAgain : Step::kBlocked;
    case tls::Engine::HandshakeStep::kDone:
      CountHandshake();
      engine_drained_ = false;
      established_ms_ = env_->now.monotonic_ms();
      Enter(Phase::kIdle);
      if (engine_->http2()) {
        StartHttp2();
      } else if (!side_.has_input() && side_.queued() == 0) {
        // The client spoke last (TLS 1.3; a resumption in 1.2), and our next bytes are the answer
        // to a request that it may hold back until its last ones are acknowledged: 40 ms.
        env_->driver->AcknowledgeNow(side_.socket());
      }
      if (listener_->serving != env_->serving) {
        Reconsider();
      }
      return Step::kAgain;
    case tls::Engine::HandshakeStep::kRefused:
      Refuse();
      return Step::kAgain;
  }
  return Step::kBlocked;
}

void DownstreamConnection::CountHandshake() {
  ++env_->counters.handshakes;
  int64_t elapsed_us = env_->now.monotonic_us - accepted_us_;
  handshake_us_ = static_cast<uint32_t>(std::min<int64_t>(elapsed_us, UINT32_MAX));
  env_->handshake_times.sign.Add(sign_us_);
  env_->handshake_times.verify.Add(verify_us_);
  env_->handshake_times.network.Add(elapsed_us - sign_us_ - verify_us_);
  LogHandshake(env_, *listener_, client_address(),
               {server_name(), engine_->version(), engine_->cipher(), engine_->http2(),
                engine_->resumed(), handshake_us_},
               identity_);
}

void DownstreamConnection::Refuse() {
  const tls::Refusal& refusal = env_->tls->refusal();
  auto reason = static_cast<size_t>(refusal.reason);
  ++env_->counters.refusals[reason];
  env_->counters.refusals_resuming[reason] += refusal.resuming ? 1 : 0;
  ClientAddress client = client_address();
  LogRefusal(env_, *listener_, client, server_name(), refusal);
  env_->recent_refusals.Add(env_->now.wall_ms, listener_->config.name, client.host, client.port,
                            server_name(), refusal);
  if (refusal.reason == tls::Reason::kPlainHttp) {
    side_.output().Clear();
    side_.output().Append(
        std::string_view("HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: "
                         "47\r\nConnection: close\r\n\r\n"
                         "This port speaks HTTPS only; use https:// here\n"));
  }
  EndProperly(CloseReason::kHandshakeRefused, false);
}

DownstreamConnection::Plain DownstreamConnection::Collect() {
  size_t size = std::min(side_.input().size(), base::TextBuffer::kBytesMax - plain_.size());
  if (size == 0) {
    return Plain::kNeedInput;
  }
  std::copy_n(side_.input().begin(), size, plain_.Reserve(size).begin());
  plain_.Commit(size);
  side_.Take(size);
  return Plain::kProgress;
}

DownstreamConnection::Plain DownstreamConnection::Decrypt() {
  if (!engine_.has_value()) {
    return Collect();
  }
  if (!side_.has_input() && engine_drained_) {
    return Plain::kNeedInput;
  }
  size_t wanted =
      std::min(limits::kRecordPlaintextMax, base::TextBuffer::kBytesMax - plain_.size());
  std::span<uint8_t> room = plain_.Reserve(wanted);
  std::span<const uint8_t> input = side_.input();
  size_t before = input.size();
  size_t size = 0;
  tls::Engine::ReadStep step = engine_->Read(&input, room, &size, &side_.output());
  plain_.Commit(size);
  if (before > 0) {
    side_.Take(before - input.size());
  }
  switch (step) {
    case tls::Engine::ReadStep::kData:
      return Plain::kProgress;
    case tls::Engine::ReadStep::kNeedInput:
      // Bytes that were put aside lie in several pieces, and a record across two of them.
      if (side_.has_input()) {
        return Decrypt();
      }
      engine_drained_ = true;
      return Plain::kNeedInput;
    case tls::Engine::ReadStep::kCloseNotify:
      close_notified_ = true;
      side_.DropInput();
      return Plain::kEnded;
    case tls::Engine::ReadStep::kFailed:
      break;
  }
  tls_failed_ = true;
  side_.DropInput();
  return Plain::kFailed;
}

}  // namespace postern::proxy
