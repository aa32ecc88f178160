// Subject alternative names of a client's certificate (RFC 5280, 4.2.1.6): which ones it has,
// whether one of them lets it in, and how XFCC writes them. Internal to tls/.
#ifndef POSTERN_SRC_TLS_SAN_H_
#define POSTERN_SRC_TLS_SAN_H_

#include <openssl/x509.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/config/config.h"

namespace postern::tls {

struct San {
  config::SanPattern::Type type = config::SanPattern::Type::kDns;
  std::string text;
};

// DNS names, URIs and e-mail addresses in the certificate's order. Names with a NUL or with bytes
// that are not ASCII are left out: they would mean different things to different readers.
std::vector<San> SansOf(X509* certificate);

// Whether `text` matches `pattern`, in which '*' stands for any run of characters.
bool MatchesGlob(std::string_view pattern, std::string_view text);

// Whether one of the names matches one of the patterns of its type. DNS names and e-mail addresses
// are compared without regard to case, URIs as they are.
bool IsAllowed(std::span<const config::SanPattern> patterns, std::span<const San> sans);

// ";URI=...;DNS=..." as it stands in an XFCC element behind the subject: printable ASCII, quoted
// where a separator would be read into it.
std::string XfccNames(std::span<const San> sans);

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_SAN_H_
