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
#include "src/config/network.h"
#include "src/config/schema.h"

namespace postern::config {
namespace {

constexpr int kCertificatesMax = 20;  // ALB
constexpr int kNetworksMax = 1'000;
constexpr int kHostsMax = 1'000;
constexpr Range kVerifyDepthRange = {1, 10};
constexpr Range kAnyRange = {0, UINT32_MAX};

template <typename Enum>
using Names = std::pair<const char*, Enum>;

constexpr std::array<Names<TlsPolicy>, 6> kTlsPolicies = {{
    {"tls_cipher_policy_1_0", TlsPolicy::k1_0},
    {"tls_cipher_policy_1_1", TlsPolicy::k1_1},
    {"tls_cipher_policy_1_2", TlsPolicy::k1_2},
    {"tls_cipher_policy_1_2_strict", TlsPolicy::k1_2Strict},
    {"tls_cipher_policy_1_2_strict_with_1_3", TlsPolicy::k1_2StrictWith1_3},
    {"tls_cipher_policy_1_0_to_1_3", TlsPolicy::k1_0To1_3},
}};

constexpr std::array<Names<ClientAuth>, 3> kClientAuthModes = {{
    {"off", ClientAuth::kOff},
    {"request", ClientAuth::kRequest},
    {"require", ClientAuth::kRequire},
}};

// Reads a field whose value is one of `names`.
template <typename Enum, size_t kSize>
void ReadEnum(const FieldReader& reader, int number, const std::array<Names<Enum>, kSize>& names,
              Enum* out) {
  std::string text;
  if (!reader.ReadText(number, &text)) {
    return;
  }
  std::string known;
  for (const auto& [name, value] : names) {
    if (text == name) {
      *out = value;
      return;
    }
    absl::StrAppend(&known, known.empty() ? "" : ", ", name);
  }
  reader.Error(number, absl::StrCat(Quote(text), " is unknown; use one of ", known));
}

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

void ConvertCertificates(const FieldReader& reader, ListenerConfig* listener) {
  constexpr int kNumber = proto::Listener::kCertificatesFieldNumber;
  using P = proto::CertificatePair;
  if (!reader.CheckCount(kNumber, 1, kCertificatesMax)) {
    return;
  }
  for (int i = 0; i < reader.Count(kNumber); ++i) {
    const FieldReader pair = reader.Child(kNumber, i);
    CertificatePair& out = listener->certificates.emplace_back();
    pair.RequireText(P::kCertificateFileFieldNumber, "name a PEM file with the certificate chain",
                     &out.certificate_file);
    pair.RequireText(P::kKeyFileFieldNumber, "name a PEM file with the private key", &out.key_file);
  }
}

void ConvertClientAuth(const FieldReader& reader, ClientAuthConfig* out) {
  using P = proto::ClientAuth;
  ReadEnum(reader, P::kModeFieldNumber, kClientAuthModes, &out->mode);
  reader.ReadNumber(P::kVerifyDepthFieldNumber, kVerifyDepthRange, &out->verify_depth);
  reader.ReadBool(P::kAdvertiseCasFieldNumber, &out->advertise_cas);
  if (out->mode != ClientAuth::kOff) {
    reader.RequireText(P::kCaFileFieldNumber,
                       "name a PEM file with the CA certificates that vouch for clients",
                       &out->ca_file);
  } else if (reader.ReadText(P::kCaFileFieldNumber, &out->ca_file) && !out->ca_file.empty() &&
             !reader.Has(P::kModeFieldNumber)) {
    reader.Error(P::kModeFieldNumber,
                 "is missing, and a CA alone keeps nobody out; use one of require, request, off");
  }
}

void ConvertIdentityHeaders(const FieldReader& reader, IdentityHeaders* out) {
  using P = proto::IdentityHeaders;
  const std::array<std::pair<int, std::string*>, 4> fields = {{
      {P::kSubjectDnFieldNumber, &out->subject_dn},
      {P::kIssuerDnFieldNumber, &out->issuer_dn},
      {P::kFingerprintFieldNumber, &out->fingerprint},
      {P::kClientVerifyFieldNumber, &out->client_verify},
  }};
  for (const auto& [number, name] : fields) {
    if (reader.ReadText(number, name)) {
      reader.CheckText(number, IdentityHeaderProblem, *name);
    }
  }
  std::set<std::string> seen;
  for (const auto& [number, name] : fields) {
    if (!name->empty() && !seen.insert(absl::AsciiStrToLower(*name)).second) {
      reader.Error(number,
                   absl::StrCat(Quote(*name), " is the name of two headers; names must differ"));
    }
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

}  // namespace

ListenerConfig ConvertListener(const FieldReader& reader, const std::vector<GroupConfig>& groups) {
  using P = proto::Listener;
  ListenerConfig out;
  if (reader.RequireText(P::kNameFieldNumber, "use 1 to 256 characters", &out.name)) {
    reader.CheckText(P::kNameFieldNumber, NameProblem, out.name);
  }
  ConvertAddress(reader, &out);
  ConvertCertificates(reader, &out);
  ReadEnum(reader, P::kTlsPolicyFieldNumber, kTlsPolicies, &out.tls_policy);
  ConvertClientAuth(reader.Child(P::kClientAuthFieldNumber), &out.client_auth);
  ConvertIdentityHeaders(reader.Child(P::kIdentityHeadersFieldNumber), &out.identity_headers);
  ConvertNetworks(reader, P::kProxyProtocolSourcesFieldNumber, &out.proxy_protocol_sources);
  ConvertNetworks(reader, P::kTrustedProxiesFieldNumber, &out.trusted_proxies);
  ConvertHosts(reader, groups, &out);
  if (reader.Has(P::kDefaultServerGroupFieldNumber)) {
    out.default_group_index = ReadGroup(reader, P::kDefaultServerGroupFieldNumber, groups);
  } else if (reader.Count(P::kHostsFieldNumber) == 0) {
    reader.Error(P::kDefaultServerGroupFieldNumber,
                 "is missing, so every request would be answered with 404; name a server group");
  }
  reader.ReadNumber(P::kHandshakeTimeoutMsFieldNumber, kTimeoutRange, &out.handshake_timeout_ms);
  reader.ReadNumber(P::kHeaderTimeoutMsFieldNumber, kTimeoutRange, &out.header_timeout_ms);
  reader.ReadNumber(P::kIdleTimeoutMsFieldNumber, kTimeoutRange, &out.idle_timeout_ms);
  reader.ReadNumber(P::kBodyTimeoutMsFieldNumber, kTimeoutRange, &out.body_timeout_ms);
  reader.ReadNumber(P::kMaxRequestsPerConnectionFieldNumber, kAnyRange,
                    &out.max_requests_per_connection);
  return out;
}

}  // namespace postern::config
