// How an exchange gets to a server, whatever protocol its group speaks.
#ifndef POSTERN_SRC_PROXY_UPSTREAM_ATTACH_H_
#define POSTERN_SRC_PROXY_UPSTREAM_ATTACH_H_

#include "src/proxy/env.h"
#include "src/proxy/stream.h"

namespace postern::proxy {

// A way to send one request to `server`: on a connection that stands, unless `fresh`, or on a new
// one that is being connected; null (with the reason counted) when no socket or slot is to be had.
// `client` is woken when there is news.
UpstreamStream* AttachUpstream(Env* env, ServerGroup* group, Server* server, bool fresh,
                               DownstreamStream* client);

// Ends every connection that is idle now, and the others after their last request.
void CloseIdle(Upstreams* upstreams);

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_UPSTREAM_ATTACH_H_
