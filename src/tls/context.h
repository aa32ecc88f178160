// What one listener presents and demands in TLS. One object a shard and listener: nothing in it is
// shared with another thread, keys are loaded separately for each.
#ifndef POSTERN_SRC_TLS_CONTEXT_H_
#define POSTERN_SRC_TLS_CONTEXT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "src/config/config.h"

struct ssl_ctx_st;

namespace postern::tls {

class Verifier;

// Everything as file contents: reading files is somebody else's work.
struct ContextInput {
  struct Pair {
    std::string certificate_pem;  // leaf first, then intermediates
    std::string key_pem;
    std::string certificate_name;  // for messages: the files' names
    std::string key_name;
  };
  std::vector<Pair> pairs;  // at most one for each key type
  config::TlsPolicy policy = config::TlsPolicy::k1_2StrictWith1_3;
  config::ClientAuth client_auth = config::ClientAuth::kOff;
  std::string ca_pem;
  std::string ca_name;  // for messages
  uint32_t verify_depth = 4;
  bool advertise_cas = true;
};

class Context {
 public:
  // Errors name the file and what to do.
  static absl::StatusOr<std::unique_ptr<Context>> Create(const ContextInput& input);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

 private:
  friend class Engine;
  friend struct EngineCallbacks;
  Context();

  // Each presents one certificate; the connection starts with the first and moves to another when
  // the client's hello asks for it. ECDSA comes first: it is many times cheaper.
  struct Identity;
  std::vector<Identity> identities_;
  std::unique_ptr<Verifier> verifier_;  // null when client authentication is off
  bool client_certificate_required_ = false;
};

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_CONTEXT_H_
