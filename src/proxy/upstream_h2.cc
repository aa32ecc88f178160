#include "src/proxy/upstream_h2.h"

#include <algorithm>

#include "src/base/check.h"
#include "src/base/limits.h"
#include "src/proxy/event_log.h"
#include "src/proxy/upstream_connect.h"

namespace postern::proxy {

UpstreamH2::UpstreamH2(base::SlabId id, Env* env, ServerGroup* group, Server* server,
                       io::Socket socket)
    : env_(env),
      id_(id),
      group_(group),
      server_(server),
      transport_(env, Owner::kUpstreamH2, id, PeerOf(*group, server), socket),
      session_(http::H2Session::Role::kClient, {}, env->h2, env->blocks, this),
      timer_(TokenOf(io::Operation::kTimer, Owner::kUpstreamH2, id)),
      opened_ms_(env->now.monotonic_ms()),
      idle_since_ms_(opened_ms_) {
  ++group_->owner->users;
  group_->owner->h2_shares.Take(&group_->connections);
  server_->h2_connections.PushBack(this);
}

UpstreamH2::~UpstreamH2() {
  CHECK(open_.empty() && attached_ == 0);
  group_->owner->h2_shares.GiveBack(&group_->connections);
  --group_->owner->users;
}

UpstreamH2* UpstreamH2::Open(Env* env, ServerGroup* group, Server* server) {
  auto* slab = env->h2_upstreams;
  io::Socket socket;
  if (!group->owner->h2_shares.MayTake(group->connections, slab->live(), slab->capacity(),
                                       group->owner->groups.size())) {
    ++env->counters.upstream_connect_failures;
    NoteShortage(env, Shortage::kServerConnections);
    return nullptr;
  }
  if (!OpenSocket(env, *server, &socket)) {
    return nullptr;
  }
  UpstreamH2* connection = env->h2_upstreams->Acquire(env, group, server, socket);
  if (connection == nullptr) {
    env->driver->Close(socket);
    ++env->counters.upstream_connect_failures;
    NoteShortage(env, Shortage::kServerConnections);
  }
  return connection;
}

UpstreamH2Stream* UpstreamH2::Attach(Env* env, ServerGroup* group, Server* server, bool fresh,
                                     DownstreamStream* client) {
  int64_t now_ms = env->now.monotonic_ms();
  if (server->HeldOff(now_ms)) {
    ++env->counters.upstream_connect_failures;
    return nullptr;
  }
  server->OnTry(now_ms);
  // The first one with room, so that a falling load leaves the last ones idle.
  UpstreamH2* connection = fresh ? nullptr : server->h2_connections.Front();
  while (connection != nullptr && !connection->HasStreamRoom()) {
    connection = server->h2_connections.Next(connection);
  }
  bool reused = connection != nullptr && connection->transport_.up();
  if (connection == nullptr) {
    connection = Open(env, group, server);
    if (connection == nullptr) {
      return nullptr;
    }
  }
  UpstreamH2Stream* stream = env->h2_upstream_streams->Acquire(env, connection, client, reused);
  if (stream == nullptr) {
    ++env->counters.upstream_connect_failures;
    NoteShortage(env, Shortage::kServerConnections);
    return nullptr;
  }
  env->counters.upstream_reuses += reused ? 1u : 0u;
  connection->open_.PushBack(stream);
  ++connection->attached_;
  if (connection->owing_since_ms_ == 0) {
    connection->owing_since_ms_ = now_ms;
  }
  return stream;
}

bool UpstreamH2::HasStreamRoom() const {
  // What a new connection will say it has probably said before; but that it will be none at all is
  // for itself to say.
  if (no_window_since_ms_ != 0 &&
      env_->now.monotonic_ms() - no_window_since_ms_ >= base::limits::kNoWindowMs) {
    return false;
  }
  uint32_t allowed = session_.peer_settings_known() ? session_.peer_streams_max()
                                                    : std::max(server_->h2_streams_max, 1u);
  return open_.size() < std::min(group_->config.http2_streams_max, allowed);
}

void UpstreamH2::KeepToSettings() {
  streams_max_ = session_.peer_streams_max();
  server_->h2_streams_max = streams_max_;
  size_t kept = 0;
  for (UpstreamH2Stream* stream = open_.Front(); stream != nullptr; stream = open_.Next(stream)) {
    if (++kept > streams_max_) {
      stream->GiveBack();
    }
  }
}

void UpstreamH2::Run() {
  if (!base::ListNode<RunTag>::linked()) {
    env_->run_h2_upstreams.PushBack(this);
  }
}

void UpstreamH2::OnConnect(const io::Completion& completion) {
  transport_.OnConnect(completion);
  Run();
}

void UpstreamH2::OnReceive(const io::Completion& completion) {
  transport_.OnReceive(completion);
  if (transport_.starved() && !base::ListNode<StarvedTag>::linked()) {
    env_->starved_h2_upstreams.PushBack(this);
  }
  Run();
}

void UpstreamH2::OnSend(const io::Completion& completion) {
  transport_.OnSend(completion);
  Run();
}

void UpstreamH2::OnBuffersAvailable() {
  transport_.OnBuffersAvailable();
  Run();
}

void UpstreamH2::GiveUpConnecting() {
  transport_.GiveUpConnecting();
  Run();
}

bool UpstreamH2::HasOutputRoom() const {
  return transport_.queued() < base::limits::kSendQueueBytesHigh;
}

http::H2Stream* UpstreamH2::OnRequest(int32_t, std::string_view, http::HeadError, bool) {
  CHECK(false);  // servers send none: pushes are switched off
  return nullptr;
}

void UpstreamH2::Advance() {
  if (phase_ != Phase::kClosing) {
    transport_.Advance();
    if (transport_.state() == UpstreamTransport::State::kFailed) {
      Fail(ReportFailure(env_, *group_, *server_, transport_.failure()));
    } else if (transport_.up()) {
      if (!announced_) {
        announced_ = true;  // bodies may be written now
        for (UpstreamH2Stream* stream = open_.Front(); stream != nullptr;
             stream = open_.Next(stream)) {
          stream->Wake();
        }
      }
      Receive();
    }
  }
  if (phase_ != Phase::kClosing) {
    transport_.Arm(true);
    CheckTime();
  }
  // One that is on the run list again is freed when its turn comes.
  bool listed = base::ListNode<RunTag>::linked();
  if (phase_ == Phase::kClosing && !transport_.in_flight() && open_.empty() && !listed) {
    if (base::ListNode<StarvedTag>::linked()) {
      env_->starved_h2_upstreams.Remove(this);
    }
    env_->timers->Cancel(&timer_);
    transport_.Close();
    env_->h2_upstreams->Release(this);
  }
}

void UpstreamH2::Receive() {
  bool sound = true;
  while (sound) {
    std::string_view bytes = transport_.input();
    if (!bytes.empty()) {
      size_t size = bytes.size();
      owing_since_ms_ = attached_ > 0 ? env_->now.monotonic_ms() : 0;
      sound = session_.Receive(bytes, env_->now.monotonic_ms());
      transport_.Take(size);
    } else if (!transport_.Pull()) {
      break;
    }
  }
  if (session_.peer_settings_known() && streams_max_ != session_.peer_streams_max()) {
    KeepToSettings();
  }
  // Before what waits takes all of it again.
  if (session_.HasConnectionWindow()) {
    no_window_since_ms_ = 0;
  }
  session_.Send();
  if (!session_.HasConnectionWindow() && no_window_since_ms_ == 0) {
    no_window_since_ms_ = env_->now.monotonic_ms();
  }
  http::H2Abuse abuse = session_.abuse();
  if (abuse != http::H2Abuse::kNone) {
    ++env_->counters.upstream_h2_abuses[static_cast<size_t>(abuse)];
    LogServerFailed(env_, group_->config.name, server_->name, http::NameOf(abuse));
  }
  if (!sound || abuse != http::H2Abuse::kNone) {
    Fail(UpstreamStream::Failure::kProtocol);
  } else if (session_.failed() || transport_.broken() || transport_.ended()) {
    Fail(UpstreamStream::Failure::kClosed);
  } else if (session_.peer_goaway()) {
    Leave();
  }
}

bool UpstreamH2::HasMoreThanAllowed() const {
  uint32_t allowed = session_.peer_streams_max();
  return allowed > 0 && open_.size() > allowed;
}

bool UpstreamH2::IsSilent() const {
  return owing_since_ms_ != 0 &&
         env_->now.monotonic_ms() >= owing_since_ms_ + base::limits::kUpstreamSilentMs;
}

void UpstreamH2::Leave() {
  if (phase_ == Phase::kOpen) {
    phase_ = Phase::kLeaving;
    server_->h2_connections.Remove(this);
    Run();
  }
}

void UpstreamH2::Stop() {
  if (phase_ != Phase::kClosing) {
    Fail(UpstreamStream::Failure::kClosed);
  }
}

void UpstreamH2::Fail(UpstreamStream::Failure failure) {
  BeginClose();
  for (UpstreamH2Stream* stream = open_.Front(); stream != nullptr;) {
    UpstreamH2Stream* next = open_.Next(stream);
    stream->OnConnectionLost(failure);  // frees those that nobody is attached to
    stream = next;
  }
}

void UpstreamH2::BeginClose() {
  if (phase_ == Phase::kOpen) {
    server_->h2_connections.Remove(this);
  }
  phase_ = Phase::kClosing;
  if (transport_.up()) {
    session_.Goaway(http::H2Error::kNoError);
    session_.Send();
    transport_.Arm(true);
  }
  transport_.BeginClose();
  Run();
}

int64_t UpstreamH2::DeadlineMs() const {
  int64_t deadline_ms = base::kNever;
  if (transport_.up() && transport_.queued() > 0) {
    int64_t patience_ms =
        phase_ == Phase::kOpen ? base::limits::kUpstreamSilentMs : base::limits::kSendStallMs;
    deadline_ms = transport_.send_stalled_ms() + patience_ms;
  }
  if (attached_ == 0) {
    int64_t end_ms = !transport_.up() ? opened_ms_ + group_->config.connect_timeout_ms
                     : !open_.empty() ? idle_since_ms_ + base::limits::kUpstreamSilentMs
                                      : idle_since_ms_ + group_->config.idle_timeout_ms;
    deadline_ms = std::min(deadline_ms, end_ms);
  }
  return deadline_ms;
}

void UpstreamH2::OnDeadline() {
  if (attached_ == 0) {
    // Unused for too long, or nobody is left to whom the end of connecting or of a reset matters.
    Fail(UpstreamStream::Failure::kClosed);
  } else if (phase_ == Phase::kOpen) {
    Leave();
  } else {
    Fail(UpstreamStream::Failure::kClosed);
  }
}

void UpstreamH2::CheckTime() {
  // One that may carry nothing is of no use either.
  bool unwanted = phase_ == Phase::kLeaving || env_->draining || group_->owner->retired ||
                  (session_.peer_settings_known() && session_.peer_streams_max() == 0);
  if (attached_ == 0 && unwanted) {
    Fail(UpstreamStream::Failure::kClosed);
    return;
  }
  if (env_->now.monotonic_ms() >= DeadlineMs()) {
    OnDeadline();
  }
  int64_t deadline_ms = phase_ == Phase::kClosing ? base::kNever : DeadlineMs();
  // Lazy: a timer that fires too early looks again; only an earlier deadline moves it.
  if (deadline_ms != base::kNever && (!timer_.linked() || deadline_ms < timer_.deadline_ms)) {
    env_->timers->Schedule(&timer_, deadline_ms);
  }
}

void UpstreamH2::OnDetached(bool answered) {
  --attached_;
  if (attached_ == 0) {
    owing_since_ms_ = answered ? 0 : owing_since_ms_;
    idle_since_ms_ = env_->now.monotonic_ms();
    Run();
  }
}

void UpstreamH2::Free(UpstreamH2Stream* stream) {
  open_.Remove(stream);
  env_->h2_upstream_streams->Release(stream);
  if (open_.empty()) {
    idle_since_ms_ = env_->now.monotonic_ms();
    Run();
  }
}

}  // namespace postern::proxy
