// From certificates to the texts and facts that a PeerIdentity keeps. Internal to tls/.
#ifndef POSTERN_SRC_TLS_IDENTITY_TEXT_H_
#define POSTERN_SRC_TLS_IDENTITY_TEXT_H_

#include <openssl/base.h>
#include <openssl/stack.h>
#include <openssl/x509.h>

#include <cstdint>
#include <string>

#include "src/config/config.h"
#include "src/tls/identity.h"

namespace postern::tls {

// What the configured dialects need beyond names and hashes; it makes tickets larger.
struct IdentityContent {
  bool san_texts = false;
  bool certificates = false;
  bool passthrough = false;

  bool compact() const { return !san_texts && !certificates; }
};
IdentityContent ContentFor(const config::IdentityDialects& dialects, config::ClientAuth mode);

// Upper-case hex without leading zeros.
std::string SerialText(const X509* certificate);
// Seconds since 1970; 0 for what is no time.
int64_t SecondsOf(const ASN1_TIME* time);
// Both ends included (RFC 5280, 4.1.2.5). False where one of them is not written as it says there.
bool IsInTime(const X509* certificate, int64_t now_s);
Sha256 ContentHash(X509* certificate);
KeyId KeyIdOf(X509* certificate);

// `path`: the verified path, leaf first, anchor last. False when it is too large to be handed on.
bool SetVerifiedIdentity(const STACK_OF(X509) * path, const PeerIdentity::Facts& facts,
                         IdentityContent content, PeerIdentity* identity);
// Passthrough: what the client sent, verified by nobody. Also false when the leaf cannot be parsed.
bool SetUnverifiedIdentity(const STACK_OF(CRYPTO_BUFFER) * chain, IdentityContent content,
                           int64_t now_s, PeerIdentity* identity);
// The facts of a verified path. False for a certificate that says its serial number in a way that
// nobody can look up.
bool SetFacts(const STACK_OF(X509) * path, int64_t now_s, PeerIdentity::Facts* facts);
// The same where `facts` hold for everybody below `issuer`, and `leaf` is yet another.
bool SetLeafFacts(X509* leaf, X509* issuer, int64_t now_s, PeerIdentity::Facts* facts);

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_IDENTITY_TEXT_H_
