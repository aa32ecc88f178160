#include "src/tls/context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstring>
#include <set>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "src/base/check.h"
#include "src/tls/ca_cache.h"
#include "src/tls/host_policy.h"
#include "src/tls/ticket_keys.h"

namespace postern::tls {
namespace {

// The names of the certificate that a context presents, in the form of HostMap. The context is one
// of buffers: what SSL_CTX_get0_certificate would leave in it, nothing would free.
void AddDnsNames(const SSL_CTX& context, std::set<std::string>* names) {
  bssl::UniquePtr<X509> certificate(
      X509_parse_from_buffer(sk_CRYPTO_BUFFER_value(SSL_CTX_get0_chain(&context), 0)));
  bssl::UniquePtr<GENERAL_NAMES> all(
      certificate == nullptr ? nullptr
                             : static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(
                                   certificate.get(), NID_subject_alt_name, nullptr, nullptr)));
  ERR_clear_error();
  for (size_t i = 0; all != nullptr && i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(all.get(), i);
    if (name->type == GEN_DNS) {
      const absl::string_view text(
          reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
          static_cast<size_t>(ASN1_STRING_length(name->d.dNSName)));
      names->insert(absl::AsciiStrToLower(text));
    }
  }
}

}  // namespace

Context::Context() = default;
Context::~Context() = default;

absl::StatusOr<std::unique_ptr<Context>> Context::Create(const ContextInput& input,
                                                         TicketKeys* ticket_keys,
                                                         const Context* presents,
                                                         const SharedParts& parts) {
  CHECK(!input.hosts.empty());
  CHECK(presents == nullptr || presents->hosts_.size() == input.hosts.size());
  CHECK(ticket_keys != nullptr || !input.tickets.enabled);
  CaCache own;
  const SharedParts shared = {parts.cas != nullptr ? parts.cas : &own, parts.chains};
  std::unique_ptr<Context> context(new Context());
  context->ticket_keys_ = ticket_keys;
  context->tickets_ = input.tickets;
  context->http2_ = input.http2;
  for (const ContextInput::Host& host : input.hosts) {
    auto policy = HostPolicy::Create(
        input, host, presents != nullptr ? &presents->hosts_[context->hosts_.size()] : nullptr,
        shared);
    if (!policy.ok()) {
      return policy.status();
    }
    if (!context->hosts_.empty()) {
      context->by_name_.Add(host.server_name, static_cast<uint32_t>(context->hosts_.size()));
    }
    context->hosts_.push_back(*std::move(policy));
  }
  context->strict_sni_ = input.strict_sni;
  if (input.strict_sni) {
    context->CollectServedNames(input);
  }
  return context;
}

void Context::CollectServedNames(const ContextInput& input) {
  std::set<std::string> names(input.served_names.begin(), input.served_names.end());
  for (const ContextInput::Host& host : input.hosts) {
    names.insert(host.server_name);
  }
  for (const HostPolicy& policy : hosts_) {
    for (const HostPolicy::Certificate& certificate : policy.certificates) {
      AddDnsNames(*certificate.context, &names);
    }
  }
  names.erase("");
  for (const std::string& name : names) {
    served_names_.Add(name, 0);
  }
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
