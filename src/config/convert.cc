#include "src/config/convert.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "src/config/access_format.h"
#include "src/config/field_enum.h"
#include "src/config/network.h"
#include "src/config/schema.h"
#include "src/config/words.h"

namespace postern::config {
namespace {

// ALB's quotas, where it has one.
constexpr int kListenersMax = 100;
constexpr int kGroupsMax = 1'000;

constexpr Range kShardsRange = {0, 256};
constexpr Range kDrainRange = {0, 3'600'000, " milliseconds"};
constexpr Range kGraceRange = {0, 3'600'000, " milliseconds"};

// A week is what a TLS 1.3 ticket may live at most (RFC 8446, 4.6.1); below a minute, a ticket
// would mostly cost and rarely serve.
constexpr Range kTicketTimeRange = {60, 604'800, " seconds"};
constexpr Range kChainCacheRange = {0, 65'536};
constexpr Range kConnectionsRange = {1, 1'000'000};

void ConvertAdmin(const FieldReader& admin, Config* config) {
  using P = proto::Admin;
  admin.ReadBool(P::kWriteFieldNumber, &config->admin_write);
  std::string text = P().address();
  if (admin.Has(P::kAddressFieldNumber) && !admin.ReadText(P::kAddressFieldNumber, &text)) {
    return;
  }
  config->admin_enabled = !text.empty();
  if (text.empty()) {
    config->admin = Config().admin;
    return;
  }
  const absl::StatusOr<AddressPort> address = ParseAddressPort(text);
  if (!address.ok()) {
    admin.Error(P::kAddressFieldNumber,
                absl::StrCat(Quote(text), " ", std::string(address.status().message())));
    return;
  }
  const std::optional<IpAddress> ip = ParseIp(address->address);
  if (!ip.has_value() || !IsLoopback(*ip)) {
    admin.Error(P::kAddressFieldNumber,
                absl::StrCat(Quote(text),
                             " can be reached from outside, and the admin page asks for no "
                             "password; use a loopback address such as 127.0.0.1:9900"));
    return;
  }
  config->admin = *address;
}

void ConvertTickets(const FieldReader& tickets, TicketConfig* out) {
  using P = proto::Tickets;
  tickets.ReadBool(P::kEnabledFieldNumber, &out->enabled);
  tickets.ReadText(P::kSecretFileFieldNumber, &out->secret_file);
  tickets.ReadNumber(P::kLifetimeSFieldNumber, kTicketTimeRange, &out->lifetime_s);
  tickets.ReadNumber(P::kMaxAuthAgeSFieldNumber, kTicketTimeRange, &out->max_auth_age_s);
  tickets.ReadBool(P::kTls12WithSecretFileFieldNumber, &out->tls12_with_secret_file);
  if (out->tls12_with_secret_file && out->secret_file.empty()) {
    tickets.Error(P::kTls12WithSecretFileFieldNumber,
                  "is about a secret file, and there is none; name one, or remove this");
  }
}

// Whether one socket would stand in the other's way: an address of all interfaces is each of them.
bool Collide(const AddressPort& a, const AddressPort& b) {
  if (a.port == 0 || a.port != b.port) {
    return false;  // each gets a port of its own, or the address was wrong
  }
  const bool same_family =
      (a.address.find(':') == std::string::npos) == (b.address.find(':') == std::string::npos);
  const auto is_any = [](const AddressPort& address) {
    return address.address == "0.0.0.0" || address.address == "::";
  };
  return a.address == b.address || (same_family && (is_any(a) || is_any(b)));
}

struct TakenAddress {
  AddressPort address;
  std::string by;
  std::optional<ListenerProtocol> protocol;  // of a listener
};

// Why `address` cannot be had beside those that are taken; empty: it can.
std::string CollisionOf(const AddressPort& address, std::optional<ListenerProtocol> protocol,
                        const std::vector<TakenAddress>& taken) {
  const auto other = std::find_if(taken.begin(), taken.end(), [&address](const TakenAddress& one) {
    return Collide(address, one.address);
  });
  if (other == taken.end()) {
    return "";
  }
  const std::string text = FormatAddressPort(address);
  const std::string others = FormatAddressPort(other->address);
  return absl::StrCat(
      Quote(text), text == others ? " is the address of " : " is in the way of ", other->by,
      text == others ? " too" : absl::StrCat(" (", others, ")"), "; choose another port",
      protocol.has_value() && protocol == other->protocol ? ", or serve both from one listener"
                                                          : "");
}

void CheckAddressesDiffer(const FieldReader& root, const Config& config) {
  using P = proto::Config;
  std::vector<TakenAddress> taken;
  if (config.admin_enabled) {
    taken.push_back({config.admin, "the admin page", std::nullopt});
  }
  if (config.metrics_address.has_value()) {
    const std::string why = CollisionOf(*config.metrics_address, std::nullopt, taken);
    if (!why.empty()) {
      root.Error(P::kMetricsAddressFieldNumber, why);
    }
    taken.push_back({*config.metrics_address, "metrics_address", std::nullopt});
  }
  for (int i = 0; i < static_cast<int>(config.listeners.size()); ++i) {
    const ListenerConfig& listener = config.listeners[static_cast<size_t>(i)];
    const std::string why = CollisionOf(listener.address, listener.protocol, taken);
    if (!why.empty()) {
      root.Child(P::kListenersFieldNumber, i).Error(proto::Listener::kAddressFieldNumber, why);
    } else {
      taken.push_back({listener.address, absl::StrCat("entry ", i), listener.protocol});
    }
  }
}

}  // namespace

void ConvertMetrics(const FieldReader& root, Config* config) {
  std::string text;
  constexpr int kNumber = proto::Config::kMetricsAddressFieldNumber;
  if (!root.ReadText(kNumber, &text) || text.empty()) {
    return;
  }
  const absl::StatusOr<AddressPort> address = ParseAddressPort(text);
  if (!address.ok()) {
    root.Error(kNumber, absl::StrCat(Quote(text), " ", std::string(address.status().message())));
    return;
  }
  config->metrics_address = *address;
}

void ConvertProcess(const FieldReader& root, Config* config) {
  using P = proto::Config;
  if (root.Has(P::kAdminFieldNumber)) {
    ConvertAdmin(root.Child(P::kAdminFieldNumber), config);
  }
  ConvertMetrics(root, config);
  root.ReadNumber(P::kShardsFieldNumber, kShardsRange, &config->shards);
  root.ReadBool(P::kPinShardsFieldNumber, &config->pin_shards);
  root.ReadBool(P::kSteerByCoreFieldNumber, &config->steer_by_core);
  ReadEnum(root, P::kIoFieldNumber, kIos, &config->io);
  root.ReadNumber(P::kDrainTimeoutMsFieldNumber, kDrainRange, &config->drain_timeout_ms);
  root.ReadNumber(P::kChainCacheMibFieldNumber, kChainCacheRange, &config->chain_cache_mib);
  root.ReadNumber(P::kConnectionsMaxFieldNumber, kConnectionsRange, &config->connections_max);
  root.ReadText(P::kAccessLogFieldNumber, &config->access_log);
  root.ReadText(P::kAccessLogFormatFieldNumber, &config->access_log_format);
  if (auto format = ParseAccessFormat(config->access_log_format); !format.ok()) {
    root.Error(P::kAccessLogFormatFieldNumber, std::string(format.status().message()));
  }
  root.ReadBool(P::kRequestIdFieldNumber, &config->request_id);
  root.ReadText(P::kErrorLogFieldNumber, &config->error_log);
  ReadEnum(root, P::kLogLevelFieldNumber, kLogLevels, &config->log_level);
  root.ReadText(P::kRefusalLogFieldNumber, &config->refusal_log);
  root.ReadText(P::kUpgradeSocketFieldNumber, &config->upgrade_socket);
  ConvertHeaderNames(root, config);
  root.ReadNumber(P::kRevocationGraceMsFieldNumber, kGraceRange, &config->revocation_grace_ms);
  root.ReadBool(P::kWatchFilesFieldNumber, &config->watch_files);
  root.ReadBool(P::kCoreDumpsFieldNumber, &config->core_dumps);
}

Config Convert(const FieldReader& root) {
  using P = proto::Config;
  Config config;
  ConvertProcess(root, &config);
  ConvertTickets(root.Child(P::kTicketsFieldNumber), &config.tickets);
  if (root.CheckCount(P::kServerGroupsFieldNumber, 1, kGroupsMax)) {
    for (int i = 0; i < root.Count(P::kServerGroupsFieldNumber); ++i) {
      config.groups.push_back(ConvertGroup(root.Child(P::kServerGroupsFieldNumber, i)));
    }
    root.CheckNamesDiffer(P::kServerGroupsFieldNumber, proto::ServerGroup::kNameFieldNumber);
  }
  if (root.CheckCount(P::kListenersFieldNumber, 1, kListenersMax)) {
    for (int i = 0; i < root.Count(P::kListenersFieldNumber); ++i) {
      config.listeners.push_back(
          ConvertListener(root.Child(P::kListenersFieldNumber, i), config.groups));
    }
    root.CheckNamesDiffer(P::kListenersFieldNumber, proto::Listener::kNameFieldNumber);
    CheckAddressesDiffer(root, config);
  }
  return config;
}

}  // namespace postern::config
