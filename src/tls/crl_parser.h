// One certificate revocation list, read from DER as it goes by (RFC 5280, section 5). Internal to
// tls/. Nothing here knows whether the signature is good.
#ifndef POSTERN_SRC_TLS_CRL_PARSER_H_
#define POSTERN_SRC_TLS_CRL_PARSER_H_

#include <openssl/bytestring.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "src/base/status_fwd.h"

namespace postern::tls {

// Views into the DER. Views of what is not there are empty.
struct ParsedCrl {
  CBS signed_part;  // tbsCertList, with its header
  CBS algorithm;    // AlgorithmIdentifier, with its header
  CBS signature;
  CBS issuer;  // Name, with its header
  int64_t this_update_s = 0;
  int64_t next_update_s = 0;  // 0: none
  bool version_2 = false;
  CBS entries;                   // content of revokedCertificates
  CBS authority_key_identifier;  // its keyIdentifier
  CBS distribution_point;        // of the IssuingDistributionPoint
  std::string number;            // upper-case hex of whole octets
  bool covers_leaves = true;
  bool covers_cas = true;
};

// Everything but the entries. Refuses what is malformed, and what would be read wrongly: deltas,
// indirect lists, lists for some reasons or for attribute certificates only, unknown critical
// extensions.
absl::Status ParseCrl(std::span<const uint8_t> der, ParsedCrl* out);

// Goes through the entries, refusing likewise; counts them.
absl::Status CheckEntries(const ParsedCrl& crl, size_t* count);

// Takes the next entry off `entries`, which CheckEntries has found good; false at their end.
bool NextSerial(CBS* entries, CBS* serial);

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_CRL_PARSER_H_
