// The CAs of one trust, parsed: shared by all verifiers of one thread that trust the same files
// (ca_cache.h). Internal to tls/.
#ifndef POSTERN_SRC_TLS_TRUSTED_CAS_H_
#define POSTERN_SRC_TLS_TRUSTED_CAS_H_

#include <openssl/base.h>
#include <openssl/stack.h>
#include <openssl/x509.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "src/tls/anchors.h"
#include "src/tls/identity.h"
#include "src/tls/named_certificates.h"

namespace postern::tls {

class TrustedCas {
 public:
  TrustedCas();
  TrustedCas(const TrustedCas&) = delete;
  TrustedCas& operator=(const TrustedCas&) = delete;

  // Anchors first, each certificate once; `hash`: its ContentHash. Finish after the last.
  void AddAnchor(const bssl::UniquePtr<X509>& certificate, const Sha256& hash);
  void AddIntermediate(const bssl::UniquePtr<X509>& certificate, const Sha256& hash);
  void Finish();

  const Anchors& anchors() const { return anchors_; }
  // Whether the certificate with this ContentHash is one of the anchors.
  bool IsAnchor(const Sha256& content) const;
  const NamedCertificates& intermediates() const { return intermediates_; }

  // The subject names of both in DER, each once, for the CertificateRequest: a client looks there
  // for whoever has issued its certificate, and need not know who stands above.
  bssl::UniquePtr<STACK_OF(CRYPTO_BUFFER)> Names() const;
  // Their total size in a CertificateRequest.
  size_t names_bytes() const { return names_bytes_; }

  // Over all certificates in their order: which path is found depends on all of them.
  const Sha256& content() const { return content_; }

 private:
  void AddName(X509* certificate);

  Anchors anchors_;
  std::vector<Sha256> anchor_hashes_;  // sorted by Finish
  NamedCertificates intermediates_;
  bssl::UniquePtr<STACK_OF(CRYPTO_BUFFER)> names_;
  std::set<std::vector<uint8_t>> known_names_;  // until Finish
  size_t names_bytes_ = 0;
  Sha256 content_ = {};
};

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_TRUSTED_CAS_H_
