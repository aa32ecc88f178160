// The rules for names in certificates. All errors are kInvalidArgument.
#ifndef POSTERN_TOOLS_CA_NAMES_H_
#define POSTERN_TOOLS_CA_NAMES_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/ca/certificate.h"

namespace postern::ca {

// At least one part, each within the bounds of RFC 5280, appendix A.1.
absl::Status ValidateSubject(const Subject& subject);
absl::Status ValidateAlternativeNames(const AlternativeNames& names);
// "example.test"; ".example.test" too.
absl::Status ValidateDnsConstraint(absl::string_view name);

// A host name, perhaps with "*" as its first label.
bool IsDnsName(absl::string_view name);
// 4 or 16 octets in network order.
absl::StatusOr<std::string> ParseIp(const std::string& text);

}  // namespace postern::ca

#endif  // POSTERN_TOOLS_CA_NAMES_H_
