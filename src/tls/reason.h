// Why a peer was refused, or a TLS connection ended. BoringSSL's error queue and X.509 error
// codes stop here.
#ifndef POSTERN_SRC_TLS_REASON_H_
#define POSTERN_SRC_TLS_REASON_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace postern::tls {

enum class Reason : uint8_t {
  kNone,
  // The peer's certificate.
  kNoCertificate,        // required, none sent
  kUnknownCa,            // no path to a trusted anchor
  kExpired,              // a certificate of the chain
  kNotYetValid,          // a certificate of the chain
  kWrongPurpose,         // not for authentication on this side
  kWrongName,            // a server's, for other names than the one asked for
  kChainTooLong,         // deeper than verify_depth
  kInvalidCa,            // an issuer that is no CA, path length, key usage
  kNameConstraint,       // excluded by a CA's name constraints
  kBadSignature,         // a signature of the chain does not verify
  kUnparsable,           // not a certificate
  kRevoked,              // a certificate of the chain is in a CRL of its issuer
  kCrlStale,             // its CRL is past its nextUpdate, and stale_crl is "refuse"
  kCrlMissing,           // no CRL tells of it, and missing_crl is "refuse"
  kSanNotAllowed,        // none of its names is in the allow-list
  kPolicyChanged,        // let in under a policy that no longer holds
  kWeakKey,              // a key of the chain is too small or too large
  kUnsupportedKey,       // a key of the chain is of a kind that nobody here verifies with
  kWeakSignature,        // a certificate of the chain is signed with SHA-1 or worse
  kIdentityTooLarge,     // names longer than can be handed on
  kCriticalExtension,    // one that must be understood, and is not, or is malformed
  kCertificatePolicy,    // no certificate policy that the chain demands, or malformed ones
  kCertificateRejected,  // anything else the chain verification found
  kCertificateTooLarge,  // its Certificate message is longer than any real chain
  kBadProof,             // CertificateVerify does not match: the peer lacks the key
  kTicketProof,          // a ticket without its secret: copied, not earned
  // The handshake.
  kNotTls,     // the first bytes are no TLS record
  kPlainHttp,  // an HTTP request on the TLS port
  kUnsupportedVersion,
  kNoSharedCipher,         // nothing in common: ciphers, groups or signature algorithms
  kNoApplicationProtocol,  // ALPN offered, nothing in common
  kPeerAlert,              // the client ended it (it does not trust us, for one)
  kProtocol,               // malformed or out of order
  kUnknownServerName,      // no server name, or none of ours, and strict_sni is on
  kOverloaded,             // a full handshake while there is time for resumed ones only
  kBadRecord,              // a record that does not decrypt
  kInternal,
};
inline constexpr size_t kReasons = static_cast<size_t>(Reason::kInternal) + 1;

// Stable lower_case names for metrics and logs.
std::string_view NameOf(Reason reason);

// One refusal, for the log: who (as far as a certificate was seen) and why. Texts are cut, never
// used for decisions.
struct Refusal {
  static constexpr size_t kTextMax = 256;
  struct Text {
    std::array<char, kTextMax> bytes;
    uint16_t size = 0;
    void Set(std::string_view text);
    std::string_view view() const { return {bytes.data(), size}; }
  };

  Reason reason = Reason::kNone;
  uint8_t peer_alert = 0;  // kPeerAlert: the alert's number
  uint16_t depth = 0;      // where in the chain, 0 is the leaf
  Text subject;
  Text issuer;
  Text serial;
  Text ja4;               // of the client's hello
  bool resuming = false;  // a ticket had been accepted

  void Clear();
};

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_REASON_H_
