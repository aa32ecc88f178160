#include "src/tls/errors.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace postern::tls {
namespace {

Reason ReasonOfSslError(int reason, uint8_t* peer_alert) {
  // Alerts received are reported as SSL_AD_REASON_OFFSET + alert.
  if (reason >= SSL_AD_REASON_OFFSET) {
    *peer_alert = static_cast<uint8_t>(reason - SSL_AD_REASON_OFFSET);
    return Reason::kPeerAlert;
  }
  switch (reason) {
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return Reason::kNoCertificate;
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
      return Reason::kCertificateRejected;
    case SSL_R_CANNOT_PARSE_LEAF_CERT:
    case SSL_R_CERT_LENGTH_MISMATCH:
    case SSL_R_UNKNOWN_CERTIFICATE_TYPE:
    case SSL_R_WRONG_CERTIFICATE_TYPE:
      return Reason::kUnparsable;
    // The library's bound for every message of a handshake; none but this one comes near.
    case SSL_R_EXCESSIVE_MESSAGE_SIZE:
      return Reason::kCertificateTooLarge;
    case SSL_R_KEY_USAGE_BIT_INCORRECT:
      return Reason::kWrongPurpose;
    case SSL_R_BAD_SIGNATURE:
    case SSL_R_DIGEST_CHECK_FAILED:
      return Reason::kBadProof;
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
      return Reason::kPlainHttp;
    case SSL_R_WRONG_VERSION_NUMBER:
      return Reason::kNotTls;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_INAPPROPRIATE_FALLBACK:
      return Reason::kUnsupportedVersion;
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SHARED_GROUP:
    case SSL_R_NO_COMMON_SIGNATURE_ALGORITHMS:
    case SSL_R_NO_CIPHERS_SPECIFIED:
    case SSL_R_WRONG_CURVE:
    case SSL_R_WRONG_SIGNATURE_TYPE:
      return Reason::kNoSharedCipher;
    case SSL_R_NO_APPLICATION_PROTOCOL:
      return Reason::kNoApplicationProtocol;
    case SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC:
      return Reason::kBadRecord;
    default:
      return Reason::kProtocol;
  }
}

// The library reads the key of the certificate itself, and says nothing but "decode error" of it.
bool IsOfUnsupportedKey(uint32_t error) {
  return (ERR_GET_LIB(error) == ERR_LIB_EVP &&
          ERR_GET_REASON(error) == EVP_R_UNSUPPORTED_ALGORITHM) ||
         (ERR_GET_LIB(error) == ERR_LIB_EC && (ERR_GET_REASON(error) == EC_R_UNKNOWN_GROUP ||
                                               ERR_GET_REASON(error) == EC_R_DECODE_ERROR));
}

}  // namespace

Reason TakeReason(uint8_t* peer_alert) {
  Reason reason = Reason::kInternal;
  bool unsupported_key = false;
  // Errors of the cryptography below ("bad decrypt") come before what the handshake makes of them.
  while (uint32_t error = ERR_get_error()) {
    unsupported_key = unsupported_key || IsOfUnsupportedKey(error);
    if (ERR_GET_LIB(error) == ERR_LIB_SSL) {
      reason = ReasonOfSslError(ERR_GET_REASON(error), peer_alert);
      break;
    }
    reason = Reason::kProtocol;
  }
  ERR_clear_error();
  return unsupported_key ? Reason::kUnsupportedKey : reason;
}

std::string TakeErrorText() {
  uint32_t error = ERR_peek_last_error();
  const char* text = error != 0 ? ERR_reason_error_string(error) : nullptr;
  std::string result = text != nullptr ? text : "unknown error";
  ERR_clear_error();
  return result;
}

Reason ReasonOfVerifyError(int error) {
  switch (error) {
    case X509_V_OK:
      return Reason::kNone;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_UNTRUSTED:
      return Reason::kUnknownCa;
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return Reason::kExpired;
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return Reason::kNotYetValid;
    case X509_V_ERR_INVALID_PURPOSE:
    case X509_V_ERR_KEYUSAGE_NO_DIGITAL_SIGNATURE:
      return Reason::kWrongPurpose;
    case X509_V_ERR_CERT_CHAIN_TOO_LONG:
      return Reason::kChainTooLong;
    case X509_V_ERR_INVALID_CA:
    case X509_V_ERR_INVALID_NON_CA:
    case X509_V_ERR_PATH_LENGTH_EXCEEDED:
    case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
      return Reason::kInvalidCa;
    case X509_V_ERR_PERMITTED_VIOLATION:
    case X509_V_ERR_EXCLUDED_VIOLATION:
    case X509_V_ERR_SUBTREE_MINMAX:
    case X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE:
    case X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX:
    case X509_V_ERR_UNSUPPORTED_NAME_SYNTAX:
    case X509_V_ERR_NAME_CONSTRAINTS_WITHOUT_SANS:
      return Reason::kNameConstraint;
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    case X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE:
      return Reason::kBadSignature;
    case X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY:
      return Reason::kUnsupportedKey;
    case X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION:
    case X509_V_ERR_INVALID_EXTENSION:
    case X509_V_ERR_UNSUPPORTED_EXTENSION_FEATURE:
      return Reason::kCriticalExtension;
    case X509_V_ERR_INVALID_POLICY_EXTENSION:
    case X509_V_ERR_NO_EXPLICIT_POLICY:
      return Reason::kCertificatePolicy;
    case X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD:
    case X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD:
      return Reason::kUnparsable;
    default:
      return Reason::kCertificateRejected;
  }
}

}  // namespace postern::tls
