#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/config/checks.h"
#include "src/config/convert.h"
#include "src/config/field_enum.h"
#include "src/config/schema.h"

namespace postern::config {
namespace {

// The words of client_cert_headers, and the names that each family writes; those of "alb" can be
// chosen (IdentityHeaders).
struct Dialect {
  bool IdentityDialects::*member;
  std::array<const char*, 5> names;
};

constexpr Dialect kAlb = {&IdentityDialects::alb, {}};
constexpr Dialect kRfc9440 = {&IdentityDialects::rfc9440, {"client-cert", "client-cert-chain"}};
constexpr Dialect kXfcc = {&IdentityDialects::xfcc, {"x-forwarded-client-cert"}};
constexpr Dialect kAws = {&IdentityDialects::aws,
                          {"x-amzn-mtls-clientcert", "x-amzn-mtls-clientcert-serial-number",
                           "x-amzn-mtls-clientcert-issuer", "x-amzn-mtls-clientcert-subject",
                           "x-amzn-mtls-clientcert-validity"}};
constexpr Dialect kTlsResumed = {&IdentityDialects::tls_resumed, {"x-tls-resumed"}};
constexpr Dialect kAuthAge = {&IdentityDialects::auth_age, {"x-auth-age"}};

constexpr Words<const Dialect*, 7> kDialects = {{
    {"alb", &kAlb},
    {"rfc9440", &kRfc9440},
    {"xfcc", &kXfcc},
    {"aws", &kAws},
    {"tls_resumed", &kTlsResumed},
    {"auth_age", &kAuthAge},
    {"none", nullptr},
}};

void ConvertDialects(const FieldReader& reader, IdentityDialects* out) {
  constexpr int kNumber = proto::Listener::kClientCertHeadersFieldNumber;
  const int count = reader.Count(kNumber);
  if (count == 0 || !reader.CheckCount(kNumber, 1, static_cast<int>(kDialects.size()))) {
    return;
  }
  *out = IdentityDialects{.alb = false};
  for (int i = 0; i < count; ++i) {
    const Dialect* dialect = nullptr;
    if (!ReadEnum(reader, kNumber, kDialects, &dialect, i)) {
      continue;
    }
    if (dialect != nullptr) {
      out->*dialect->member = true;
    } else if (count > 1) {
      reader.Error(kNumber, "\"none\" stands beside others; remove it, or them", i);
    }
  }
}

std::set<std::string> NamesOf(const IdentityDialects& dialects) {
  std::set<std::string> names;
  for (const auto& [word, dialect] : kDialects) {
    if (dialect == nullptr || !(dialects.*dialect->member)) {
      continue;
    }
    for (const char* name : dialect->names) {
      if (name != nullptr) {
        names.insert(name);
      }
    }
  }
  return names;
}

void ConvertIdentityHeaders(const FieldReader& reader, const IdentityDialects& dialects,
                            IdentityHeaders* out) {
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
  std::set<std::string> seen = NamesOf(dialects);
  for (const auto& [number, name] : fields) {
    if (!name->empty() && !seen.insert(FoldedHeader(*name)).second) {
      reader.Error(number,
                   absl::StrCat(Quote(*name), " is the name of two headers; names must differ"));
    }
  }
}

bool PassesThrough(const ListenerConfig& listener) {
  return listener.client_auth.mode == ClientAuth::kPassthrough ||
         std::any_of(listener.tls_hosts.begin(), listener.tls_hosts.end(), [](const TlsHost& host) {
           return host.client_auth.has_value() &&
                  host.client_auth->mode == ClientAuth::kPassthrough;
         });
}

// What nobody has verified must not look to a server as if somebody had.
void CheckPassthrough(const FieldReader& reader, const ListenerConfig& listener) {
  if (!PassesThrough(listener)) {
    return;
  }
  using P = proto::Listener;
  const IdentityDialects& dialects = listener.identity_dialects;
  for (const auto& [on, word] :
       {std::pair(dialects.xfcc, "xfcc"), std::pair(dialects.rfc9440, "rfc9440")}) {
    if (on) {
      reader.Error(P::kClientCertHeadersFieldNumber,
                   absl::StrCat(Quote(word),
                                " has no word for a client that nobody has verified, and one mode "
                                "of this listener is passthrough; use alb or aws, or a listener "
                                "of its own for passthrough"));
    }
  }
  if (dialects.alb && listener.identity_headers.client_verify.empty()) {
    reader.Error(P::kIdentityHeadersFieldNumber,
                 "has no client_verify, which alone says that nobody has verified a client, and "
                 "one mode of this listener is passthrough; name it, or take alb from "
                 "client_cert_headers");
  }
}

}  // namespace

void ConvertIdentity(const FieldReader& reader, ListenerConfig* out) {
  ConvertDialects(reader, &out->identity_dialects);
  ConvertIdentityHeaders(reader.Child(proto::Listener::kIdentityHeadersFieldNumber),
                         out->identity_dialects, &out->identity_headers);
  CheckPassthrough(reader, *out);
}

}  // namespace postern::config
