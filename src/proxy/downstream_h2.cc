#include "src/proxy/downstream_h2.h"

#include <algorithm>

#include "src/base/check.h"
#include "src/base/limits.h"
#include "src/proxy/downstream_connection.h"

namespace postern::proxy {
namespace {

namespace limits = base::limits;

http::H2Settings SettingsOf(const config::ListenerConfig& config) {
  http::H2Settings settings;
  settings.streams_max = config.http2_streams_max;
  return settings;
}

}  // namespace

DownstreamH2::DownstreamH2(base::SlabId, Env* env, DownstreamConnection* client)
    : env_(env),
      client_(client),
      received_ms_(env->now.monotonic_ms()),
      session_(http::H2Session::Role::kServer, SettingsOf(client->listener()->config), env->h2,
               env->blocks, this) {
  ++env_->counters.h2_connections;
}

DownstreamH2::~DownstreamH2() {
  CHECK(open_.empty());
}

bool DownstreamH2::Receive(std::string_view plaintext) {
  in_turn_ = true;
  received_ms_ = env_->now.monotonic_ms();
  pinged_ = false;
  bool heard = session_.goaway_heard();
  bool sound = session_.Receive(plaintext, received_ms_);
  if (!heard && session_.goaway_heard() && state_ == State::kAnnounced) {
    final_from_ms_ = std::min(final_from_ms_, received_ms_ + limits::kGoawayGraceMs);
  }
  if (!session_.in_head()) {
    head_since_ms_ = 0;
  } else if (head_since_ms_ == 0) {
    head_since_ms_ = received_ms_;
  }
  return sound;
}

void DownstreamH2::NameLastStream() {
  if (state_ == State::kAnnounced && env_->now.monotonic_ms() >= final_from_ms_) {
    state_ = State::kFinal;
    session_.Goaway(http::H2Error::kNoError);
  }
}

void DownstreamH2::Advance() {
  in_turn_ = true;
  // Twice: what the session closes while it sends is freed at once.
  for (int round = 0; round < 2; ++round) {
    for (size_t count = ready_.size(); count > 0; --count) {
      DownstreamH2Stream* stream = ready_.PopFront();
      stream->Advance();
      if (stream->finished()) {
        Free(stream);
      }
    }
    session_.Send();
  }
  in_turn_ = false;
  if (!ready_.empty()) {
    client_->Run();
  }
}

void DownstreamH2::MarkReady(DownstreamH2Stream* stream) {
  if (!stream->base::ListNode<ReadyTag>::linked()) {
    ready_.PushBack(stream);
  }
  if (!in_turn_) {
    client_->Run();
  }
}

void DownstreamH2::Free(DownstreamH2Stream* stream) {
  if (stream->base::ListNode<ReadyTag>::linked()) {
    ready_.Remove(stream);
  }
  open_.Remove(stream);
  env_->h2_streams->Release(stream);
}

void DownstreamH2::Abandon() {
  in_turn_ = true;
  while (!open_.empty()) {
    DownstreamH2Stream* stream = open_.Front();
    stream->Abandon();
    Free(stream);
  }
  in_turn_ = false;
}

void DownstreamH2::MoveTo(const Listener* listener) {
  for (DownstreamH2Stream* stream = open_.Front(); stream != nullptr; stream = open_.Next(stream)) {
    stream->MoveTo(listener);
  }
}

void DownstreamH2::Finish(CloseReason reason, bool at_once) {
  if (reason == CloseReason::kDrained || reason == CloseReason::kTrustLost) {
    for (DownstreamH2Stream* stream = open_.Front(); stream != nullptr;
         stream = open_.Next(stream)) {
      stream->EndTunnel();
      if (reason == CloseReason::kTrustLost) {
        stream->LoseTrust();
      }
    }
  }
  if (at_once && state_ != State::kFinal) {
    state_ = State::kFinal;
    reason_ = reason;
    session_.Goaway(http::H2Error::kNoError);
  } else if (state_ == State::kOpen) {
    state_ = State::kAnnounced;
    final_from_ms_ = env_->now.monotonic_ms() + limits::kGoawayAnswerMs;
    reason_ = reason;
    session_.AnnounceGoaway();
  }
}

http::H2Stream* DownstreamH2::OnRequest(int32_t id, std::string_view head, http::HeadError error,
                                        bool end_stream) {
  if (state_ == State::kFinal) {
    return nullptr;
  }
  DownstreamH2Stream* stream = env_->h2_streams->Acquire(env_, this, id);
  if (stream == nullptr) {
    ++env_->counters.requests_shed;
    return nullptr;
  }
  uint16_t refusal = client_->CountRequest();
  if (!stream->Begin(head, error, end_stream, refusal)) {
    if (stream->base::ListNode<ReadyTag>::linked()) {
      ready_.Remove(stream);
    }
    env_->h2_streams->Release(stream);
    return nullptr;
  }
  open_.PushBack(stream);
  return stream;
}

void DownstreamH2::Output(std::string_view bytes) {
  client_->Stage(bytes);
}

bool DownstreamH2::HasOutputRoom() const {
  return client_->HasOutputRoom();
}

void DownstreamH2::OnBodyReceived(size_t bytes) {
  buffered_bytes_ += bytes;
  owed_bytes_ += bytes;
  SettleCredit();
}

void DownstreamH2::OnBodyTaken(size_t bytes) {
  buffered_bytes_ -= bytes;
  SettleCredit();
}

// The connection's window is given back as bytes come, so that one server that takes nothing stalls
// its own streams only; until they hold so much that the client has to wait.
void DownstreamH2::SettleCredit() {
  if (owed_bytes_ > 0 && buffered_bytes_ <= limits::kConnectionBodyBytesMax) {
    session_.CreditConnection(owed_bytes_);
    owed_bytes_ = 0;
  }
}

int64_t DownstreamH2::DeadlineMs() const {
  int64_t deadline_ms = base::kNever;
  if (state_ == State::kAnnounced) {
    deadline_ms = final_from_ms_;
  }
  if (head_since_ms_ != 0) {
    deadline_ms =
        std::min(deadline_ms, head_since_ms_ + client_->listener()->config.header_timeout_ms);
  }
  if (!open_.empty()) {
    deadline_ms = std::min(
        deadline_ms, received_ms_ + limits::kPingIdleMs + (pinged_ ? limits::kPingTimeoutMs : 0));
  }
  return deadline_ms;
}

bool DownstreamH2::OnDeadline() {
  int64_t now_ms = env_->now.monotonic_ms();
  if (head_since_ms_ != 0 &&
      now_ms >= head_since_ms_ + client_->listener()->config.header_timeout_ms) {
    reason_ = CloseReason::kHeaderTimeout;
    return false;
  }
  if (!open_.empty() && now_ms >= received_ms_ + limits::kPingIdleMs) {
    if (pinged_ && now_ms >= received_ms_ + limits::kPingIdleMs + limits::kPingTimeoutMs) {
      reason_ = CloseReason::kClientReset;
      return false;
    }
    if (!pinged_) {
      pinged_ = true;
      session_.Ping();
    }
  }
  return true;
}

CloseReason DownstreamH2::RecordFailure() {
  if (session_.abuse() != http::H2Abuse::kNone) {
    ++env_->counters.h2_abuses[static_cast<size_t>(session_.abuse())];
    return CloseReason::kHttp2Abuse;
  }
  return session_.peer_goaway() && open_.empty() ? CloseReason::kClientClosed
                                                 : CloseReason::kHttp2Error;
}

}  // namespace postern::proxy
