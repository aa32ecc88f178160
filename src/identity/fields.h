// A client's identity as request headers, in the dialects that a listener has chosen. Everything
// is a copy of texts that were rendered when the client was authenticated; nothing allocates.
#ifndef POSTERN_SRC_IDENTITY_FIELDS_H_
#define POSTERN_SRC_IDENTITY_FIELDS_H_

#include <cstdint>

#include "src/config/config.h"
#include "src/http/h1_writer.h"
#include "src/tls/identity.h"

namespace postern::identity {

// What is to be told, and how. The pointers are borrowed for the call.
struct IdentityTerms {
  const config::IdentityHeaders* names = nullptr;
  const config::IdentityDialects* dialects = nullptr;
  const tls::PeerIdentity::Parts* certificate = nullptr;  // null: the client has shown none
  // Whether the client was asked for a certificate: only then is its absence worth a header.
  bool asked = false;
  bool resumed = false;  // the TLS session
  int64_t now_s = 0;     // seconds since 1970
};

// Appends the fields of every chosen dialect, each with its line end:
//   alb          subject, issuer, fingerprint, then SUCCESS, NONE or UNVERIFIED (passthrough)
//   rfc9440      Client-Cert and, if there is more than the leaf, Client-Cert-Chain
//   xfcc         X-Forwarded-Client-Cert, one element: Hash, Subject, URI, DNS
//   aws          X-Amzn-Mtls-Clientcert-Serial-Number, -Issuer, -Subject and -Validity; in
//                passthrough X-Amzn-Mtls-Clientcert instead, the chain as it was sent
//   tls_resumed  X-Tls-Resumed: 1 or 0, also without a certificate
//   auth_age     X-Auth-Age: whole seconds since the client proved that it has its key, at least 0
// Apart from the last two, the bytes depend on names, dialects and certificate only: a resumed
// session is told like a full handshake. What does not fit shows as out->overflowed().
//
// Whatever the texts hold, a field stays one field: bytes that are not printable ASCII come out
// escaped.
void WriteIdentityFields(const IdentityTerms& terms, http::ByteWriter* out);

}  // namespace postern::identity

#endif  // POSTERN_SRC_IDENTITY_FIELDS_H_
