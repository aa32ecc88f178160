// What a message says when it is handed on: hop-by-hop fields removed (RFC 9110, 7.6.1), forwarding
// fields and the verified identity added, everything that merely claims to be one of these removed.
#ifndef POSTERN_SRC_PROXY_FORWARDING_H_
#define POSTERN_SRC_PROXY_FORWARDING_H_

#include <string_view>

#include "src/config/config.h"
#include "src/http/h1_writer.h"
#include "src/http/message.h"
#include "src/identity/claims.h"
#include "src/tls/identity.h"

namespace postern::proxy {

// A request and what is known of its sender.
struct RequestContext {
  const http::RequestHead* head = nullptr;
  const config::ListenerConfig* listener = nullptr;
  const tls::PeerIdentity* identity = nullptr;
  const identity::ClaimTable* claims = nullptr;  // what no client may say
  std::string_view via;                          // what this process calls itself towards servers
  bool via_unique = false;                       // whoever else says that name has it from us
  std::string_view client_host;                  // the client's address as text
  std::string_view port;                         // the listener's port as text
  std::string_view server_name;                  // what TLS was asked for; empty without SNI
  std::string_view request_id;                   // the client's, or made for it
  bool request_id_made = false;
  bool certificate_asked = false;
  bool tls_resumed = false;     // the client's TLS session
  int64_t now_s = 0;            // wall time, seconds since 1970
  bool client_trusted = false;  // what it says of the request's way is continued, not replaced
  bool last_of_connection = false;
};

// The fields of a request's head for a server of any version, without Host, and nothing about its
// connection. `framing` is what shows in them. False when they do not fit into `out`.
bool WriteRequestFields(const RequestContext& request, http::BodyFraming framing,
                        http::ByteWriter* out);

// The request's head for an HTTP/1.1 server. `websocket_key`: for a WebSocket whose request came
// without one. False when it does not fit into `out`.
bool WriteForwardedRequest(const RequestContext& request, std::string_view websocket_key,
                           http::ByteWriter* out);

// Whether the request has been here before: our name is among those of its Via fields.
bool IsLoop(const RequestContext& request);

// The trailers of a message that may be handed on: none that claims what is ours to say, and none
// that has a meaning in a head only.
void FilterTrailers(const http::FieldList& trailers, const identity::ClaimTable& claims,
                    http::FieldList* out);

// How the client will find the end of a response.
struct ResponseTerms {
  http::BodyFraming framing = http::BodyFraming::kNone;
  bool close_after = false;
  bool http2 = false;    // the client speaks it
  std::string_view via;  // what this proxy calls itself towards clients
};

// The fields of a response's head for a client of any version, and nothing about its connection.
// False when they do not fit.
bool WriteResponseFields(const http::ResponseHead& head, const ResponseTerms& terms,
                         http::ByteWriter* out);

// The response's head for an HTTP/1.x client. False when it does not fit.
bool WriteForwardedResponse(const http::ResponseHead& head, http::Version client_version,
                            const ResponseTerms& terms, http::ByteWriter* out);

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_FORWARDING_H_
