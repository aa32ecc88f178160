// Distinguished names inside header values.
#ifndef POSTERN_SRC_IDENTITY_NAME_TEXT_H_
#define POSTERN_SRC_IDENTITY_NAME_TEXT_H_

#include <string_view>

#include "src/http/h1_writer.h"

namespace postern::identity {

// Appends a name in RFC 2253 text as it is. A byte that is not printable ASCII, of which a rendered
// name has none, becomes a hex pair (RFC 2253, 2.4): it must never end a line.
void AppendName(std::string_view name, http::ByteWriter* out);

// The same for a value in double quotes. Quotation marks, and backslashes that stand for
// themselves, become hex pairs too, so that neither is left: the readers of such values disagree
// about whether a backslash before another one, or before the closing quote, escapes it, and a
// name must end where it ends for all of them. It is still the same name.
void AppendQuotedName(std::string_view name, http::ByteWriter* out);

}  // namespace postern::identity

#endif  // POSTERN_SRC_IDENTITY_NAME_TEXT_H_
