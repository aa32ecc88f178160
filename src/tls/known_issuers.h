// Issuers of clients that have been verified up to an anchor: a client that nobody has seen yet,
// of an issuer that is known, costs one signature instead of one for each certificate of its chain.
// Belongs to one Verifier: what it knows was verified against that one's anchors and terms, and
// ends with it. Internal to tls/.
#ifndef POSTERN_SRC_TLS_KNOWN_ISSUERS_H_
#define POSTERN_SRC_TLS_KNOWN_ISSUERS_H_

#include <openssl/base.h>
#include <openssl/stack.h>
#include <openssl/x509.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "src/tls/identity.h"

namespace postern::tls {

class KnownIssuers {
 public:
  struct Issuer {
    Sha256 key = {};
    // Holds the issuer alone, as an anchor.
    bssl::UniquePtr<X509_STORE> store;
    // The issuer first, the anchor last.
    std::vector<bssl::UniquePtr<X509>> path;
    // Of a client below it: members[0], the client, is not filled in; the times are the path's.
    PeerIdentity::Facts facts;
    int64_t trusted_from_s = 0;
    uint64_t last_used = 0;
  };

  // Of all that decides which path is found above `leaf`: its own words for its issuer, and the
  // certificates that `chain` holds beside it.
  static Sha256 KeyOf(const STACK_OF(CRYPTO_BUFFER) * chain, const X509* leaf);

  // Null when unknown, or when the path above the client is not valid at `now_s`. Valid until the
  // next call of Add.
  const Issuer* Find(const Sha256& key, int64_t now_s);
  // `path`: verified, leaf first, anchor last; `facts`: its own. Nothing is kept where the issuer
  // is an anchor (there is nothing to save), nor of a path with constraints of names or policies
  // or a self-issued leaf: those are for whole paths to judge.
  void Add(const Sha256& key, const STACK_OF(X509) * path, const PeerIdentity::Facts& facts);

 private:
  std::vector<std::unique_ptr<Issuer>> issuers_;
  uint64_t uses_ = 0;
};

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_KNOWN_ISSUERS_H_
