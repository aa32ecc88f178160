#include "src/tls/ssl_terms.h"

#include <openssl/err.h>

#include <iterator>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "src/base/check.h"
#include "src/tls/errors.h"
#include "src/tls/pem.h"
#include "src/tls/policy.h"
#include "src/tls/time_source.h"

namespace postern::tls {
namespace {

// The peer's whole Certificate message; four certificates of ordinary size fit several times over.
constexpr size_t kCertificateMessageBytesMax = 16 * 1024;

// What a peer may sign with to prove that it has its key: those of the keys that key_rules.h lets
// in, in the order in which they are offered. Never SHA-1 (RFC 9155), which the library would take
// in TLS 1.2; in TLS 1.0 and 1.1, where nothing else is, it is not asked about this.
constexpr uint16_t kPeerAlgorithms[] = {
    SSL_SIGN_ECDSA_SECP256R1_SHA256, SSL_SIGN_ED25519,
    SSL_SIGN_ECDSA_SECP384R1_SHA384, SSL_SIGN_ECDSA_SECP521R1_SHA512,
    SSL_SIGN_RSA_PSS_RSAE_SHA256,    SSL_SIGN_RSA_PKCS1_SHA256,
    SSL_SIGN_RSA_PSS_RSAE_SHA384,    SSL_SIGN_RSA_PKCS1_SHA384,
    SSL_SIGN_RSA_PSS_RSAE_SHA512,    SSL_SIGN_RSA_PKCS1_SHA512};

absl::Status Annotate(const std::string& file, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(file, ": ", status.message()));
}

}  // namespace

void SetTerms(SSL_CTX* context, config::TlsPolicy policy) {
  PolicyTerms terms = TermsOf(policy);
  SSL_CTX_set_min_proto_version(context, terms.version_min);
  SSL_CTX_set_max_proto_version(context, terms.version_max);
  SSL_CTX_set_cipher_list(context, terms.ciphers);
  // Pinned: the library's default would change with its version, and with it every measurement.
  SSL_CTX_set1_curves_list(context, "X25519:P-256:P-384");
  CHECK(SSL_CTX_set_verify_algorithm_prefs(context, kPeerAlgorithms, std::size(kPeerAlgorithms)) ==
        1);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_max_cert_list(context, kCertificateMessageBytesMax);
  SSL_CTX_set_current_time_cb(context, OnCurrentTime);
}

absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> AddPair(SSL_CTX* context, const KeyPair& pair) {
  auto chain = ParseCertificates(pair.certificate_pem);
  if (!chain.ok()) {
    return Annotate(pair.certificate_name, chain.status());
  }
  auto key = ParsePrivateKey(pair.key_pem.view());
  if (!key.ok()) {
    return Annotate(pair.key_name, key.status());
  }
  std::vector<CRYPTO_BUFFER*> buffers;
  for (const auto& certificate : *chain) {
    buffers.push_back(certificate.get());
  }
  ERR_clear_error();
  if (SSL_CTX_set_chain_and_key(context, buffers.data(), buffers.size(), key->get(), nullptr) !=
      1) {
    // The last error is what the library makes of the ones before it.
    uint32_t error = ERR_peek_last_error();
    int reason = ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0;
    std::string text = TakeErrorText();
    if (reason == SSL_R_CERTIFICATE_AND_PRIVATE_KEY_MISMATCH) {
      return absl::InvalidArgumentError(absl::StrCat(
          pair.key_name, ": the key does not belong to the first certificate of ",
          pair.certificate_name, "; give the key made for it, leaf first in the chain"));
    }
    if (reason == SSL_R_UNKNOWN_CERTIFICATE_TYPE) {
      return absl::InvalidArgumentError(absl::StrCat(
          pair.certificate_name, ": the first certificate's key usage or key type does ",
          "not allow signatures; put its own certificate first, then its CAs"));
    }
    return absl::InvalidArgumentError(
        absl::StrCat(pair.certificate_name, ": cannot be used (", text, ")"));
  }
  return key;
}

}  // namespace postern::tls
