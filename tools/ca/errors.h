// What goes wrong is an absl::Status whose message is one line that says what to do.
// kInvalidArgument means that the command line is wrong (exit code 2); any other code is a failure
// (exit code 1).
#ifndef POSTERN_TOOLS_CA_ERRORS_H_
#define POSTERN_TOOLS_CA_ERRORS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace postern::ca {

// An internal error with the reason that BoringSSL left in its error queue; empties the queue.
absl::Status CryptoError(absl::string_view what);

// A file that could not be used: "what PATH: why", with errno's text. Call it before errno changes.
absl::Status FileError(absl::string_view what, absl::string_view path);

}  // namespace postern::ca

#define CA_RETURN_IF_ERROR(expression)           \
  do {                                           \
    absl::Status status_of_macro = (expression); \
    if (!status_of_macro.ok())                   \
      return status_of_macro;                    \
  } while (false)

#define CA_CONCAT_INNER(a, b) a##b
#define CA_CONCAT(a, b) CA_CONCAT_INNER(a, b)
#define CA_ASSIGN_OR_RETURN(declaration, expression) \
  CA_ASSIGN_OR_RETURN_INNER(CA_CONCAT(result_of_macro_, __LINE__), declaration, expression)
#define CA_ASSIGN_OR_RETURN_INNER(result, declaration, expression) \
  auto result = (expression);                                      \
  if (!result.ok())                                                \
    return result.status();                                        \
  declaration = *std::move(result)

#endif  // POSTERN_TOOLS_CA_ERRORS_H_
