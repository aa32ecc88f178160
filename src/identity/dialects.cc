#include "src/identity/dialects.h"

#include <array>
#include <cstddef>

namespace postern::identity {
namespace {

// Lower case, hyphens. A name matches when it begins with one of these.
constexpr std::array<std::string_view, 20> kPrefixes = {
    "$wscc",                   // IBM WebSphere's plug-in
    "cf-cert-",                // Cloudflare
    "cf-client-cert",          // likewise
    "client-cert",             // RFC 9440: Client-Cert, Client-Cert-Chain
    "cloudfront-viewer-cert",  // AWS CloudFront
    "l5d-client-id",           // Linkerd
    "ssl-client-",             // nginx ingress, Tomcat
    "tls-client-",
    "wl-proxy-client-cert",  // Oracle WebLogic's plug-in
    "x-amzn-mtls-",          // AWS ALB
    "x-arr-clientcert",      // Azure App Service
    "x-auth-age",            // ours, with tls-resumed
    "x-client-cert",
    "x-client-verify",
    "x-forwarded-client-cert",      // Envoy's XFCC
    "x-forwarded-clientcert",       // Alibaba Cloud's ALB
    "x-forwarded-tls-client-cert",  // Traefik
    "x-ssl-",                       // HAProxy set-ups: X-SSL-Client-CN and kin
    "x-tls-client-",
    "x-tls-resumed",
};

char Fold(char c) {
  if (c >= 'A' && c <= 'Z') {
    return static_cast<char>(c - 'A' + 'a');
  }
  return c == '_' ? '-' : c;
}

bool BeginsWith(std::string_view name, std::string_view folded_prefix) {
  if (name.size() < folded_prefix.size()) {
    return false;
  }
  for (size_t i = 0; i < folded_prefix.size(); ++i) {
    if (Fold(name[i]) != folded_prefix[i]) {
      return false;
    }
  }
  return true;
}

bool SameName(std::string_view name, std::string_view own) {
  if (own.empty() || name.size() != own.size()) {
    return false;
  }
  for (size_t i = 0; i < name.size(); ++i) {
    if (Fold(name[i]) != Fold(own[i])) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool IsIdentityHeader(std::string_view name, const config::IdentityHeaders& own) {
  if (name.empty()) {
    return false;
  }
  char first = Fold(name[0]);
  // Most names are settled by their first letter.
  if (first == 'x' || first == 'c' || first == 's' || first == 'l' || first == 't' ||
      first == 'w' || first == '$') {
    for (std::string_view prefix : kPrefixes) {
      if (BeginsWith(name, prefix)) {
        return true;
      }
    }
  }
  return SameName(name, own.subject_dn) || SameName(name, own.issuer_dn) ||
         SameName(name, own.fingerprint) || SameName(name, own.client_verify);
}

}  // namespace postern::identity
