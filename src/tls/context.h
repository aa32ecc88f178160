// What one listener presents and demands in TLS. One object a shard and listener: nothing in it is
// shared with another thread but the revocation index, which nobody writes; keys are loaded
// separately for each shard.
#ifndef POSTERN_SRC_TLS_CONTEXT_H_
#define POSTERN_SRC_TLS_CONTEXT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/host_map.h"
#include "src/base/status_fwd.h"
#include "src/config/config.h"
#include "src/tls/identity.h"
#include "src/tls/key_pair.h"
#include "src/tls/reason.h"
#include "src/tls/trust_input.h"

namespace postern::tls {

class CaCache;
class PackedChains;
class TicketKeys;
struct HostPolicy;

// Everything as file contents: reading files is somebody else's work.
struct ContextInput {
  // What holds for one server name; the first one for all others.
  struct Host {
    std::string server_name;     // lower case, exact or one-label wildcard; "" for the first
    std::vector<KeyPair> pairs;  // at most one for each key type
    config::ClientAuth client_auth = config::ClientAuth::kOff;
    TrustInput trust;
    bool advertise_cas = true;
    std::optional<TrustInput> candidate;
  };
  std::string listener_name;  // sessions do not wander between listeners
  config::TlsPolicy policy = config::TlsPolicy::k1_2StrictWith1_3;
  config::IdentityDialects dialects;
  std::vector<Host> hosts{Host()};  // at least one
  config::TicketConfig tickets;
  bool http2 = false;  // offered by ALPN, before HTTP/1.1
  // Refuses whoever asks for a server name that is neither here, nor one of `hosts`, nor a DNS name
  // of a certificate.
  bool strict_sni = false;
  std::vector<std::string> served_names;  // lower case, exact or one-label wildcards
};

// What contexts that are made one after the other have in common. Null: nothing.
struct SharedParts {
  CaCache* cas = nullptr;  // of one shard
  PackedChains* chains = nullptr;
};

// How a connection was let in; kept by it to be asked again later.
using PolicyTag = uint64_t;

class Context {
 public:
  // Errors name the file and what to do. `ticket_keys` outlives the context; null: no resumption.
  // `presents`, if given, is of the same shard and of an input that differs in trust alone: what it
  // presents to clients is presented on, and the pairs of `input` are not looked at.
  static absl::StatusOr<std::unique_ptr<Context>> Create(const ContextInput& input,
                                                         TicketKeys* ticket_keys,
                                                         const Context* presents = nullptr,
                                                         const SharedParts& parts = {});
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  // Whether a connection that asked for `server_name` may be asked for `host` too: both are under
  // the same policy. Names in any case, without port.
  bool IsSamePolicy(std::string_view server_name, std::string_view host) const;

  // Whether a client that was let in before, perhaps under an earlier configuration, would still
  // be: kNone, or why not (kPolicyChanged, kExpired, kUnknownCa, kRevoked). A list that has become
  // stale ends no connection that was let in while it was not.
  Reason JudgeAgain(PolicyTag tag, std::string_view server_name, const PeerIdentity& identity,
                    int64_t now_s) const;

 private:
  friend class Engine;
  friend struct EngineCallbacks;
  Context();

  const HostPolicy& PolicyOf(std::string_view server_name) const;
  // Whether a hello that asks for `server_name`, or with "" for none, may go on.
  bool Serves(std::string_view server_name) const {
    return !strict_sni_ || served_names_.Find(server_name).has_value();
  }
  void CollectServedNames(const ContextInput& input);

  std::vector<HostPolicy> hosts_;
  base::HostMap by_name_;  // indices into hosts_
  TicketKeys* ticket_keys_ = nullptr;
  config::TicketConfig tickets_;
  bool http2_ = false;
  bool strict_sni_ = false;
  base::HostMap served_names_;  // empty unless strict_sni_
};

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_CONTEXT_H_
