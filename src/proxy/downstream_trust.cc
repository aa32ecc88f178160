// How a live connection keeps up with what is trusted: it moves from one generation of the
// configuration to the next, and ends when its client would no longer be let in.
#include <algorithm>

#include "src/config/network.h"
#include "src/proxy/downstream_connection.h"
#include "src/proxy/downstream_h2.h"
#include "src/proxy/event_log.h"
#include "src/proxy/source_prefix.h"

namespace postern::proxy {
namespace {

// Certificates live for months; a timer that looks again each hour will do.
constexpr int64_t kExpiryHorizonMs = 3'600'000;

}  // namespace

void DownstreamConnection::SetClient(const io::Address& client) {
  client_ = client;
  // Whoever stays where it is keeps its place among those that are given up.
  if (uint8_t flow = FlowOf(client, env_->flow_salt); flow != flow_) {
    LeaveShedList();
    flow_ = flow;
    Appraise();
  }
  char text[io::kAddressTextMax];
  client_host_size_ = static_cast<uint8_t>(io::FormatHost(client, text));
  std::copy_n(text, client_host_size_, client_host_.begin());
  client_trusted_ = config::ContainsAny(listener_->config.trusted_proxies, client.view());
}

void DownstreamConnection::Reconsider() {
  switch (phase_) {
    case Phase::kProxyHeader:
    case Phase::kHandshake:
      // Judged by the generation that it began under; then again before its first request.
    case Phase::kLastWords:
    case Phase::kAwaitEnd:
    case Phase::kLinger:
    case Phase::kClosing:
      return;
    case Phase::kIdle:
    case Phase::kHead:
      if (!StillTrusted()) {
        EndProperly(CloseReason::kTrustLost, true);
        Run();
        Arm();
      }
      return;
    case Phase::kHttp2:
      if (!StillTrusted()) {
        h2_->Finish(CloseReason::kTrustLost, true);
        Run();
      }
      ArmTimer();
      return;
    case Phase::kExchange:
      if (!StillTrusted()) {
        exchange_->LoseTrust();
        if (exchange_->tunnel()) {
          exchange_->EndTunnel();
          Run();
        }
      }
      ArmTimer();
      return;
  }
}

tls::Reason DownstreamConnection::JudgeAgain(const Listener& next) const {
  if (!engine_.has_value()) {
    return tls::Reason::kNone;  // nobody was judged before
  }
  return next.tls->JudgeAgain(engine_->policy_tag(), engine_->server_name(), identity_,
                              env_->now.wall_ms / 1000);
}

bool DownstreamConnection::StillTrusted() {
  if (trust_lost_) {
    return false;
  }
  tls::Reason reason = tls::Reason::kNone;
  int64_t now_s = env_->now.wall_ms / 1000;
  if (listener_->serving != env_->serving) {
    const Listener* next = env_->serving->Find(listener_->config.name);
    reason = next == nullptr || (next->tls != nullptr) != engine_.has_value()
                 ? tls::Reason::kPolicyChanged
                 : JudgeAgain(*next);
    if (reason == tls::Reason::kNone) {
      MoveTo(next);
    }
  } else if (identity_.verified() && now_s > identity_.trusted_until_s()) {
    reason = tls::Reason::kExpired;
  }
  if (reason == tls::Reason::kNone) {
    return true;
  }
  trust_lost_ = true;
  trust_lost_ms_ = env_->now.monotonic_ms();
  ++env_->counters.trust_lost[static_cast<size_t>(reason)];
  LogTrustLost(env_, *listener_, client_address(), reason, identity_);
  return false;
}

void DownstreamConnection::MoveTo(const Listener* listener) {
  --listener_->serving->users;
  listener_ = listener;
  ++listener_->serving->users;
  SetClient(client_);
  if (exchange_ != nullptr) {
    exchange_->MoveTo(listener);
  }
  if (h2_ != nullptr) {
    h2_->MoveTo(listener);
  }
}

int64_t DownstreamConnection::ExpiryMs() const {
  if (trust_lost_ || !identity_.verified()) {
    return base::kNever;
  }
  // The last second of validity counts (RFC 5280, 4.1.2.5: inclusive).
  int64_t left_ms = (identity_.trusted_until_s() + 1) * 1000 - env_->now.wall_ms;
  return env_->now.monotonic_ms() + std::min(left_ms, kExpiryHorizonMs);
}

int64_t DownstreamConnection::GraceEndMs() const {
  return trust_lost_ ? trust_lost_ms_ + env_->serving->config->revocation_grace_ms : base::kNever;
}

}  // namespace postern::proxy
