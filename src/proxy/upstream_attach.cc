#include "src/proxy/upstream_attach.h"

#include "src/proxy/upstream_h1.h"
#include "src/proxy/upstream_h2.h"

namespace postern::proxy {

UpstreamStream* AttachUpstream(Env* env, ServerGroup* group, Server* server, bool fresh,
                               DownstreamStream* client) {
  if (group->http2()) {
    return UpstreamH2::Attach(env, group, server, fresh, client);
  }
  return UpstreamH1::Attach(env, group, server, fresh, client);
}

void CloseIdle(Upstreams* upstreams) {
  for (const auto& group : upstreams->groups) {
    for (const auto& server : group->servers) {
      while (UpstreamH1* connection = server->idle.Oldest()) {
        connection->CloseIdle();
      }
      while (UpstreamH2* connection = server->h2_connections.Front()) {
        connection->Leave();
      }
    }
  }
}

}  // namespace postern::proxy
