#include "src/tls/context.h"

#include <cstring>
#include <utility>

#include "absl/status/statusor.h"
#include "src/base/check.h"
#include "src/tls/host_policy.h"
#include "src/tls/ticket_keys.h"

namespace postern::tls {

Context::Context() = default;
Context::~Context() = default;

absl::StatusOr<std::unique_ptr<Context>> Context::Create(const ContextInput& input,
                                                         TicketKeys* ticket_keys) {
  CHECK(!input.hosts.empty());
  CHECK(ticket_keys != nullptr || !input.tickets.enabled);
  std::unique_ptr<Context> context(new Context());
  context->ticket_keys_ = ticket_keys;
  context->tickets_ = input.tickets;
  context->http2_ = input.http2;
  for (const ContextInput::Host& host : input.hosts) {
    auto policy = HostPolicy::Create(input, host);
    if (!policy.ok()) {
      return policy.status();
    }
    if (!context->hosts_.empty()) {
      context->by_name_.Add(host.server_name, static_cast<uint32_t>(context->hosts_.size()));
    }
    context->hosts_.push_back(*std::move(policy));
  }
  return context;
}

const HostPolicy& Context::PolicyOf(std::string_view server_name) const {
  return hosts_[by_name_.Find(server_name).value_or(0)];
}

bool Context::IsSamePolicy(std::string_view server_name, std::string_view host) const {
  return by_name_.empty() || &PolicyOf(server_name) == &PolicyOf(host);
}

Reason Context::JudgeAgain(PolicyTag tag, std::string_view server_name,
                           const PeerIdentity& identity, int64_t now_s) const {
  const HostPolicy& policy = PolicyOf(server_name);
  if (tag != TagOf(policy.BindingTo(server_name))) {
    return Reason::kPolicyChanged;
  }
  if (!identity.verified()) {
    return Reason::kNone;
  }
  return policy.verifier->Judge(identity.facts(), now_s, Verifier::Stale::kIgnore);
}

}  // namespace postern::tls
