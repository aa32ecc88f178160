// The database of revoked certificates: a text file to which lines are only ever appended, under a
// lock.
//
//   revoked 0A1B2C 2030-01-31T12:00:00Z keyCompromise CN=client    serial, time, reason, comment up
//   to the line's end crl_number 7                                                   number of the
//   last CRL; the last such line counts
//
// Empty lines and lines that begin with '#' mean nothing.
#ifndef POSTERN_TOOLS_CA_REVOCATION_H_
#define POSTERN_TOOLS_CA_REVOCATION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace postern::ca {

struct Revocation {
  std::string serial;  // as NormalizeSerial writes it
  int64_t time = 0;
  std::string reason;  // a key of ReasonCode
  std::string comment;
};

struct RevocationDatabase {
  std::vector<Revocation> entries;
  int64_t crl_number = 0;  // 0: no CRL yet
};

inline constexpr absl::string_view kReasons =
    "unspecified|keyCompromise|cACompromise|affiliationChanged|superseded|cessationOfOperation|"
    "certificateHold|privilegeWithdrawn|aACompromise";

// RFC 5280, 5.3.1.
absl::StatusOr<int> ReasonCode(absl::string_view reason);

absl::StatusOr<RevocationDatabase> ParseRevocations(absl::string_view text, absl::string_view path);
// A file that is not there is an empty database.
absl::StatusOr<RevocationDatabase> ReadRevocations(const std::string& path);

// Returns false, and writes nothing, if the serial is in there already.
absl::StatusOr<bool> AppendRevocation(const std::string& path, const Revocation& revocation);
// Writes the number down for the next time.
absl::Status AppendCrlNumber(const std::string& path, int64_t number);

}  // namespace postern::ca

#endif  // POSTERN_TOOLS_CA_REVOCATION_H_
