// TLS to the servers of one group: whom we believe, what we present. One object a shard and group;
// nothing in it is shared with another thread.
#ifndef POSTERN_SRC_TLS_CLIENT_CONTEXT_H_
#define POSTERN_SRC_TLS_CLIENT_CONTEXT_H_

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/base/status_fwd.h"
#include "src/config/config.h"
#include "src/tls/key_pair.h"
#include "src/tls/server_name.h"
#include "src/tls/trust_input.h"

struct ssl_ctx_st;
struct ssl_session_st;

namespace postern::tls {

class CaCache;
class Verifier;

struct ClientContextInput {
  bool verify = true;
  std::vector<NamedPem> anchors;       // at least one if `verify`
  std::optional<KeyPair> certificate;  // ours, if a server asks for one
  bool http2 = false;                  // asked for by ALPN, and nothing else taken
  // Versions and cipher suites that are offered.
  config::TlsPolicy policy = config::TlsPolicy::k1_2StrictWith1_3;

  bool operator==(const ClientContextInput&) const = default;
};

// Sessions that one server gave us, newest first; a TLS 1.3 ticket is used once (RFC 8446, C.4).
class ClientSessions {
 public:
  ClientSessions() = default;
  ~ClientSessions();
  ClientSessions(const ClientSessions&) = delete;
  ClientSessions& operator=(const ClientSessions&) = delete;

  size_t size() const { return size_; }

 private:
  friend class ClientEngine;
  friend struct ClientCallbacks;

  // Takes the session over; the oldest makes room.
  void Put(ssl_session_st* session);
  // The newest, which the caller frees, or null.
  ssl_session_st* Take();

  static constexpr size_t kSessionsMax = 4;
  std::array<ssl_session_st*, kSessionsMax> sessions_ = {};  // [0, size_)
  size_t size_ = 0;
};

class ClientContext {
 public:
  // Errors name the file and what to do. `cas`: of the same shard; null: nothing is shared.
  static absl::StatusOr<std::unique_ptr<ClientContext>> Create(const ClientContextInput& input,
                                                               CaCache* cas = nullptr);
  ~ClientContext();
  ClientContext(const ClientContext&) = delete;
  ClientContext& operator=(const ClientContext&) = delete;

 private:
  friend class ClientEngine;
  friend struct ClientCallbacks;
  ClientContext();

  ssl_ctx_st* context_;
  std::unique_ptr<Verifier> verifier_;  // null: every certificate will do
  bool http2_ = false;
};

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_CLIENT_CONTEXT_H_
