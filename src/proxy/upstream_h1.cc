#include "src/proxy/upstream_h1.h"

#include <algorithm>

#include "src/base/check.h"
#include "src/base/limits.h"
#include "src/proxy/event_log.h"
#include "src/proxy/forwarding.h"
#include "src/proxy/upstream_connect.h"
#include "src/tls/websocket_key.h"

namespace postern::proxy {

UpstreamH1::UpstreamH1(base::SlabId id, Env* env, ServerGroup* group, Server* server,
                       io::Socket socket)
    : env_(env),
      id_(id),
      group_(group),
      server_(server),
      transport_(env, Owner::kUpstream, id, PeerOf(*group, server), socket),
      decoder_(env->blocks),
      idle_timer_(TokenOf(io::Operation::kTimer, Owner::kUpstream, id)) {
  ++group_->owner->users;
  group_->owner->h1_shares.Take(&group_->connections);
}

UpstreamH1::~UpstreamH1() {
  group_->owner->h1_shares.GiveBack(&group_->connections);
  --group_->owner->users;
}

UpstreamH1* UpstreamH1::Attach(Env* env, ServerGroup* group, Server* server, bool fresh,
                               DownstreamStream* client) {
  UpstreamH1* connection = fresh ? nullptr : server->idle.Take();
  if (connection != nullptr) {
    connection->phase_ = Phase::kBusy;
    connection->reused_ = true;
    ++env->counters.upstream_reuses;
  } else {
    io::Socket socket;
    auto* slab = env->upstreams;
    if (!group->owner->h1_shares.MayTake(group->connections, slab->live(), slab->capacity(),
                                         group->owner->groups.size())) {
      ++env->counters.upstream_connect_failures;
      NoteShortage(env, Shortage::kServerConnections);
      return nullptr;
    }
    if (!OpenSocket(env, *server, &socket)) {
      return nullptr;
    }
    connection = env->upstreams->Acquire(env, group, server, socket);
    if (connection == nullptr) {
      env->driver->Close(socket);
      ++env->counters.upstream_connect_failures;
      NoteShortage(env, Shortage::kServerConnections);
      return nullptr;
    }
  }
  connection->client_ = client;
  connection->attached_ms_ = env->now.monotonic_ms();
  return connection;
}

void UpstreamH1::Run() {
  if (client_ != nullptr) {
    client_->Wake();
  } else if (!base::ListNode<RunTag>::linked()) {
    env_->run_upstreams.PushBack(this);
  }
}

void UpstreamH1::OnConnect(const io::Completion& completion) {
  transport_.OnConnect(completion);
  Run();
}

void UpstreamH1::OnReceive(const io::Completion& completion) {
  transport_.OnReceive(completion);
  if (transport_.starved()) {
    MarkStarved();
  }
  Run();
}

void UpstreamH1::OnSend(const io::Completion& completion) {
  transport_.OnSend(completion);
  Run();
}

void UpstreamH1::Establish() {
  if (phase_ != Phase::kConnecting) {
    return;
  }
  transport_.Advance();
  if (transport_.up()) {
    phase_ = Phase::kBusy;
  } else if (failure_ == Failure::kNone) {
    failure_ = ReportFailure(env_, *group_, *server_, transport_.failure());
  }
}

void UpstreamH1::GiveUpConnecting() {
  transport_.GiveUpConnecting();
  if (failure_ == Failure::kNone) {
    failure_ = ReportFailure(env_, *group_, *server_, transport_.failure());
  }
}

void UpstreamH1::MarkStarved() {
  if (!base::ListNode<StarvedTag>::linked()) {
    env_->starved_upstreams.PushBack(this);
  }
}

void UpstreamH1::OnBuffersAvailable() {
  transport_.OnBuffersAvailable();
  Run();
}

void UpstreamH1::OnTimer() {
  if (phase_ != Phase::kIdle) {
    return;  // re-armed when it becomes idle
  }
  int64_t deadline_ms = idle_since_ms_ + group_->config.idle_timeout_ms;
  if (env_->now.monotonic_ms() >= deadline_ms) {
    BeginClose();
  } else {
    env_->timers->Schedule(&idle_timer_, deadline_ms);
  }
}

void UpstreamH1::Advance() {
  if (phase_ == Phase::kIdle) {
    // Whatever an idle server does, ending or talking out of turn, ends the connection.
    if (transport_.Quiet()) {
      transport_.Arm(true);
    } else {
      BeginClose();
    }
  }
  // One that is on the run list again is freed when its turn comes.
  bool listed = base::ListNode<RunTag>::linked();
  if (phase_ == Phase::kClosing && !transport_.in_flight() && !listed) {
    if (base::ListNode<StarvedTag>::linked()) {
      env_->starved_upstreams.Remove(this);
    }
    env_->timers->Cancel(&idle_timer_);
    transport_.Close();
    env_->upstreams->Release(this);
  }
}

void UpstreamH1::EnterIdle() {
  // Unused ones must not keep those out that are needed.
  const bool is_crowded = env_->upstreams->live() * 4 > env_->upstreams->capacity() * 3;
  if (group_->config.idle_connections_max == 0 || is_crowded) {
    BeginClose();
    return;
  }
  phase_ = Phase::kIdle;
  idle_since_ms_ = env_->now.monotonic_ms();
  if (server_->idle.size() >= group_->config.idle_connections_max) {
    server_->idle.Oldest()->BeginClose();
  }
  server_->idle.Put(this);
  if (!idle_timer_.linked()) {
    env_->timers->Schedule(&idle_timer_, idle_since_ms_ + group_->config.idle_timeout_ms);
  }
  transport_.Arm(true);
}

void UpstreamH1::BeginClose() {
  if (phase_ == Phase::kIdle) {
    server_->idle.Remove(this);
  }
  phase_ = Phase::kClosing;
  transport_.BeginClose();
  if (!base::ListNode<RunTag>::linked()) {
    env_->run_upstreams.PushBack(this);
  }
}

void UpstreamH1::Detach(bool reusable) {
  client_ = nullptr;
  decoder_.DropTrailers();
  if (reusable && keep_alive_ && phase_ == Phase::kBusy && transport_.Quiet() && !env_->draining &&
      !group_->owner->retired) {
    EnterIdle();
  } else {
    BeginClose();
  }
}

bool UpstreamH1::HasRequestRoom() const {
  return connected() && transport_.queued() < base::limits::kSendQueueBytesHigh;
}

void UpstreamH1::WriteHead(const RequestContext& request) {
  method_ = request.head->method;
  chunked_request_ = request.head->framing == http::BodyFraming::kChunked;
  head_done_ = false;
  response_begun_ = false;
  sent_mark_ = transport_.mark();
  keep_alive_ = true;
  failure_ = Failure::kNone;
  consumed_ = 0;
  scanner_.Reset(http::HeadLimits(), false);
  websocket_ = request.head->websocket;
  websocket_accept_ = {};
  std::array<char, 24> key;
  bool our_key = websocket_ && request.head->version == http::Version::kHttp2;
  if (our_key) {
    std::array<uint8_t, 16> random;
    env_->driver->RandomBytes(random);
    key = tls::WebSocketKey(random);
    websocket_accept_ = tls::WebSocketAccept({key.data(), key.size()});
  }
  auto& memory = env_->scratch.head;
  http::ByteWriter writer(memory.data(), memory.size());
  if (!WriteForwardedRequest(request, {key.data(), our_key ? key.size() : 0}, &writer)) {
    failure_ = Failure::kMalformed;
    return;
  }
  transport_.Write(writer.view());
}

void UpstreamH1::WriteBody(std::string_view data) {
  if (chunked_request_) {
    char header[http::kChunkHeaderBytesMax];
    http::ByteWriter writer(header, sizeof(header));
    http::WriteChunkHeader(data.size(), &writer);
    transport_.Write(writer.view());
  }
  transport_.Write(data);
  if (chunked_request_) {
    transport_.Write(http::kChunkTrailerCrlf);
  }
}

void UpstreamH1::WriteEnd(const http::FieldList& trailers) {
  if (tunnel_) {
    transport_.EndOutput();
    return;
  }
  if (chunked_request_) {
    auto& memory = env_->scratch.head;
    http::ByteWriter writer(memory.data(), memory.size());
    http::WriteLastChunk(trailers, &writer);
    transport_.Write(writer.view());
  }
}

UpstreamStream::Response UpstreamH1::Fail(Failure failure) {
  if (failure_ == Failure::kNone) {
    failure_ = failure;
  }
  Response response;
  response.event = ResponseEvent::kFailed;
  return response;
}

UpstreamStream::Response UpstreamH1::PeekResponse() {
  if (failure_ != Failure::kNone) {
    return Fail(failure_);
  }
  if (!connected()) {
    return {};
  }
  if (!head_done_) {
    return ParseHead();
  }
  std::string_view view = transport_.input();
  http::BodyDecoder::Result result = decoder_.Decode(view);
  consumed_ = result.consumed;
  switch (result.status) {
    case http::BodyDecoder::Status::kData:
      return {ResponseEvent::kData, result.data, nullptr};
    case http::BodyDecoder::Status::kEnd:
      return {ResponseEvent::kEnd, {}, nullptr};
    case http::BodyDecoder::Status::kError:
      return Fail(Failure::kMalformed);
    case http::BodyDecoder::Status::kNeedMore:
      break;
  }
  ConsumeResponse();
  if (!transport_.input().empty() || transport_.Pull()) {
    return PeekResponse();
  }
  if (transport_.broken()) {
    return Fail(Failure::kClosed);
  }
  if (transport_.ended()) {
    bool complete = decoder_.OnEndOfInput() == http::BodyError::kNone;
    return complete ? Response{ResponseEvent::kEnd, {}, nullptr} : Fail(Failure::kClosed);
  }
  return {};
}

UpstreamStream::Response UpstreamH1::ParseHead() {
  // A head that came whole is read where it lies; one that came in pieces is put together.
  do {
    std::string_view view = transport_.input();
    response_begun_ = response_begun_ || !view.empty();
    switch (scanner_.Scan(view)) {
      case http::HeadScanner::Status::kError:
        return Fail(Failure::kMalformed);
      case http::HeadScanner::Status::kComplete:
        return ReadHead(view);
      case http::HeadScanner::Status::kNeedMore:
        break;
    }
  } while (transport_.Pull());
  if (transport_.broken() || transport_.ended()) {
    return Fail(Failure::kClosed);
  }
  return {};
}

UpstreamStream::Response UpstreamH1::ReadHead(std::string_view view) {
  http::ResponseHead& head = env_->scratch.response;
  head.Clear();
  size_t begin = scanner_.head_begin();
  std::string_view bytes = view.substr(begin, scanner_.head_end() - begin);
  if (http::ParseResponseHead(bytes, method_, http::HeadLimits(), &head) !=
          http::HeadError::kNone ||
      (head.status == 101 && !IsWebSocketAnswer(head))) {
    return Fail(Failure::kMalformed);
  }
  consumed_ = scanner_.head_end();
  if (head.interim()) {
    scanner_.Reset(http::HeadLimits(), false);
  } else if (head.status == 101) {
    head_done_ = true;
    tunnel_ = true;
    keep_alive_ = false;
    decoder_.Start(http::BodyFraming::kUntilClose, 0);
  } else {
    head_done_ = true;
    keep_alive_ = head.keep_alive && head.framing != http::BodyFraming::kUntilClose;
    decoder_.Start(head.framing, head.content_length);
  }
  return {ResponseEvent::kHead, {}, &head};
}

bool UpstreamH1::IsWebSocketAnswer(const http::ResponseHead& head) const {
  const http::Field* upgrade = head.fields.Find(http::FieldId::kUpgrade);
  if (!websocket_ || upgrade == nullptr || !http::EqualsIgnoreCase(upgrade->value, "websocket")) {
    return false;
  }
  // RFC 6455, 4.1: whoever has sent the key checks the answer.
  const http::Field* accept = head.fields.FindName("sec-websocket-accept");
  return websocket_accept_[0] == 0 ||
         (accept != nullptr &&
          accept->value == std::string_view(websocket_accept_.data(), websocket_accept_.size()));
}

void UpstreamH1::ConsumeResponse() {
  transport_.Take(consumed_);
  consumed_ = 0;
}

}  // namespace postern::proxy
