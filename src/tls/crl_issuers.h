// The certificates whose keys may have signed a revocation list. Internal to tls/.
#ifndef POSTERN_SRC_TLS_CRL_ISSUERS_H_
#define POSTERN_SRC_TLS_CRL_ISSUERS_H_

#include <openssl/base.h>
#include <openssl/evp.h>
#include <openssl/pool.h>
#include <openssl/x509.h>

#include <span>
#include <string>
#include <vector>

#include "src/base/status_fwd.h"
#include "src/tls/crl_parser.h"
#include "src/tls/key_id.h"
#include "src/tls/revocation.h"

namespace postern::tls {

class CrlIssuers {
 public:
  // A certificate that cannot be read gives a warning: it can then be no list's issuer.
  CrlIssuers(std::span<const bssl::UniquePtr<CRYPTO_BUFFER>> certificates,
             std::vector<std::string>* warnings);

  struct Signer {
    KeyId key_id;
    std::string name;  // RFC 2253 text
    RevocationIndex::CertificateHash certificate = {};
  };
  // Whose key signed the list: checks the signature. An error says what to do, without the file's
  // name.
  absl::StatusOr<Signer> FindSigner(const ParsedCrl& crl) const;

 private:
  struct Issuer {
    bssl::UniquePtr<X509> certificate;
    bssl::UniquePtr<EVP_PKEY> key;
    KeyId key_id;
    RevocationIndex::CertificateHash hash = {};
    bool may_sign_crls = false;
  };
  // All with this name, the likeliest first.
  std::vector<const Issuer*> Candidates(const X509_NAME* name, const ParsedCrl& crl) const;

  std::vector<Issuer> issuers_;  // sorted by name
};

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_CRL_ISSUERS_H_
