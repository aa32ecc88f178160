#include <string>

#include "absl/strings/str_cat.h"
#include "src/config/checks.h"
#include "src/config/convert.h"
#include "src/config/field_enum.h"
#include "src/config/schema.h"
#include "src/config/words.h"

namespace postern::config {
namespace {

constexpr int kSuccessCodesMax = 5;
constexpr Range kHealthPortRange = {0, 65'535};

// ALB's ranges.
constexpr Range kHealthIntervalRange = {1'000, 50'000, " milliseconds"};
constexpr Range kHealthTimeoutRange = {1'000, 300'000, " milliseconds"};
constexpr Range kThresholdRange = {2, 10};

using P = proto::HealthCheck;

void ConvertSuccessCodes(const FieldReader& reader, HealthCheckConfig* out) {
  constexpr int kNumber = P::kSuccessCodesFieldNumber;
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

// What is asked of the server, and which answer is a success.
void ConvertRequest(const FieldReader& reader, HealthCheckConfig* out) {
  if (reader.ReadText(P::kMethodFieldNumber, &out->method) && out->method != "HEAD" &&
      out->method != "GET") {
    reader.Error(P::kMethodFieldNumber,
                 absl::StrCat(Quote(out->method), " is unknown; use HEAD or GET"));
  }
  if (reader.ReadText(P::kPathFieldNumber, &out->path)) {
    reader.CheckText(P::kPathFieldNumber, HealthPathProblem, out->path);
  }
  if (reader.ReadText(P::kHostFieldNumber, &out->host)) {
    reader.CheckText(P::kHostFieldNumber, HealthHostProblem, out->host);
  }
  ConvertSuccessCodes(reader, out);
}

// Whoever names a path believes that it is asked for.
void RefuseRequest(const FieldReader& reader, bool http1) {
  for (const int number : reader.Given()) {
    if (number == P::kMethodFieldNumber || number == P::kPathFieldNumber ||
        number == P::kHostFieldNumber || number == P::kSuccessCodesFieldNumber) {
      reader.Error(number,
                   http1 ? "has no meaning in a check of protocol tcp, which only connects; remove "
                           "it, or use protocol http"
                         : "has no meaning in a check of protocol tcp, which only connects and is "
                           "the one for servers of http2 and grpc; remove it");
    }
  }
}

}  // namespace

HealthCheckConfig ConvertHealthCheck(const FieldReader& reader, UpstreamProtocol protocol) {
  const bool http1 = protocol == UpstreamProtocol::kHttp1;
  HealthCheckConfig out;
  reader.ReadBool(P::kEnabledFieldNumber, &out.enabled);
  out.protocol = http1 ? CheckProtocol::kHttp : CheckProtocol::kTcp;
  if (ReadEnum(reader, P::kProtocolFieldNumber, kCheckProtocols, &out.protocol) &&
      out.protocol == CheckProtocol::kHttp && !http1) {
    reader.Error(P::kProtocolFieldNumber,
                 "\"http\" asks in HTTP/1.1, which servers of http2 and grpc need not understand; "
                 "use tcp");
  }
  switch (out.protocol) {
    case CheckProtocol::kHttp:
      ConvertRequest(reader, &out);
      break;
    case CheckProtocol::kTcp:
      RefuseRequest(reader, http1);
      break;
  }
  reader.ReadPort(P::kPortFieldNumber, kHealthPortRange, &out.port);
  reader.ReadNumber(P::kIntervalMsFieldNumber, kHealthIntervalRange, &out.interval_ms);
  reader.ReadNumber(P::kTimeoutMsFieldNumber, kHealthTimeoutRange, &out.timeout_ms);
  reader.ReadNumber(P::kHealthyThresholdFieldNumber, kThresholdRange, &out.healthy_threshold);
  reader.ReadNumber(P::kUnhealthyThresholdFieldNumber, kThresholdRange, &out.unhealthy_threshold);
  return out;
}

}  // namespace postern::config
