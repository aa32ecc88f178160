#include "src/proxy/upstream_connection.h"

#include <algorithm>

#include "src/base/check.h"
#include "src/base/limits.h"
#include "src/proxy/forwarding.h"

namespace postern::proxy {

UpstreamConnection::UpstreamConnection(base::SlabId id, Env* env, ServerGroup* group,
                                       Server* server, io::Socket socket)
    : env_(env),
      id_(id),
      group_(group),
      server_(server),
      side_(env, Owner::kUpstream, id, socket),
      text_(env->blocks),
      decoder_(env->blocks),
      idle_timer_(TokenOf(io::Operation::kTimer, Owner::kUpstream, id)) {
  ++group_->owner->users;
}

UpstreamConnection::~UpstreamConnection() {
  --group_->owner->users;
}

UpstreamConnection* UpstreamConnection::Attach(Env* env, ServerGroup* group, Server* server,
                                               bool fresh, DownstreamStream* client) {
  UpstreamConnection* connection = fresh ? nullptr : server->idle.Take();
  if (connection != nullptr) {
    connection->phase_ = Phase::kBusy;
    connection->reused_ = true;
    ++env->counters.upstream_reuses;
  } else {
    io::Socket socket;
    if (env->driver->Open(server->address.ipv6, &socket) != io::Status::kOk) {
      ++env->counters.upstream_connect_failures;
      return nullptr;
    }
    connection = env->upstreams->Acquire(env, group, server, socket);
    if (connection == nullptr) {
      env->driver->Close(socket);
      ++env->counters.upstream_connect_failures;
      return nullptr;
    }
    ++env->counters.upstream_connects;
    ++env->counters.upstream_open;
    connection->connecting_ = true;
    env->driver->SubmitConnect(socket, server->address,
                               TokenOf(io::Operation::kConnect, Owner::kUpstream, connection->id_));
  }
  connection->client_ = client;
  connection->attached_ms_ = env->now.monotonic_ms();
  connection->receive_progress_ms_ = connection->attached_ms_;
  return connection;
}

void UpstreamConnection::Run() {
  if (client_ != nullptr) {
    client_->Wake();
  } else if (!base::ListNode<RunTag>::linked()) {
    env_->run_upstreams.PushBack(this);
  }
}

void UpstreamConnection::OnConnect(const io::Completion& completion) {
  connecting_ = false;
  if (phase_ == Phase::kConnecting) {
    if (completion.status == io::Status::kOk) {
      phase_ = Phase::kBusy;
    } else {
      failure_ =
          completion.status == io::Status::kTimedOut ? Failure::kConnectTimeout : Failure::kConnect;
      ++env_->counters.upstream_connect_failures;
    }
  }
  Run();
}

void UpstreamConnection::OnReceive(const io::Completion& completion) {
  side_.OnReceive(completion);
  receive_progress_ms_ = env_->now.monotonic_ms();
  if (side_.starved()) {
    MarkStarved();
  }
  Run();
}

void UpstreamConnection::OnSend(const io::Completion& completion) {
  side_.OnSend(completion);
  Run();
}

void UpstreamConnection::MarkStarved() {
  if (!base::ListNode<StarvedTag>::linked()) {
    env_->starved_upstreams.PushBack(this);
  }
}

void UpstreamConnection::OnBuffersAvailable() {
  side_.clear_starved();
  Run();
}

void UpstreamConnection::OnTimer() {
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

void UpstreamConnection::Advance() {
  if (phase_ == Phase::kIdle) {
    // Whatever an idle server does, ending or talking out of turn, ends the connection.
    if (side_.has_input() || side_.peer_ended() || side_.broken()) {
      BeginClose();
    } else {
      side_.ArmReceive();
    }
  }
  // One that is on the run list again is freed when its turn comes.
  bool listed = base::ListNode<RunTag>::linked();
  if (phase_ == Phase::kClosing && !side_.in_flight() && !connecting_ && !listed) {
    if (base::ListNode<StarvedTag>::linked()) {
      env_->starved_upstreams.Remove(this);
    }
    env_->timers->Cancel(&idle_timer_);
    side_.DropInput();
    side_.Close();
    --env_->counters.upstream_open;
    env_->upstreams->Release(this);
  }
}

void UpstreamConnection::EnterIdle() {
  if (group_->config.idle_connections_max == 0) {
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
  side_.ArmReceive();
}

void UpstreamConnection::BeginClose() {
  if (phase_ == Phase::kIdle) {
    server_->idle.Remove(this);
  }
  phase_ = Phase::kClosing;
  side_.CancelAll();
  if (connecting_) {
    env_->driver->SubmitCancel(TokenOf(io::Operation::kConnect, Owner::kUpstream, id_));
  }
  if (!base::ListNode<RunTag>::linked()) {
    env_->run_upstreams.PushBack(this);
  }
}

void UpstreamConnection::Detach(bool reusable) {
  client_ = nullptr;
  bool clean = text_.empty() && !side_.has_input() && side_.output().empty() && !side_.sending() &&
               !side_.peer_ended() && !side_.broken();
  decoder_.DropTrailers();
  if (reusable && keep_alive_ && phase_ == Phase::kBusy && clean && !env_->draining &&
      !group_->owner->retired) {
    EnterIdle();
  } else {
    BeginClose();
  }
}

void UpstreamConnection::Arm() {
  if (phase_ == Phase::kBusy) {
    side_.ArmSend();
    side_.ArmReceive();
  }
}

bool UpstreamConnection::HasRequestRoom() const {
  return connected() && side_.queued() < base::limits::kSendQueueBytesHigh;
}

void UpstreamConnection::WriteHead(const RequestContext& request) {
  method_ = request.head->method;
  chunked_request_ = request.head->framing == http::BodyFraming::kChunked;
  head_done_ = false;
  response_begun_ = false;
  bytes_out_before_ = side_.bytes_out();
  keep_alive_ = true;
  failure_ = Failure::kNone;
  consumed_ = 0;
  scanner_.Reset(http::HeadLimits(), false);
  auto& memory = env_->scratch.head;
  http::ByteWriter writer(memory.data(), memory.size());
  if (!WriteForwardedRequest(request, &writer)) {
    failure_ = Failure::kMalformed;
    return;
  }
  side_.output().Append(writer.view());
}

void UpstreamConnection::WriteBody(std::string_view data) {
  if (chunked_request_) {
    char header[http::kChunkHeaderBytesMax];
    http::ByteWriter writer(header, sizeof(header));
    http::WriteChunkHeader(data.size(), &writer);
    side_.output().Append(writer.view());
  }
  side_.output().Append(data);
  if (chunked_request_) {
    side_.output().Append(http::kChunkTrailerCrlf);
  }
}

void UpstreamConnection::WriteEnd(const http::FieldList& trailers) {
  if (chunked_request_) {
    auto& memory = env_->scratch.head;
    http::ByteWriter writer(memory.data(), memory.size());
    http::WriteLastChunk(trailers, &writer);
    side_.output().Append(writer.view());
  }
}

std::string_view UpstreamConnection::InputView() const {
  if (!text_.empty()) {
    return text_.view();
  }
  std::span<const uint8_t> input = side_.input();
  return {reinterpret_cast<const char*>(input.data()), input.size()};
}

UpstreamStream::Response UpstreamConnection::Fail(Failure failure) {
  if (failure_ == Failure::kNone) {
    failure_ = failure;
  }
  Response response;
  response.event = ResponseEvent::kFailed;
  return response;
}

UpstreamStream::Response UpstreamConnection::PeekResponse() {
  if (failure_ != Failure::kNone) {
    return Fail(failure_);
  }
  if (!connected()) {
    return {};
  }
  if (!head_done_) {
    return ParseHead();
  }
  std::string_view view = InputView();
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
  if (side_.has_input() || !text_.empty()) {
    return PeekResponse();
  }
  if (side_.peer_ended() || side_.broken()) {
    if (!side_.broken() && decoder_.OnEndOfInput() == http::BodyError::kNone) {
      return {ResponseEvent::kEnd, {}, nullptr};
    }
    return Fail(Failure::kClosed);
  }
  return {};
}

UpstreamStream::Response UpstreamConnection::ParseHead() {
  // A head that came in pieces is put together; one that came whole is read where it lies.
  if (!text_.empty() && side_.has_input()) {
    std::span<const uint8_t> input = side_.input();
    std::span<uint8_t> room = text_.Reserve(input.size());
    if (room.empty()) {
      return Fail(Failure::kMalformed);
    }
    std::copy(input.begin(), input.end(), room.begin());
    text_.Commit(input.size());
    side_.DropInput();
  }
  std::string_view view = InputView();
  if (!view.empty()) {
    response_begun_ = true;
    switch (scanner_.Scan(view)) {
      case http::HeadScanner::Status::kError:
        return Fail(Failure::kMalformed);
      case http::HeadScanner::Status::kComplete: {
        http::ResponseHead& head = env_->scratch.response;
        head.Clear();
        size_t begin = scanner_.head_begin();
        std::string_view bytes = view.substr(begin, scanner_.head_end() - begin);
        if (http::ParseResponseHead(bytes, method_, http::HeadLimits(), &head) !=
                http::HeadError::kNone ||
            head.status == 101) {
          return Fail(Failure::kMalformed);
        }
        consumed_ = scanner_.head_end();
        if (head.interim()) {
          scanner_.Reset(http::HeadLimits(), false);
        } else {
          head_done_ = true;
          keep_alive_ = head.keep_alive && head.framing != http::BodyFraming::kUntilClose;
          decoder_.Start(head.framing, head.content_length);
        }
        return {ResponseEvent::kHead, {}, &head};
      }
      case http::HeadScanner::Status::kNeedMore:
        break;
    }
    if (text_.empty()) {
      std::span<const uint8_t> input = side_.input();
      std::span<uint8_t> room = text_.Reserve(input.size());
      std::copy(input.begin(), input.end(), room.begin());
      text_.Commit(input.size());
      side_.DropInput();
    }
  }
  if (side_.peer_ended() || side_.broken()) {
    return Fail(Failure::kClosed);
  }
  return {};
}

void UpstreamConnection::ConsumeResponse() {
  if (consumed_ > 0) {
    if (!text_.empty()) {
      text_.Consume(consumed_);
    } else {
      side_.Take(consumed_);
    }
    consumed_ = 0;
  }
}

}  // namespace postern::proxy
