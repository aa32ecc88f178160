#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "src/config/checks.h"
#include "src/config/convert.h"
#include "src/config/field_enum.h"
#include "src/config/network.h"
#include "src/config/schema.h"
#include "src/config/words.h"

namespace postern::config {
namespace {

constexpr int kCertificatesMax = 20;  // ALB
constexpr int kNetworksMax = 1'000;
constexpr int kHostsMax = 1'000;
constexpr int kTlsHostsMax = 100;
constexpr Range kAnyRange = {0, UINT32_MAX};

// A day: longer than that is "never" for a connection that is in use, which 0 says.
constexpr Range kConnectionAgeRange = {0, 86'400'000, " milliseconds"};
constexpr Range kTunnelTimeoutRange = {1, 86'400'000, " milliseconds"};

void ConvertAddress(const FieldReader& reader, ListenerConfig* listener) {
  constexpr int kNumber = proto::Listener::kAddressFieldNumber;
  std::string text;
  if (!reader.RequireText(kNumber, "write for example 0.0.0.0:443 or [::]:443", &text)) {
    return;
  }
  absl::StatusOr<AddressPort> address = ParseAddressPort(text);
  if (!address.ok()) {
    reader.Error(kNumber, absl::StrCat(Quote(text), " ", std::string(address.status().message())));
    return;
  }
  listener->address = *std::move(address);
}

void ConvertCertificates(const FieldReader& reader, int number, int count_min,
                         std::vector<CertificatePair>* certificates) {
  using P = proto::CertificatePair;
  if (!reader.CheckCount(number, count_min, kCertificatesMax)) {
    return;
  }
  for (int i = 0; i < reader.Count(number); ++i) {
    const FieldReader pair = reader.Child(number, i);
    CertificatePair& out = certificates->emplace_back();
    pair.RequireText(P::kCertificateFileFieldNumber, "name a PEM file with the certificate chain",
                     &out.certificate_file);
    pair.RequireText(P::kKeyFileFieldNumber, "name a PEM file with the private key", &out.key_file);
  }
}

void ConvertTlsHost(const FieldReader& reader, const ListenerConfig& listener, TlsHost* out) {
  using P = proto::TlsHost;
  if (reader.RequireText(P::kServerNameFieldNumber, "write a.example.com or *.example.com",
                         &out->server_name)) {
    out->server_name = absl::AsciiStrToLower(out->server_name);
    reader.CheckText(P::kServerNameFieldNumber, ServerNameProblem, out->server_name);
  }
  const size_t errors = reader.error_count();
  ConvertCertificates(reader, P::kCertificatesFieldNumber, 0, &out->certificates);
  if (reader.Has(P::kClientAuthFieldNumber)) {
    ConvertClientAuth(reader.Child(P::kClientAuthFieldNumber), &out->client_auth.emplace());
  }
  if (out->certificates.empty() &&
      out->client_auth.value_or(listener.client_auth) == listener.client_auth &&
      reader.error_count() == errors) {
    reader.Error(P::kServerNameFieldNumber,
                 absl::StrCat(Quote(out->server_name),
                              " is treated like every other name; add certificates or client_auth, "
                              "or remove the entry"));
  }
}

void ConvertTlsHosts(const FieldReader& reader, ListenerConfig* listener) {
  constexpr int kNumber = proto::Listener::kTlsHostsFieldNumber;
  if (!reader.CheckCount(kNumber, 0, kTlsHostsMax)) {
    return;
  }
  std::set<std::string> seen;
  for (int i = 0; i < reader.Count(kNumber); ++i) {
    const FieldReader host = reader.Child(kNumber, i);
    TlsHost out;
    ConvertTlsHost(host, *listener, &out);
    if (!out.server_name.empty() && !seen.insert(out.server_name).second) {
      host.Error(
          proto::TlsHost::kServerNameFieldNumber,
          absl::StrCat(Quote(out.server_name), " has an entry already; remove one of the two"));
    }
    listener->tls_hosts.push_back(std::move(out));
  }
}

void ConvertNetworks(const FieldReader& reader, int number, std::vector<Cidr>* out) {
  if (!reader.CheckCount(number, 0, kNetworksMax)) {
    return;
  }
  for (int i = 0; i < reader.Count(number); ++i) {
    std::string text;
    if (!reader.ReadText(number, &text, i)) {
      continue;
    }
    const absl::StatusOr<Cidr> cidr = ParseCidr(text);
    if (cidr.ok()) {
      out->push_back(*cidr);
    } else {
      reader.Error(number, absl::StrCat(Quote(text), " ", std::string(cidr.status().message())), i);
    }
  }
}

// The index of the group named in a field; -1 if there is none, which has been said.
int32_t ReadGroup(const FieldReader& reader, int number, const std::vector<GroupConfig>& groups) {
  std::string name;
  if (!reader.RequireText(number, "name a server group", &name)) {
    return -1;
  }
  for (size_t i = 0; i < groups.size(); ++i) {
    if (groups[i].name == name) {
      return static_cast<int32_t>(i);
    }
  }
  reader.Error(number, absl::StrCat(Quote(name),
                                    " is the name of no server group; add it to server_groups, or "
                                    "name one that is there"));
  return -1;
}

void ConvertHosts(const FieldReader& reader, const std::vector<GroupConfig>& groups,
                  ListenerConfig* listener) {
  constexpr int kNumber = proto::Listener::kHostsFieldNumber;
  using P = proto::HostRule;
  if (!reader.CheckCount(kNumber, 0, kHostsMax)) {
    return;
  }
  std::set<std::string> seen;
  for (int i = 0; i < reader.Count(kNumber); ++i) {
    const FieldReader rule = reader.Child(kNumber, i);
    HostRule& out = listener->hosts.emplace_back();
    if (rule.RequireText(P::kHostFieldNumber, "write a.example.com or *.example.com", &out.host)) {
      out.host = absl::AsciiStrToLower(out.host);
      if (const std::string problem = HostRuleProblem(out.host); !problem.empty()) {
        rule.Error(P::kHostFieldNumber, absl::StrCat(Quote(out.host), " ", problem));
      } else if (!seen.insert(out.host).second) {
        rule.Error(P::kHostFieldNumber,
                   absl::StrCat(Quote(out.host), " has a rule already; remove one of the two"));
      }
    }
    out.group_index = static_cast<uint32_t>(ReadGroup(rule, P::kServerGroupFieldNumber, groups));
  }
}

using P = proto::Listener;

// What a listener may have that only redirects.
constexpr std::array kFieldsOfHttp = std::to_array<int>(
    {P::kNameFieldNumber, P::kAddressFieldNumber, P::kProtocolFieldNumber,
     P::kRedirectPortFieldNumber, P::kProxyProtocolSourcesFieldNumber,
     P::kHeaderTimeoutMsFieldNumber, P::kIdleTimeoutMsFieldNumber,
     P::kMaxRequestsPerConnectionFieldNumber, P::kMaxConnectionAgeMsFieldNumber});

// Nothing that protects, routes or names clients is dropped in silence.
void ConvertHttp(const FieldReader& reader, ListenerConfig* out) {
  for (const int number : reader.Given()) {
    if (std::find(kFieldsOfHttp.begin(), kFieldsOfHttp.end(), number) == kFieldsOfHttp.end()) {
      reader.Error(number,
                   "has no meaning on an http listener, which only sends clients to https; remove "
                   "it, or use protocol https");
    }
  }
  reader.ReadPort(P::kRedirectPortFieldNumber, kPortRange, &out->redirect_port);
}

void ConvertHttps(const FieldReader& reader, const std::vector<GroupConfig>& groups,
                  ListenerConfig* out) {
  ConvertCertificates(reader, P::kCertificatesFieldNumber, 1, &out->certificates);
  ReadEnum(reader, P::kTlsPolicyFieldNumber, kTlsPolicies, &out->tls_policy);
  ConvertClientAuth(reader.Child(P::kClientAuthFieldNumber), &out->client_auth);
  ConvertTlsHosts(reader, out);
  ConvertIdentity(reader, out);
  ConvertNetworks(reader, P::kTrustedProxiesFieldNumber, &out->trusted_proxies);
  ConvertForwarding(reader, &out->forwarding_headers);
  reader.ReadBool(P::kStrictSniFieldNumber, &out->strict_sni);
  ConvertHosts(reader, groups, out);
  if (reader.Has(P::kDefaultServerGroupFieldNumber)) {
    out->default_group_index = ReadGroup(reader, P::kDefaultServerGroupFieldNumber, groups);
  } else if (reader.Count(P::kHostsFieldNumber) == 0) {
    reader.Error(P::kDefaultServerGroupFieldNumber,
                 "is missing, so every request would be answered with 404; name a server group");
  }
  reader.ReadNumber(P::kHandshakeTimeoutMsFieldNumber, kTimeoutRange, &out->handshake_timeout_ms);
  reader.ReadNumber(P::kBodyTimeoutMsFieldNumber, kTimeoutRange, &out->body_timeout_ms);
  reader.ReadNumber(P::kStallTimeoutMsFieldNumber, kTimeoutRange, &out->stall_timeout_ms);
  reader.ReadBool(P::kHttp2FieldNumber, &out->http2);
  reader.ReadNumber(P::kHttp2StreamsMaxFieldNumber, kStreamsRange, &out->http2_streams_max);
  reader.ReadNumber(P::kTunnelTimeoutMsFieldNumber, kTunnelTimeoutRange, &out->tunnel_timeout_ms);
  if (reader.Has(P::kRedirectPortFieldNumber)) {
    reader.Error(P::kRedirectPortFieldNumber,
                 "has no meaning on an https listener; remove it, or use protocol http");
  }
}

}  // namespace

ListenerConfig ConvertListener(const FieldReader& reader, const std::vector<GroupConfig>& groups) {
  ListenerConfig out;
  if (reader.RequireText(P::kNameFieldNumber, "use 1 to 256 characters", &out.name)) {
    reader.CheckText(P::kNameFieldNumber, NameProblem, out.name);
  }
  ConvertAddress(reader, &out);
  ConvertNetworks(reader, P::kProxyProtocolSourcesFieldNumber, &out.proxy_protocol_sources);
  reader.ReadNumber(P::kHeaderTimeoutMsFieldNumber, kTimeoutRange, &out.header_timeout_ms);
  reader.ReadNumber(P::kIdleTimeoutMsFieldNumber, kTimeoutRange, &out.idle_timeout_ms);
  reader.ReadNumber(P::kMaxRequestsPerConnectionFieldNumber, kAnyRange,
                    &out.max_requests_per_connection);
  reader.ReadNumber(P::kMaxConnectionAgeMsFieldNumber, kConnectionAgeRange,
                    &out.max_connection_age_ms);
  if (reader.Has(P::kProtocolFieldNumber) &&
      !ReadEnum(reader, P::kProtocolFieldNumber, kListenerProtocols, &out.protocol)) {
    return out;  // what else it may have is not known
  }
  switch (out.protocol) {
    case ListenerProtocol::kHttps:
      ConvertHttps(reader, groups, &out);
      break;
    case ListenerProtocol::kHttp:
      ConvertHttp(reader, &out);
      break;
  }
  return out;
}

}  // namespace postern::config
