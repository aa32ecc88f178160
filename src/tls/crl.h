// From files of certificate revocation lists (RFC 5280, section 5) to the index. Runs on the
// control plane: a list of 500,000 entries takes a few hundred milliseconds.
#ifndef POSTERN_SRC_TLS_CRL_H_
#define POSTERN_SRC_TLS_CRL_H_

#include <openssl/base.h>
#include <openssl/pool.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "src/base/status_fwd.h"
#include "src/tls/revocation.h"

namespace postern::tls {

struct CrlFile {
  std::string name;      // for messages
  std::string contents;  // PEM with one or several X509 CRL blocks, or one list in DER
};

struct RevocationInput {
  // Decoded in place; each one's contents are freed as soon as they are indexed.
  std::vector<CrlFile> files;
  // Certificates that may have signed a list: anchors and intermediates.
  std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> issuers;
  int64_t now_s = 0;  // seconds since 1970
};

// Every signature is verified, and nothing of a list counts before that. An error names the file
// and says what to do, and then there is no index at all. A list past its nextUpdate is indexed
// with a warning: what that means is the policy's business. Of several lists of one issuer with the
// same scope (what they cover, and their distribution point) the newest counts, the others give a
// warning. Lists of one issuer with different distribution points are taken as parts of a whole
// (RFC 5280, 5.2.5): all of them count, and whoever gives one must give all.
//
// `warnings`: appended to; one line each.
absl::StatusOr<std::unique_ptr<RevocationIndex>> BuildRevocationIndex(
    RevocationInput input, std::vector<std::string>* warnings);

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_CRL_H_
