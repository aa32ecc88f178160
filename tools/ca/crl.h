// Certificate revocation lists (RFC 5280, section 5).
#ifndef POSTERN_TOOLS_CA_CRL_H_
#define POSTERN_TOOLS_CA_CRL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/ca/certificate.h"
#include "tools/ca/revocation.h"

namespace postern::ca {

struct CrlSpec {
  std::vector<Revocation> entries;
  int64_t number = 1;
  int64_t this_update = 0;
  int64_t next_update = 0;
};

// The signed list, in DER.
absl::StatusOr<std::string> MakeCrl(const CrlSpec& spec, const Issuer& issuer);

}  // namespace postern::ca

#endif  // POSTERN_TOOLS_CA_CRL_H_
