#include <string>

#include "absl/strings/str_cat.h"
#include "src/config/checks.h"
#include "src/config/convert.h"
#include "src/config/schema.h"

namespace postern::config {
namespace {

constexpr int kServersMax = 1'000;  // ALB
constexpr int kSuccessCodesMax = 5;
constexpr Range kServerPortRange = {1, 65'535};
constexpr Range kHealthPortRange = {0, 65'535};
constexpr Range kWeightRange = {0, 100};
constexpr Range kIdleConnectionsRange = {0, 65'535};

// ALB's ranges.
constexpr Range kHealthIntervalRange = {1'000, 50'000, " milliseconds"};
constexpr Range kHealthTimeoutRange = {1'000, 300'000, " milliseconds"};
constexpr Range kThresholdRange = {2, 10};

void ConvertSuccessCodes(const FieldReader& reader, HealthCheckConfig* out) {
  constexpr int kNumber = proto::HealthCheck::kSuccessCodesFieldNumber;
  const int count = reader.Count(kNumber);
  if (count == 0 || !reader.CheckCount(kNumber, 1, kSuccessCodesMax)) {
    return;
  }
  uint8_t classes = 0;
  for (int i = 0; i < count; ++i) {
    std::string text;
    if (!reader.ReadText(kNumber, &text, i)) {
      continue;
    }
    const bool known = text.size() == 8 && text.starts_with("http_") && text.ends_with("xx") &&
                       text[5] >= '1' && text[5] <= '5';
    if (!known) {
      reader.Error(kNumber,
                   absl::StrCat(Quote(text),
                                " is unknown; use one of http_1xx, http_2xx, "
                                "http_3xx, http_4xx, http_5xx"),
                   i);
      continue;
    }
    classes = static_cast<uint8_t>(classes | (1 << (text[5] - '0')));
  }
  out->success_classes = classes;
}

void ReadPort(const FieldReader& reader, int number, const Range& range, uint16_t* out) {
  uint32_t port = 0;
  if (reader.ReadNumber(number, range, &port)) {
    *out = static_cast<uint16_t>(port);
  }
}

HealthCheckConfig ConvertHealthCheck(const FieldReader& reader) {
  using P = proto::HealthCheck;
  HealthCheckConfig out;
  reader.ReadBool(P::kEnabledFieldNumber, &out.enabled);
  if (reader.ReadText(P::kMethodFieldNumber, &out.method) && out.method != "HEAD" &&
      out.method != "GET") {
    reader.Error(P::kMethodFieldNumber,
                 absl::StrCat(Quote(out.method), " is unknown; use HEAD or GET"));
  }
  if (reader.ReadText(P::kPathFieldNumber, &out.path)) {
    reader.CheckText(P::kPathFieldNumber, HealthPathProblem, out.path);
  }
  if (reader.ReadText(P::kHostFieldNumber, &out.host)) {
    reader.CheckText(P::kHostFieldNumber, HealthHostProblem, out.host);
  }
  ReadPort(reader, P::kPortFieldNumber, kHealthPortRange, &out.port);
  reader.ReadNumber(P::kIntervalMsFieldNumber, kHealthIntervalRange, &out.interval_ms);
  reader.ReadNumber(P::kTimeoutMsFieldNumber, kHealthTimeoutRange, &out.timeout_ms);
  reader.ReadNumber(P::kHealthyThresholdFieldNumber, kThresholdRange, &out.healthy_threshold);
  reader.ReadNumber(P::kUnhealthyThresholdFieldNumber, kThresholdRange, &out.unhealthy_threshold);
  ConvertSuccessCodes(reader, &out);
  return out;
}

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
  ReadPort(reader, P::kPortFieldNumber, kServerPortRange, &out.port);
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
  if (reader.CheckCount(P::kServersFieldNumber, 1, kServersMax)) {
    for (int i = 0; i < reader.Count(P::kServersFieldNumber); ++i) {
      out.servers.push_back(ConvertServer(reader.Child(P::kServersFieldNumber, i)));
    }
    reader.CheckNamesDiffer(P::kServersFieldNumber, proto::Server::kNameFieldNumber);
  }
  out.health_check = ConvertHealthCheck(reader.Child(P::kHealthCheckFieldNumber));
  reader.ReadNumber(P::kConnectTimeoutMsFieldNumber, kTimeoutRange, &out.connect_timeout_ms);
  reader.ReadNumber(P::kResponseTimeoutMsFieldNumber, kTimeoutRange, &out.response_timeout_ms);
  reader.ReadNumber(P::kIdleTimeoutMsFieldNumber, kTimeoutRange, &out.idle_timeout_ms);
  reader.ReadNumber(P::kIdleConnectionsMaxFieldNumber, kIdleConnectionsRange,
                    &out.idle_connections_max);
  reader.ReadBool(P::kFailOpenFieldNumber, &out.fail_open);
  return out;
}

}  // namespace postern::config
