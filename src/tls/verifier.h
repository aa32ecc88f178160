// Who vouches for peers: judges a certificate chain in a full handshake (path to an anchor,
// validity, purpose, constraints, depth, keys, revocation, names), and judges the facts of a
// client's earlier one again. A client's chain that was verified before, here and under the same
// policy, is found again by its bytes and only judged (chain_cache.h). Internal to tls/.
#ifndef POSTERN_SRC_TLS_VERIFIER_H_
#define POSTERN_SRC_TLS_VERIFIER_H_

#include <openssl/base.h>
#include <openssl/stack.h>
#include <openssl/x509.h>

#include <cstdint>
#include <memory>

#include "src/base/status_fwd.h"
#include "src/config/config.h"
#include "src/tls/ca_cache.h"
#include "src/tls/chain_cache.h"
#include "src/tls/identity.h"
#include "src/tls/identity_text.h"
#include "src/tls/known_issuers.h"
#include "src/tls/path_search.h"
#include "src/tls/reason.h"
#include "src/tls/revocation.h"
#include "src/tls/server_name.h"
#include "src/tls/ticket_result.h"
#include "src/tls/trust_input.h"
#include "src/tls/trusted_cas.h"

namespace postern::tls {

class Verifier {
 public:
  // What the shard lends to a verification.
  struct Desk {
    int64_t now_s = 0;             // seconds since 1970
    ChainCache* chains = nullptr;  // null: every chain is verified anew
    Counters* counters = nullptr;
  };

  // Errors name the file. Intermediates among the anchors are anchors too. `scope`: what is
  // verified under one is not recalled under another; certificates, revocation and time need not be
  // in it: the first are added to it, the others judged every time. `cache`: of this thread's CAs;
  // null: it shares them with nobody.
  static absl::StatusOr<std::unique_ptr<Verifier>> Create(const TrustInput& input,
                                                          const Sha256& scope = {},
                                                          CaCache* cache = nullptr);

  // Fills `identity` and `refusal`'s texts and returns kNone, or says why not in `refusal`.
  Reason Verify(const STACK_OF(CRYPTO_BUFFER) * chain, const Desk& desk, IdentityContent content,
                PeerIdentity* identity, Refusal* refusal);

  // Whether `chain` is that of the server called `name`. kNone, or why not in `refusal`.
  Reason VerifyServer(const STACK_OF(CRYPTO_BUFFER) * chain, int64_t now_s, const ServerName& name,
                      Refusal* refusal) const;

  // Whether a list past its nextUpdate counts as the configuration says, or not at all.
  enum class Stale : uint8_t { kAsConfigured, kIgnore };
  // Judges again what was verified before, here or on another host: is it still in time, is its
  // anchor still trusted, has none of its certificates been revoked. kNone, kExpired, kUnknownCa,
  // kRevoked, kCrlStale or kCrlMissing. What else was verified then cannot have changed without
  // another policy.
  Reason Judge(const PeerIdentity::Facts& facts, int64_t now_s, Stale stale) const;

  const TrustedCas& cas() const { return *cas_; }

 private:
  enum class Purpose : uint8_t { kClient, kServer };

  Verifier() = default;

  // What a peer sent, and the way from its leaf to an anchor.
  struct Path {
    bssl::UniquePtr<X509> leaf;
    bssl::UniquePtr<STACK_OF(X509)> others;
    // Leaf first, anchor last; set when the path has been found.
    bssl::UniquePtr<STACK_OF(X509)> certificates;
    int depth = 0;  // where it went wrong
    // The leaf is trusted for itself, whoever has issued it.
    bool leaf_is_anchor = false;
    // The peer has sent its steps in order, and nothing else: so it is worth keeping.
    bool is_plain = false;
    // Of what the peer has sent beside its leaf: how much of it is in `others`, and why the first
    // that is not had to be left out.
    size_t others_sent = 0;
    Reason left_out = Reason::kNone;
    int left_out_depth = 0;
    // The one that the library has chosen, leaf first, if it does not hold.
    bssl::UniquePtr<STACK_OF(X509)> refused;
    // Looks for other paths, once the first does not hold.
    std::unique_ptr<PathSearch> search;
  };
  Reason ParseLeaf(const STACK_OF(CRYPTO_BUFFER) * chain, Path* path, Refusal* refusal) const;
  // Parses what the peer has sent with its leaf into `path`.
  Reason ParseOthers(const STACK_OF(CRYPTO_BUFFER) * chain, Path* path) const;
  // kNone if there is a path; else what is wrong with the one that the library has chosen.
  Reason FindPath(const STACK_OF(CRYPTO_BUFFER) * chain, Purpose purpose, int64_t now_s,
                  Path* path) const;
  // Of the configured ones, those that may be issuers of what is in `path`.
  void AddIntermediates(Path* path) const;
  // The path that the library chooses.
  Reason FindFirstPath(Purpose purpose, int64_t now_s, Path* path) const;
  // Another one that holds. False: there is none; the one before stays in `path`.
  bool FindNextPath(const STACK_OF(CRYPTO_BUFFER) * chain, Purpose purpose, int64_t now_s,
                    Path* path) const;
  // Lets the library search, also among `others`, or judge `along`, a path from a PathSearch (else
  // null). Its result is in `path`.
  Reason Search(X509_STORE* anchors, STACK_OF(X509) * others, const STACK_OF(X509) * along,
                Purpose purpose, int64_t now_s, Path* path) const;
  // What the library does not ask of a path.
  Reason CheckFound(const STACK_OF(X509) * certificates, int* depth) const;
  // The same for a client whose issuer is known: only what is between the two is verified.
  bool FindPathBelow(const KnownIssuers::Issuer& issuer, int64_t now_s, Path* path) const;

  Sha256 KeyOf(const STACK_OF(CRYPTO_BUFFER) * chain) const;
  bool Recall(const Sha256& key, const Desk& desk, PeerIdentity* identity, Refusal* refusal) const;
  Reason VerifyAnew(const STACK_OF(CRYPTO_BUFFER) * chain, const Desk& desk,
                    IdentityContent content, Path* path, PeerIdentity* identity, Refusal* refusal);
  // kNone: `facts` are those of the path found.
  Reason FindFacts(const STACK_OF(CRYPTO_BUFFER) * chain, const Desk& desk, Path* path,
                   PeerIdentity::Facts* facts);
  // After one that a list speaks against, above the leaf.
  bool FindUnrevoked(const STACK_OF(CRYPTO_BUFFER) * chain, const Desk& desk, Path* path,
                     PeerIdentity::Facts* facts) const;
  Reason CheckRevocation(const PeerIdentity::Facts& facts, int64_t now_s, Stale stale,
                         int* depth) const;

  std::shared_ptr<const TrustedCas> cas_;
  const RevocationIndex* revocation_ = nullptr;
  config::TrustConfig terms_;
  Sha256 scope_ = {};
  PathStore path_store_;
  KnownIssuers known_issuers_;
};

// The TLS alert for a refused certificate (RFC 8446, 6.2).
uint8_t AlertOf(Reason reason);

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_VERIFIER_H_
