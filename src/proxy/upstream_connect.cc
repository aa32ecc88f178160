#include "src/proxy/upstream_connect.h"

#include "src/proxy/event_log.h"

namespace postern::proxy {

UpstreamPeer PeerOf(const ServerGroup& group, Server* server) {
  UpstreamPeer peer;
  peer.address = &server->address;
  peer.tls = group.tls.get();
  peer.tls_name = &server->tls_name;
  peer.tls_sessions = &server->tls_sessions;
  return peer;
}

bool OpenSocket(Env* env, const Server& server, io::Socket* socket) {
  const io::Status status = UpstreamTransport::Open(env, server.address, socket);
  if (status == io::Status::kNoDescriptors) {
    NoteShortage(env, Shortage::kServerDescriptors);
  }
  return status == io::Status::kOk;
}

UpstreamStream::Failure ReportFailure(Env* env, const ServerGroup& group, const Server& server,
                                      ConnectFailure failure) {
  switch (failure) {
    case ConnectFailure::kNone:
      break;
    case ConnectFailure::kConnect:
      return UpstreamStream::Failure::kConnect;
    case ConnectFailure::kTimeout:
      return UpstreamStream::Failure::kConnectTimeout;
    case ConnectFailure::kTls:
      LogServerRefused(env, group.config.name, server.name, env->tls->refusal());
      return UpstreamStream::Failure::kTls;
  }
  return UpstreamStream::Failure::kNone;
}

}  // namespace postern::proxy
