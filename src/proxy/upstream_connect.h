// What both protocols do to connect to a server of a group, and say of it.
#ifndef POSTERN_SRC_PROXY_UPSTREAM_CONNECT_H_
#define POSTERN_SRC_PROXY_UPSTREAM_CONNECT_H_

#include "src/proxy/env.h"
#include "src/proxy/stream.h"
#include "src/proxy/upstream_transport.h"

namespace postern::proxy {

UpstreamPeer PeerOf(const ServerGroup& group, Server* server);

// A socket to connect with; false, counted and told, when none is to be had.
bool OpenSocket(Env* env, const Server& server, io::Socket* socket);

// Right behind the Advance in which it failed: why, for the exchange; a refusal goes to the log.
UpstreamStream::Failure ReportFailure(Env* env, const ServerGroup& group, const Server& server,
                                      ConnectFailure failure);

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_UPSTREAM_CONNECT_H_
