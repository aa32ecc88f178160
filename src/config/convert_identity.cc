#include <array>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
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

// Servers that read an underscore as a hyphen see one header where two names differ in that only.
std::string Folded(const std::string& name) {
  return absl::StrReplaceAll(absl::AsciiStrToLower(name), {{"_", "-"}});
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
    if (!name->empty() && !seen.insert(Folded(*name)).second) {
      reader.Error(number,
                   absl::StrCat(Quote(*name), " is the name of two headers; names must differ"));
    }
  }
}

}  // namespace

void ConvertIdentity(const FieldReader& reader, ListenerConfig* out) {
  ConvertDialects(reader, &out->identity_dialects);
  ConvertIdentityHeaders(reader.Child(proto::Listener::kIdentityHeadersFieldNumber),
                         out->identity_dialects, &out->identity_headers);
}

}  // namespace postern::config
