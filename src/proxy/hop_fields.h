// The fields of a request that tell how it has come, each of which this hop writes anew or
// continues: X-Forwarded-..., X-Real-IP, Forwarded (RFC 7239) and Via. Internal to proxy/.
#ifndef POSTERN_SRC_PROXY_HOP_FIELDS_H_
#define POSTERN_SRC_PROXY_HOP_FIELDS_H_

#include <string_view>

#include "src/http/h1_writer.h"
#include "src/http/message.h"
#include "src/proxy/forwarding.h"

namespace postern::proxy {

// Whether a field, which claims identity::Claim::kForwarding or has an id of these, goes no
// further: anybody's but a trusted proxy's, one that is written below, or one in a second spelling.
bool IsHopFieldReplaced(const RequestContext& request, const http::Field& field);

// Those that the listener has chosen.
void WriteHopFields(const RequestContext& request, http::ByteWriter* out);

// RFC 9110, 7.6.3: every hop appends itself, as `name`, behind what `fields` say.
void WriteVia(const http::FieldList& fields, http::Version received, std::string_view name,
              http::ByteWriter* out);

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_HOP_FIELDS_H_
