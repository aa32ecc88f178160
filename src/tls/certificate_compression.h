// Our certificate chain in fewer bytes (RFC 8879), for clients that offer to take it so. Internal
// to tls/.
//
// What is said is the same for every client of one context, so it is compressed when that is made,
// as well as the algorithm can, which takes milliseconds: once a chain (packed_chains.h). One that
// does not make it much shorter is not offered. Clients' chains are not asked for in this form: to
// inflate what anybody sends is work that nobody has earned yet.
#ifndef POSTERN_SRC_TLS_CERTIFICATE_COMPRESSION_H_
#define POSTERN_SRC_TLS_CERTIFICATE_COMPRESSION_H_

#include <openssl/base.h>

namespace postern::tls {

class PackedChains;

// Brotli before zlib. The chain has been set. `chains`: what has been compressed already; may be
// null.
void CompressCertificates(SSL_CTX* context, PackedChains* chains);

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_CERTIFICATE_COMPRESSION_H_
