// How lines of the access log look: the default text, JSON, or a pattern of the operator's.
#ifndef POSTERN_SRC_CONFIG_ACCESS_FORMAT_H_
#define POSTERN_SRC_CONFIG_ACCESS_FORMAT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace postern::config {

// In the order in which JSON has them.
enum class LogField : uint8_t {
  kTime,
  kListener,
  kPort,
  kScheme,
  kClientIp,
  kClientPort,
  kRequestMethod,
  kRequestUri,
  kServerProtocol,
  kHost,
  kStatus,
  kBodyBytesSent,
  kRequestLength,
  kRequestTime,
  kUpstreamGroup,
  kUpstreamServer,
  kUpstreamAddr,
  kSslProtocol,
  kSslCipher,
  kSslServerName,
  kTlsResumed,
  kHandshakeUs,
  kClientCertSubject,
  kClientCertIssuer,
  kClientCertSerial,
  kClientCertFingerprint,
  kUserAgent,
  kReferer,
  kForwardedFor,
  kRequestId,
  kTraceparent,
  kEnd,
};
inline constexpr size_t kLogFields = static_cast<size_t>(LogField::kEnd) + 1;
// "client_ip"; as docs/LOGS.md lists them.
std::string_view NameOf(LogField field);

struct AccessFormat {
  enum class Kind : uint8_t { kText, kJson, kPattern };
  struct Piece {
    std::string text;               // as it is
    std::optional<LogField> field;  // behind it
  };
  Kind kind = Kind::kText;
  std::vector<Piece> pieces;  // kPattern
};

// "text", "json", or a pattern in which $name stands for a field, ${name} too, and $$ for a dollar.
absl::StatusOr<AccessFormat> ParseAccessFormat(std::string_view text);

}  // namespace postern::config

#endif  // POSTERN_SRC_CONFIG_ACCESS_FORMAT_H_
