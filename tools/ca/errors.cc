#include "tools/ca/errors.h"

#include <openssl/err.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace postern::ca {

absl::Status CryptoError(absl::string_view what) {
  const uint32_t code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  if (reason == nullptr) {
    return absl::InternalError(what);
  }
  return absl::InternalError(absl::StrCat(what, " (", reason, ")"));
}

absl::Status FileError(absl::string_view what, absl::string_view path) {
  // Never kInvalidArgument, whatever errno: the command line was fine.
  return absl::FailedPreconditionError(absl::StrCat(what, " ", path, ": ", std::strerror(errno)));
}

}  // namespace postern::ca
