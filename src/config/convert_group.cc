#include "src/config/checks.h"
#include "src/config/convert.h"
#include "src/config/field_enum.h"
#include "src/config/schema.h"
#include "src/config/words.h"

namespace postern::config {
namespace {

constexpr int kServersMax = 1'000;  // ALB
constexpr Range kWeightRange = {0, 100};
constexpr Range kIdleConnectionsRange = {0, 65'535};

ServerConfig ConvertServer(const FieldReader& reader) {
  using P = proto::Server;
  ServerConfig out;
  if (reader.RequireText(P::kNameFieldNumber, "use 1 to 256 characters", &out.name)) {
    reader.CheckText(P::kNameFieldNumber, NameProblem, out.name);
  }
  if (reader.RequireText(P::kHostFieldNumber, "write an IP address or a host name", &out.host)) {
    reader.CheckText(P::kHostFieldNumber, ServerHostProblem, out.host);
  }
  if (!reader.Has(P::kPortFieldNumber)) {
    reader.Error(P::kPortFieldNumber, "is missing; use 1 to 65535");
  }
  reader.ReadPort(P::kPortFieldNumber, kPortRange, &out.port);
  reader.ReadNumber(P::kWeightFieldNumber, kWeightRange, &out.weight);
  return out;
}

}  // namespace

GroupConfig ConvertGroup(const FieldReader& reader) {
  using P = proto::ServerGroup;
  GroupConfig out;
  if (reader.RequireText(P::kNameFieldNumber, "use 1 to 256 characters", &out.name)) {
    reader.CheckText(P::kNameFieldNumber, NameProblem, out.name);
  }
  ReadEnum(reader, P::kProtocolFieldNumber, kUpstreamProtocols, &out.protocol);
  if (reader.Has(P::kTlsFieldNumber)) {
    out.tls = ConvertUpstreamTls(reader.Child(P::kTlsFieldNumber));
  }
  if (reader.CheckCount(P::kServersFieldNumber, 1, kServersMax)) {
    for (int i = 0; i < reader.Count(P::kServersFieldNumber); ++i) {
      out.servers.push_back(ConvertServer(reader.Child(P::kServersFieldNumber, i)));
    }
    reader.CheckNamesDiffer(P::kServersFieldNumber, proto::Server::kNameFieldNumber);
  }
  out.health_check = ConvertHealthCheck(reader.Child(P::kHealthCheckFieldNumber), out.protocol);
  reader.ReadNumber(P::kConnectTimeoutMsFieldNumber, kTimeoutRange, &out.connect_timeout_ms);
  reader.ReadNumber(P::kResponseTimeoutMsFieldNumber, kTimeoutRange, &out.response_timeout_ms);
  reader.ReadNumber(P::kStreamIdleTimeoutMsFieldNumber, kTimeoutRange, &out.stream_idle_timeout_ms);
  reader.ReadNumber(P::kIdleTimeoutMsFieldNumber, kTimeoutRange, &out.idle_timeout_ms);
  reader.ReadNumber(P::kIdleConnectionsMaxFieldNumber, kIdleConnectionsRange,
                    &out.idle_connections_max);
  reader.ReadBool(P::kFailOpenFieldNumber, &out.fail_open);
  reader.ReadNumber(P::kHttp2StreamsMaxFieldNumber, kStreamsRange, &out.http2_streams_max);
  return out;
}

}  // namespace postern::config
