#include "src/proxy/downstream_connection.h"

#include <algorithm>
#include <utility>

#include "src/base/check.h"
#include "src/base/limits.h"
#include "src/config/network.h"
#include "src/proxy/downstream_h2.h"
#include "src/proxy/proxy_protocol.h"

namespace postern::proxy {
namespace {

namespace limits = base::limits;

}  // namespace

DownstreamConnection::DownstreamConnection(base::SlabId id, Env* env, const Listener* listener,
                                           io::Socket socket)
    : env_(env),
      id_(id),
      listener_(listener),
      side_(env, Owner::kDownstream, id, socket),
      phase_(listener->tls != nullptr ? Phase::kHandshake : Phase::kIdle),
      plain_(env->blocks),
      decoder_(env->blocks),
      accepted_us_(env->now.monotonic_us),
      timer_(TokenOf(io::Operation::kTimer, Owner::kDownstream, id)),
      identity_(env->identities) {
  ++listener_->serving->users;
  ++env_->counters.connections_accepted;
  ++env_->counters.connections_open;
  SetClient(env_->driver->PeerAddress(socket));
  if (config::ContainsAny(listener->config.proxy_protocol_sources, client_.view())) {
    phase_ = Phase::kProxyHeader;
  }
  history_.fill(phase_);
  phase_since_ms_ = env_->now.monotonic_ms();
  established_ms_ = phase_since_ms_;
  Appraise();
  side_.set_receive_class(io::BufferClass::kHandshake);
  side_.ArmReceive();
  ArmTimer();
}

DownstreamConnection::~DownstreamConnection() {
  CHECK(exchange_ == nullptr && h2_ == nullptr);
  --listener_->serving->users;
}

void DownstreamConnection::Enter(Phase phase) {
  phase_ = phase;
  phase_since_ms_ = env_->now.monotonic_ms();
  std::copy(history_.begin() + 1, history_.end(), history_.begin());
  history_.back() = phase;
  Appraise();
}

void DownstreamConnection::Run() {
  if (base::ListNode<RunTag>::linked()) {
    return;
  }
  bool handshake = phase_ == Phase::kHandshake && side_.has_input();
  if (!handshake) {
    queue_ = Queue::kRelays;
    env_->run_downstreams.PushBack(this);
  } else if (hello_done_) {
    queue_ = Queue::kSecondFlights;
    env_->run_second_flights.PushBack(this);
  } else {
    QueueHello();
  }
}

void DownstreamConnection::OnReceive(const io::Completion& completion) {
  side_.OnReceive(completion);
  if (asking_since_ms_ == base::kNever) {
    asking_since_ms_ = env_->now.monotonic_ms();
  }
  env_->counters.downstream_bytes_in += completion.bytes;
  engine_drained_ = engine_drained_ && !side_.has_input();
  if (side_.starved() && !base::ListNode<StarvedTag>::linked()) {
    starved_hello_ = phase_ == Phase::kHandshake && !hello_done_;
    if (starved_hello_) {
      env_->starved_hellos_again += asked_again_ ? 1u : 0u;
      env_->starved_hellos.Push(this, flow_);
    } else {
      env_->starved_downstreams.PushBack(this);
    }
  }
  asked_again_ = false;
  Run();
}

void DownstreamConnection::OnSend(const io::Completion& completion) {
  side_.OnSend(completion);
  env_->counters.downstream_bytes_out += completion.bytes;
  Run();
}

void DownstreamConnection::OnTimer() {
  timer_fired_ = true;
  Run();
}

void DownstreamConnection::OnBuffersAvailable() {
  side_.clear_starved();
  asked_again_ = true;
  Run();
}

void DownstreamConnection::Drain() {
  if (phase_ == Phase::kHttp2) {
    h2_->Finish(CloseReason::kDrained);
    Run();
  }
  if (phase_ == Phase::kIdle && !side_.has_input()) {
    if (env_->now.monotonic_ms() >= IdleEndMs()) {
      EndProperly(CloseReason::kDrained, true);
      // Without TLS there is no goodbye whose completion would.
      Run();
    }
    Arm();
  }
  if (phase_ == Phase::kExchange && exchange_->tunnel()) {
    exchange_->EndTunnel();
    Run();
  }
}

void DownstreamConnection::Stop() {
  Cut(CloseReason::kDrained);
  Run();
}

void DownstreamConnection::Advance() {
  const bool is_due = std::exchange(timer_fired_, false);
  // What has come in the same turn may be a request: it is in time, and is looked at first.
  const bool may_be_asked = phase_ == Phase::kIdle && side_.has_input();
  if (is_due && !may_be_asked) {
    CheckDeadline();
  }
  if (side_.broken() && phase_ != Phase::kClosing) {
    OnPeerGone();
  }
  // Bounded: each phase is entered at most a few times before input runs out; a pipelining client
  // yields to others.
  constexpr int kStepsMax = 64;
  int steps = 0;
  while (phase_ != Phase::kClosing && steps < kStepsMax && RunStep() == Step::kAgain) {
    ++steps;
  }
  if (is_due && may_be_asked && phase_ == Phase::kIdle) {
    CheckDeadline();
  }
  if (steps == kStepsMax && phase_ != Phase::kClosing) {
    Run();
  }
  if (phase_ == Phase::kClosing) {
    StepClosing();
    return;
  }
  FlushStaging();
  Arm();
}

DownstreamConnection::Step DownstreamConnection::RunStep() {
  switch (phase_) {
    case Phase::kProxyHeader:
      return StepProxyHeader();
    case Phase::kHandshake:
      return StepHandshake();
    case Phase::kIdle:
    case Phase::kHead:
      return StepHead();
    case Phase::kExchange:
      return StepExchange();
    case Phase::kHttp2:
      return StepHttp2();
    case Phase::kLastWords:
      return StepLastWords();
    case Phase::kAwaitEnd:
      return StepAwaitEnd();
    case Phase::kLinger:
      return StepLinger();
    case Phase::kClosing:
      return Step::kBlocked;
  }
  return Step::kBlocked;
}

DownstreamConnection::Step DownstreamConnection::StepProxyHeader() {
  if (!side_.has_input()) {
    return side_.peer_ended() ? OnPeerGone() : Step::kBlocked;
  }
  // Raw bytes collect in plain_ only while a header comes in pieces.
  std::span<const uint8_t> input = side_.input();
  size_t before = plain_.size();
  // More than the longest header is an error, or not of it.
  size_t copied = std::min(input.size(), limits::kProxyHeaderBytesMax - before);
  std::span<uint8_t> room = plain_.Reserve(copied);
  std::copy_n(input.begin(), copied, room.begin());
  plain_.Commit(copied);
  ProxyHeader header = ParseProxyHeader(plain_.view());
  switch (header.status) {
    case ProxyHeader::Status::kNeedMore:
      side_.DropInput();
      asking_since_ms_ = base::kNever;
      return Step::kBlocked;
    case ProxyHeader::Status::kError:
      Cut(CloseReason::kProxyHeader);
      return Step::kBlocked;
    case ProxyHeader::Status::kDone:
      break;
  }
  plain_.Clear();
  side_.Take(header.size - before);
  if (!side_.has_input()) {
    asking_since_ms_ = base::kNever;
  }
  if (header.has_address) {
    SetClient(header.client);
  }
  // The handshake's time counts from the accept.
  int64_t accepted_ms = phase_since_ms_;
  Enter(listener_->tls != nullptr ? Phase::kHandshake : Phase::kIdle);
  phase_since_ms_ = accepted_ms;
  return Step::kAgain;
}

DownstreamConnection::Step DownstreamConnection::StepHead() {
  if (!plain_.empty()) {
    if (phase_ == Phase::kIdle) {
      Enter(Phase::kHead);
      scanner_.Reset(http::HeadLimits(), true);
    }
    if (scanner_.Scan(plain_.view()) != http::HeadScanner::Status::kNeedMore) {
      return StartExchange(StillTrusted() ? 0 : 403);
    }
  }
  switch (Decrypt()) {
    case Plain::kProgress:
      return Step::kAgain;
    case Plain::kNeedInput:
      if (side_.peer_ended()) {
        return OnPeerGone();
      }
      return Step::kBlocked;
    case Plain::kEnded:
      return OnPeerGone();
    case Plain::kFailed:
      EndProperly(CloseReason::kTlsError, false);
      return Step::kAgain;
  }
  return Step::kBlocked;
}

std::string_view DownstreamConnection::server_name() const {
  return engine_.has_value() ? engine_->server_name() : std::string_view();
}

DownstreamConnection::Step DownstreamConnection::StartExchange(uint16_t refusal) {
  exchange_ = env_->exchanges->Acquire(env_, this, listener_, answered_);
  if (exchange_ == nullptr) {
    ++env_->counters.requests_shed;
    Stage("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    EndProperly(CloseReason::kShed, true);
    return Step::kAgain;
  }
  ++requests_;
  Enter(Phase::kExchange);
  bool complete = refusal == 0 && scanner_.error() == http::HeadError::kNone;
  size_t begin = complete ? scanner_.head_begin() : 0;
  size_t end = complete ? scanner_.head_end() : plain_.size();
  RequestContext context = MakeContext();
  uint32_t requests_max = listener_->config.max_requests_per_connection;
  context.last_of_connection =
      (requests_max != 0 && requests_ >= requests_max) || env_->now.monotonic_ms() >= AgeEndMs();
  if (refusal != 0) {
    bool late = refusal == 408;
    exchange_->Refuse(refusal, late ? CloseReason::kHeaderTimeout : CloseReason::kTrustLost,
                      context);
  } else {
    exchange_->Begin(plain_.view().substr(begin, end - begin), scanner_.error(),
                     http::ParseRequestHead, context);
    decoder_.Start(exchange_->head().framing, exchange_->head().content_length);
  }
  plain_.Consume(end);
  return Step::kAgain;
}

DownstreamConnection::Step DownstreamConnection::StepExchange() {
  exchange_->Advance();
  if (exchange_->state() == Exchange::State::kDone) {
    FinishExchange();
    return Step::kAgain;
  }
  // With the whole request read, only the client's end, or its next request, can come.
  if (exchange_->request_done() && plain_.empty() && !close_notified_ && !tls_failed_) {
    Decrypt();
  }
  bool ended = side_.peer_ended() && !side_.has_input();
  // In a tunnel the client may end its side, properly, and still listen.
  bool listens = exchange_->tunnel() && close_notified_;
  if (tls_failed_ || ((close_notified_ || ended) && !listens)) {
    return OnPeerGone();
  }
  return Step::kBlocked;
}

void DownstreamConnection::FinishExchange() {
  FlushStaging();
  RecordExchange(*exchange_);
  Exchange::Ending ending = exchange_->ending();
  CloseReason reason = exchange_->close_reason();
  env_->exchanges->Release(exchange_);
  exchange_ = nullptr;
  decoder_.DropTrailers();
  if (trust_lost_ && ending != Exchange::Ending::kAbort) {
    ending = Exchange::Ending::kClose;
    reason = CloseReason::kTrustLost;
  }
  switch (ending) {
    case Exchange::Ending::kKeepOpen:
      Enter(Phase::kIdle);
      return;
    case Exchange::Ending::kClose:
      EndProperly(reason, true);
      return;
    case Exchange::Ending::kAbort:
      if (reason == CloseReason::kClientAborted) {
        Cut(reason);
      } else {
        EndProperly(reason, false);
      }
      return;
  }
}

DownstreamConnection::Step DownstreamConnection::OnPeerGone() {
  switch (phase_) {
    case Phase::kProxyHeader:
      Cut(CloseReason::kProxyHeader);
      break;
    case Phase::kHandshake:
      Cut(CloseReason::kHandshakeEnded);
      break;
    case Phase::kIdle:
      if (close_notified_ && !side_.peer_ended() && !side_.broken()) {
        close_reason_ = CloseReason::kClientClosed;
        Enter(Phase::kAwaitEnd);
        return Step::kAgain;
      }
      Cut(side_.broken() ? CloseReason::kClientReset : CloseReason::kClientClosed);
      break;
    case Phase::kHead:
      Cut(CloseReason::kClientReset);
      break;
    case Phase::kExchange:
      exchange_->Abandon(CloseReason::kClientAborted);
      FinishExchange();
      break;
    case Phase::kHttp2: {
      bool idle = h2_->idle();
      DropHttp2();
      Cut(!idle                                ? CloseReason::kClientAborted
          : side_.broken() || !close_notified_ ? CloseReason::kClientReset
                                               : CloseReason::kClientClosed);
      break;
    }
    case Phase::kLastWords:
    case Phase::kAwaitEnd:
    case Phase::kLinger:
      Cut(close_reason_);
      break;
    case Phase::kClosing:
      break;
  }
  return Step::kAgain;
}

}  // namespace postern::proxy
