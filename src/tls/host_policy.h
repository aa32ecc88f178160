// What holds in the handshake for one server name of a listener (or for all names that have no
// entry of their own): the certificates presented, and which clients may come in. Internal to tls/.
#ifndef POSTERN_SRC_TLS_HOST_POLICY_H_
#define POSTERN_SRC_TLS_HOST_POLICY_H_

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/status_fwd.h"
#include "src/tls/context.h"
#include "src/tls/identity.h"
#include "src/tls/identity_text.h"
#include "src/tls/verifier.h"

namespace postern::tls {

struct HostPolicy {
  // Each presents one certificate; ECDSA comes first: it is many times cheaper.
  struct Certificate {
    bssl::UniquePtr<SSL_CTX> context;
    int key_type = 0;   // EVP_PKEY_EC, EVP_PKEY_RSA, EVP_PKEY_ED25519
    int curve_nid = 0;  // for EVP_PKEY_EC
  };
  std::vector<Certificate> certificates;
  config::ClientAuth mode = config::ClientAuth::kOff;
  IdentityContent content;
  std::unique_ptr<Verifier> verifier;   // null for kOff and kPassthrough
  std::unique_ptr<Verifier> candidate;  // judged in shadow; null without one
  // Over everything that decides who may come in, but for what is checked again on resumption (CA
  // set, CRLs, time). Means the same on every host and after every restart.
  Sha256 hash = {};

  // `presents`: as for Context, this host's policy there.
  static absl::StatusOr<HostPolicy> Create(const ContextInput& input,
                                           const ContextInput::Host& host,
                                           const HostPolicy* presents = nullptr,
                                           const SharedParts& parts = {});

  // What a session or a connection under this policy and server name is bound to.
  Sha256 BindingTo(std::string_view server_name) const;
  int verify_mode() const;

 private:
  // Who may come in, by `host`.
  absl::Status AddVerifiers(const ContextInput& input, const ContextInput::Host& host,
                            CaCache* cas);
  // One for each of the host's pairs.
  absl::Status AddCertificates(const ContextInput& input, const ContextInput::Host& host,
                               PackedChains* chains);
};

// Short form of a binding, for a connection to remember; both sides of the comparison are ours.
PolicyTag TagOf(const Sha256& binding);

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_HOST_POLICY_H_
