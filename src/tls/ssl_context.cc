#include "src/tls/ssl_context.h"

#include <openssl/ec.h>
#include <openssl/ec_key.h>
#include <openssl/nid.h>

#include <utility>

#include "absl/status/statusor.h"
#include "src/tls/certificate_compression.h"
#include "src/tls/engine_callbacks.h"
#include "src/tls/ssl_terms.h"

namespace postern::tls {
namespace {

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

absl::StatusOr<HostPolicy::Certificate> MakeSslContext(
    const ContextInput& input, const KeyPair& pair, int verify_mode,
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
