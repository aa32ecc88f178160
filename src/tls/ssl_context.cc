#include "src/tls/ssl_context.h"

#include <openssl/ec.h>
#include <openssl/ec_key.h>
#include <openssl/err.h>
#include <openssl/nid.h>

#include <iterator>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "src/base/check.h"
#include "src/tls/certificate_compression.h"
#include "src/tls/engine_callbacks.h"
#include "src/tls/errors.h"
#include "src/tls/pem.h"
#include "src/tls/policy.h"

namespace postern::tls {
namespace {

// The peer's whole Certificate message; four certificates of ordinary size fit several times over.
constexpr size_t kCertificateMessageBytesMax = 16 * 1024;

absl::Status Annotate(const std::string& file, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(file, ": ", status.message()));
}

int CurveOf(const EVP_PKEY* key) {
  const EC_KEY* ec = EVP_PKEY_get0_EC_KEY(key);
  return ec == nullptr ? 0 : EC_GROUP_get_curve_name(EC_KEY_get0_group(ec));
}

void SetServerTerms(SSL_CTX* context) {
  // A cache of sessions would have to be shared between shards; a ticket is not.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_retain_only_sha256_of_client_certs(context, 1);
  SSL_CTX_set_select_certificate_cb(context, OnClientHello);
  SSL_CTX_set_cert_cb(context, OnVersionKnown, nullptr);
  SSL_CTX_set_msg_callback(context, OnMessage);
  SSL_CTX_set_dos_protection_cb(context, OnResumptionDecided);
  SSL_CTX_set_alpn_select_cb(context, OnSelectProtocol, nullptr);
}

// What a peer may sign with to prove that it has its key: those of the keys that key_rules.h lets
// in, in the order in which they are offered. Never SHA-1 (RFC 9155), which the library would take
// in TLS 1.2; in TLS 1.0 and 1.1, where nothing else is, it is not asked about this.
constexpr uint16_t kPeerAlgorithms[] = {
    SSL_SIGN_ECDSA_SECP256R1_SHA256, SSL_SIGN_ED25519,
    SSL_SIGN_ECDSA_SECP384R1_SHA384, SSL_SIGN_ECDSA_SECP521R1_SHA512,
    SSL_SIGN_RSA_PSS_RSAE_SHA256,    SSL_SIGN_RSA_PKCS1_SHA256,
    SSL_SIGN_RSA_PSS_RSAE_SHA384,    SSL_SIGN_RSA_PKCS1_SHA384,
    SSL_SIGN_RSA_PSS_RSAE_SHA512,    SSL_SIGN_RSA_PKCS1_SHA512};

void SetTickets(SSL_CTX* context, const config::TicketConfig& tickets) {
  if (!tickets.enabled) {
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    return;
  }
  SSL_CTX_set_ticket_aead_method(context, TicketMethod());
  // One is enough: a client that opens several connections at once may use it for each.
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_timeout(context, tickets.lifetime_s);
  SSL_CTX_set_session_psk_dhe_timeout(context, tickets.lifetime_s);
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

absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> AddPair(SSL_CTX* context,
                                                  const ContextInput::Pair& pair) {
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

absl::StatusOr<HostPolicy::Certificate> MakeSslContext(
    const ContextInput& input, const ContextInput::Pair& pair, int verify_mode,
    bssl::UniquePtr<STACK_OF(CRYPTO_BUFFER)> ca_names, PackedChains* chains) {
  HostPolicy::Certificate certificate;
  certificate.context.reset(SSL_CTX_new(TLS_with_buffers_method()));
  SSL_CTX* context = certificate.context.get();
  SetTerms(context, input.policy);
  SetServerTerms(context);
  SetTickets(context, input.tickets);
  auto key = AddPair(context, pair);
  if (!key.ok()) {
    return key.status();
  }
  CompressCertificates(context, chains);
  certificate.key_type = EVP_PKEY_id(key->get());
  certificate.curve_nid = CurveOf(key->get());
  SSL_CTX_set_custom_verify(context, verify_mode, OnClientCertificate);
  if (ca_names != nullptr) {
    SSL_CTX_set0_client_CAs(context, ca_names.release());
  }
  return certificate;
}

bool CanVerify(const SSL_CLIENT_HELLO& hello, int key_type, int curve_nid) {
  uint16_t wanted_13 = SSL_SIGN_ED25519;
  if (key_type == EVP_PKEY_EC) {
    wanted_13 = curve_nid == NID_secp384r1   ? SSL_SIGN_ECDSA_SECP384R1_SHA384
                : curve_nid == NID_secp521r1 ? SSL_SIGN_ECDSA_SECP521R1_SHA512
                                             : SSL_SIGN_ECDSA_SECP256R1_SHA256;
  }
  const uint8_t* data = nullptr;
  size_t size = 0;
  bool found = false;
  if (SSL_early_callback_ctx_extension_get(&hello, TLSEXT_TYPE_signature_algorithms, &data,
                                           &size) == 1) {
    for (size_t i = 2; i + 1 < size; i += 2) {
      auto algorithm = static_cast<uint16_t>(data[i] << 8 | data[i + 1]);
      found = found || algorithm == wanted_13;
    }
  }
  if (!found) {
    return false;
  }
  // In TLS 1.2 the suite names the key type too; a client of TLS 1.3 lists a 0x13xx suite.
  for (size_t i = 0; i + 1 < hello.cipher_suites_len; i += 2) {
    auto suite = static_cast<uint16_t>(hello.cipher_suites[i] << 8 | hello.cipher_suites[i + 1]);
    const SSL_CIPHER* cipher = SSL_get_cipher_by_value(suite);
    if (cipher == nullptr) {
      continue;
    }
    int authentication = SSL_CIPHER_get_auth_nid(cipher);
    if (authentication == NID_auth_any || authentication == NID_auth_ecdsa) {
      return true;
    }
  }
  return false;
}

}  // namespace postern::tls
