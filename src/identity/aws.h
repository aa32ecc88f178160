// The headers of AWS's Application Load Balancer for mutual TLS.
#ifndef POSTERN_SRC_IDENTITY_AWS_H_
#define POSTERN_SRC_IDENTITY_AWS_H_

#include "src/http/h1_writer.h"
#include "src/tls/identity.h"

namespace postern::identity {

// Its "verify mode" for a verified client, its "passthrough mode" for another.
// X-Amzn-Mtls-Clientcert-Leaf is not sent: a ticket would have to carry the certificate, and
// whoever needs one has RFC 9440.
void WriteAwsFields(const tls::PeerIdentity::Parts& certificate, http::ByteWriter* out);

}  // namespace postern::identity

#endif  // POSTERN_SRC_IDENTITY_AWS_H_
