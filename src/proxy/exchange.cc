#include "src/proxy/exchange.h"

#include <algorithm>
#include <cstring>

#include "src/base/check.h"
#include "src/base/limits.h"
#include "src/proxy/event_log.h"
#include "src/proxy/local_response.h"
#include "src/proxy/upstream_attach.h"

namespace postern::proxy {

Exchange::Exchange(base::SlabId, Env* env, DownstreamStream* client, const Listener* listener,
                   bool regular)
    : env_(env),
      client_(client),
      listener_(listener),
      regular_(regular),
      row_(listener->row_of_none()),
      started_us_(env->now.monotonic_us),
      request_progress_ms_(env->now.monotonic_ms()),
      relay_progress_ms_(env->now.monotonic_ms()),
      replay_(env->blocks) {
  env_->regular_requests += regular_ ? 1u : 0u;
}

Exchange::~Exchange() {
  CHECK(up_ == nullptr);
  if (regular_) {
    --env_->regular_requests;
    env_->regular_seen_us = env_->now.monotonic_us;
  }
  if (group_ != nullptr) {
    group_->owner->exchange_shares.GiveBack(&group_->exchanges);
    --group_->owner->users;
  }
  if (head_block_ != nullptr) {
    env_->blocks->Release(head_class_, head_block_);
  }
}

void Exchange::Bump(std::atomic<uint64_t>& total, int64_t change) {
  // One writer, so a plain read and a plain write will do; readers may see the old or the new
  // total.
  total.store(total.load(std::memory_order_relaxed) + static_cast<uint64_t>(change),
              std::memory_order_relaxed);
}

upstream::ShardLine& Exchange::Line() const {
  return group_->owner->health->shard(server_->row, env_->shard_index);
}

void Exchange::Advance() {
  // Each turn of the loop moves bytes or changes the state; a turn's worth of bytes ends it.
  uint64_t limit = response_bytes_ + request_bytes_ + base::limits::kRelayBytesPerTurn;
  if (tunnel_ending_ && state_ == State::kRelay) {
    SayGoodbye();
  }
  while (state_ != State::kDone) {
    if (state_ == State::kSelect) {
      Select();
      continue;
    }
    up_->Establish();
    bool moved = PumpRequest();
    moved = (state_ == State::kRelay && PumpResponse()) || moved;
    if (state_ == State::kRelay && !moved) {
      break;
    }
    if (response_bytes_ + request_bytes_ >= limit) {
      client_->Wake();
      break;
    }
  }
  if (up_ != nullptr) {
    bool room = client_->HasResponseRoom();
    if (room && client_full_) {
      // The server is read again from here on, and its time begins.
      relay_progress_ms_ = env_->now.monotonic_ms();
      answer_since_ms_ = base::kNever;
    }
    client_full_ = !room;
    bool asked = request_done_ || head_.websocket;
    if (answer_since_ms_ == base::kNever && asked && up_->request_sent()) {
      // Kept, as nothing that the server says before its answer, not even below HTTP, moves it.
      answer_since_ms_ = RequestLeftMs();
    }
    up_->Arm(room);
  }
}

void Exchange::Select() {
  if (trust_lost_) {
    close_reason_ = CloseReason::kTrustLost;
    Respond(403);
    return;
  }
  if (!same_server_) {
    member_ = group_->Choose(attempts_ == 0 ? upstream::Balancer::kNone : member_,
                             env_->now.monotonic_ms());
  }
  if (member_ != upstream::Balancer::kNone) {
    server_ = group_->servers[member_].get();
    up_ = AttachUpstream(env_, group_, server_, fresh_, client_);
  }
  if (up_ == nullptr) {
    const bool is_shed =
        member_ != upstream::Balancer::kNone && !server_->HeldOff(env_->now.monotonic_ms());
    env_->counters.requests_shed += is_shed ? 1u : 0u;
    Respond(503);
    return;
  }
  ++attempts_;
  Bump(Line().requests);
  if (!counted_active_) {
    Bump(Line().active);
    counted_active_ = true;
  }
  relay_progress_ms_ = env_->now.monotonic_ms();
  answer_since_ms_ = base::kNever;
  state_ = State::kRelay;
  up_->WriteHead(context_);
  Replay();
}

bool Exchange::PumpRequest() {
  bool moved = false;
  if (head_.websocket && !tunnel_) {
    return false;  // what follows the head is for a server that has agreed to it
  }
  if (server_full_ && up_->HasRequestRoom()) {
    server_full_ = false;  // it is the client's turn again
    body_wait_.Begin(request_bytes_, env_->now.monotonic_ms());
  }
  while (!request_done_ && up_->HasRequestRoom()) {
    DownstreamStream::Body body = client_->PeekBody();
    switch (body.event) {
      case DownstreamStream::BodyEvent::kNeedMore:
        return moved;
      case DownstreamStream::BodyEvent::kData:
        request_bytes_ += body.data.size();
        if (request_bytes_ > base::limits::kRequestBodyBytesMax && !tunnel_) {
          head_forwarded_ ? Abort(CloseReason::kBadRequest) : Respond(413);
          return true;
        }
        WriteRequestBody(body.data);
        request_progress_ms_ = env_->now.monotonic_ms();
        body_wait_.Reach(request_bytes_, request_progress_ms_);
        break;
      case DownstreamStream::BodyEvent::kEnd:
        request_done_ = true;
        WriteRequestEnd();
        break;
      case DownstreamStream::BodyEvent::kMalformed:
        if (head_forwarded_) {
          Abort(CloseReason::kBadRequest);
        } else {
          close_reason_ = CloseReason::kBadRequest;
          Respond(400);
        }
        return true;
    }
    client_->ConsumeBody();
    relay_progress_ms_ = env_->now.monotonic_ms();
    moved = true;
  }
  server_full_ = !request_done_;
  return moved;
}

void Exchange::WriteRequestBody(std::string_view data) {
  up_->WriteBody(data);
  bool may_fail_untouched =
      up_->may_refuse() || (up_->reused() && http::IsIdempotent(head_.method));
  bool keep = may_fail_untouched && !replay_lost_ && !up_->response_begun() &&
              replay_.size() + data.size() <= base::limits::kReplayBytesMax;
  if (keep) {
    replay_.Append(data);
  } else {
    DropReplay();
  }
}

void Exchange::WriteRequestEnd() {
  http::FieldList& trailers = env_->scratch.trailers;
  client_->ReadRequestTrailers(&trailers);
  if (trailers.empty()) {
    up_->WriteEnd(trailers);
    return;
  }
  http::FieldList kept;
  FilterTrailers(trailers, *context_.claims, &kept);
  up_->WriteEnd(kept);
}

void Exchange::WriteResponseEnd(const http::FieldList& trailers) {
  if (trailers.empty()) {
    client_->WriteEnd(trailers);
    return;
  }
  http::FieldList kept;
  FilterTrailers(trailers, *context_.claims, &kept);
  client_->WriteEnd(kept);
}

bool Exchange::PumpResponse() {
  bool moved = false;
  while (state_ == State::kRelay && client_->HasResponseRoom()) {
    UpstreamStream::Response response = up_->PeekResponse();
    switch (response.event) {
      case UpstreamStream::ResponseEvent::kNeedMore:
        return moved;
      case UpstreamStream::ResponseEvent::kHead:
        if (response.head->interim() && !CountInterim(*response.head)) {
          Bump(Line().response_failures);
          LogServerFailed(env_, group_->config.name, server_->name, "malformed");
          Respond(502);
          return true;
        }
        ForwardHead(*response.head);
        break;
      case UpstreamStream::ResponseEvent::kData:
        RelayResponse(response.data);
        break;
      case UpstreamStream::ResponseEvent::kEnd: {
        http::FieldList& trailers = env_->scratch.trailers;
        up_->ReadResponseTrailers(&trailers);
        WriteResponseEnd(trailers);
        up_->ConsumeResponse();
        // A server that answers before it has the whole request leaves the rest of it unread on
        // both connections.
        bool whole = request_done_ && up_->request_sent();
        ReleaseUpstream(whole);
        bool keep = whole && head_.keep_alive && ending_ == Ending::kKeepOpen;
        Finish(keep ? Ending::kKeepOpen : Ending::kClose, CloseReason::kLastResponse);
        return true;
      }
      case UpstreamStream::ResponseEvent::kFailed:
        OnUpstreamFailed();
        return true;
    }
    up_->ConsumeResponse();
    moved = true;
  }
  return moved;
}

bool Exchange::CountInterim(const http::ResponseHead& head) {
  ++interim_heads_;
  for (const http::Field& field : head.fields) {
    interim_bytes_ += field.name.size() + field.value.size();
  }
  return interim_heads_ <= base::limits::kInterimHeadsMax &&
         interim_bytes_ <= base::limits::kInterimBytesMax;
}

void Exchange::ForwardHead(const http::ResponseHead& head) {
  DropReplay();
  if (head.interim()) {
    if (head_.version != http::Version::kHttp10) {
      client_->WriteInterim(head);
    }
    return;
  }
  status_ = head.status;
  head_forwarded_ = true;
  if (status_ == 101) {
    tunnel_ = true;
    ++env_->counters.tunnels;
    if (env_->draining) {
      EndTunnel();
    }
  }
  if (status_ >= 500) {
    Bump(Line().responses_5xx);
  }
  // An HTTP/1.0 client sees the end of an unframed body only by the connection's end; a request
  // that is still being sent will not be read to its end.
  bool unframed =
      head.framing == http::BodyFraming::kChunked || head.framing == http::BodyFraming::kUntilClose;
  bool close_after = !head_.keep_alive || !request_done_ || env_->draining ||
                     (unframed && head_.version == http::Version::kHttp10);
  if (close_after) {
    ending_ = Ending::kClose;
  }
  client_->WriteHead(head, close_after);
}

void Exchange::ReleaseUpstream(bool reusable) {
  if (counted_active_) {
    Bump(Line().active, -1);
    counted_active_ = false;
  }
  if (up_ != nullptr) {
    up_->Detach(reusable);
    up_ = nullptr;
  }
}

void Exchange::Finish(Ending ending, CloseReason reason) {
  CHECK(up_ == nullptr);
  state_ = State::kDone;
  ending_ = ending;
  if (close_reason_ == CloseReason::kNone) {
    close_reason_ = reason;
  }
}

void Exchange::Respond(uint16_t status, std::string_view location) {
  ReleaseUpstream(false);
  status_ = status;
  // What has not been read of the request would be taken for the next one.
  bool unread =
      !request_done_ && head_.framing != http::BodyFraming::kNone &&
      (head_.framing != http::BodyFraming::kLength || head_.content_length != request_bytes_);
  LocalResponse response;
  response.status = status;
  response.request = &head_;
  response.location = location;
  response.close_after = unread || !head_.keep_alive || env_->draining;
  response_bytes_ = WriteLocalResponse(response, client_);
  Finish(response.close_after ? Ending::kClose : Ending::kKeepOpen, CloseReason::kLastResponse);
}

void Exchange::Abort(CloseReason reason) {
  ReleaseUpstream(false);
  Finish(Ending::kAbort, reason);
}

void Exchange::Abandon(CloseReason reason) {
  if (state_ == State::kDone) {
    return;
  }
  if (status_ == 0) {
    status_ = 499;
  }
  Abort(reason);
}

}  // namespace postern::proxy
