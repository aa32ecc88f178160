// Which fields mean something in a head only (RFC 9110, 6.5.1).
#ifndef POSTERN_SRC_HTTP_TRAILER_FIELDS_H_
#define POSTERN_SRC_HTTP_TRAILER_FIELDS_H_

#include "src/http/message.h"

namespace postern::http {

// Whether a trailer of this name is not to be handed on: whoever merges trailers into the head
// would let it change what the message means when it has been acted on already (caching, routing,
// authentication, the way to read the content). Harmless where it is dropped, unlike what
// BodyDecoder refuses.
bool BelongsInHead(const Field& field);

}  // namespace postern::http

#endif  // POSTERN_SRC_HTTP_TRAILER_FIELDS_H_
