#include "src/identity/dialects.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace postern::identity {
namespace {

// As a server that takes hyphens and underscores for the same, and case for nothing.
std::string Underscored(std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

std::string Shouted(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return name;
}

std::string Whispered(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return name;
}

const std::vector<std::string> kKnown = {
    // ALB
    "X-Forwarded-Clientcert",
    "X-Forwarded-Clientcert-subjectdn",
    "X-Forwarded-Clientcert-issuerdn",
    "X-Forwarded-Clientcert-fingerprint",
    "X-Forwarded-Clientcert-clientverify",
    // RFC 9440
    "Client-Cert",
    "Client-Cert-Chain",
    // Envoy
    "X-Forwarded-Client-Cert",
    // AWS
    "X-Amzn-Mtls-Clientcert",
    "X-Amzn-Mtls-Clientcert-Leaf",
    "X-Amzn-Mtls-Clientcert-Serial-Number",
    "X-Amzn-Mtls-Clientcert-Issuer",
    "X-Amzn-Mtls-Clientcert-Subject",
    "X-Amzn-Mtls-Clientcert-Validity",
    // nginx
    "Ssl-Client-Cert",
    "Ssl-Client-Verify",
    "Ssl-Client-Subject-Dn",
    "Ssl-Client-Issuer-Dn",
    "X-Client-Cert",
    "X-Client-Verify",
    "X-Client-Certificate",
    "X-Ssl-Cert",
    // HAProxy
    "X-SSL-Client-CN",
    "X-SSL-Client-DN",
    "X-SSL-Client-SHA1",
    "X-SSL-Client-Verify",
    "X-SSL-Issuer",
    // Traefik
    "X-Forwarded-Tls-Client-Cert",
    "X-Forwarded-Tls-Client-Cert-Info",
    // Linkerd
    "l5d-client-id",
    // AWS CloudFront, Azure, Cloudflare
    "CloudFront-Viewer-Cert-Pem",
    "CloudFront-Viewer-Cert-Subject",
    "X-ARR-ClientCert",
    "Cf-Client-Cert-Der-Base64",
    "Cf-Cert-Verified",
    // Plug-ins of application servers
    "WL-Proxy-Client-Cert",
    "$WSCC",
    // Others
    "Tls-Client-Subject",
    "X-Tls-Client-Cn",
    // Our own beside the certificate
    "X-Auth-Age",
    "X-Tls-Resumed",
};

TEST(IdentityHeaders, EveryKnownDialectInEverySpelling) {
  config::IdentityHeaders own;
  for (const std::string& name : kKnown) {
    for (const std::string& spelling :
         {name, Shouted(name), Whispered(name), Underscored(name), Shouted(Underscored(name))}) {
      EXPECT_TRUE(IsIdentityHeader(spelling, own)) << spelling;
    }
  }
}

// Some set-ups give a whole name by a mixture.
TEST(IdentityHeaders, MixedHyphensAndUnderscores) {
  config::IdentityHeaders own;
  EXPECT_TRUE(IsIdentityHeader("X_Forwarded-Client_Cert", own));
  EXPECT_TRUE(IsIdentityHeader("x-SSL_client-S_DN", own));
  EXPECT_TRUE(IsIdentityHeader("client_cert-chain", own));
}

TEST(IdentityHeaders, OwnNames) {
  config::IdentityHeaders own;
  own.subject_dn = "X-Device-Name";
  own.issuer_dn = "Device_Issuer";
  own.fingerprint = "";
  own.client_verify = "verified";
  EXPECT_TRUE(IsIdentityHeader("X-Device-Name", own));
  EXPECT_TRUE(IsIdentityHeader("x_device-NAME", own));
  EXPECT_TRUE(IsIdentityHeader("Device-Issuer", own));
  EXPECT_TRUE(IsIdentityHeader("VERIFIED", own));
  // A whole name here, not a prefix.
  EXPECT_FALSE(IsIdentityHeader("X-Device-Names", own));
  EXPECT_FALSE(IsIdentityHeader("X-Device-Nam", own));
  EXPECT_FALSE(IsIdentityHeader("verified-by", own));
  EXPECT_FALSE(IsIdentityHeader("", own));
  // Renaming ours does not let the default names in.
  EXPECT_TRUE(IsIdentityHeader("X-Forwarded-Clientcert-subjectdn", own));
}

// Known dialects are matched by prefix on purpose: what a server's set-up calls the parts is not
// ours to know, and a header that merely begins like an identity is a rare and small loss.
TEST(IdentityHeaders, PrefixesTakeTheirWholeFamily) {
  config::IdentityHeaders own;
  EXPECT_TRUE(IsIdentityHeader("Client-Certainty", own));
  EXPECT_TRUE(IsIdentityHeader("Client-Certificate", own));
  EXPECT_TRUE(IsIdentityHeader("X-Client-Certificate-San", own));
  EXPECT_TRUE(IsIdentityHeader("X-Ssl-Protocol", own));
  EXPECT_TRUE(IsIdentityHeader("X-Forwarded-Client-Cert-Whatever", own));
}

TEST(IdentityHeaders, NearMissesPass) {
  config::IdentityHeaders own;
  for (const char* name : {"CloudFront-Viewer-Address",
                           "Cf-Ray",
                           "Cf-Connecting-Ip",
                           "X-ARR-Ssl",
                           "$WSRA",
                           "WL-Proxy-Client-IP",
                           "Www-Authenticate",
                           "Client-Cer",
                           "ClientCert",
                           "Client",
                           "X-Client",
                           "X-Client-Id",
                           "X-Client-Ip",
                           "X-Client-Version",
                           "Ssl-Clients",
                           "Tls-Version",
                           "X-Amzn-Trace-Id",
                           "X-Amzn-Mtl",
                           "X-Auth-Token",
                           "X-Auth",
                           "X-Tls-Version",
                           "X-Forwarded-Client",
                           "X-Forwarded-Tls",
                           "X-Forwarded-For",
                           "X-Forwarded-Proto",
                           "X-Forwarded-Host",
                           "l5d-dst-override",
                           "XSsl-Cn",
                           "MyClient-Cert",
                           "X-X-Ssl-Cn",
                           "X.Ssl.Cn"}) {
    EXPECT_FALSE(IsIdentityHeader(name, own)) << name;
  }
}

TEST(IdentityHeaders, OrdinaryHeadersPass) {
  config::IdentityHeaders own;
  for (const char* name : {"Host",
                           "Accept",
                           "Accept-Encoding",
                           "Authorization",
                           "Cache-Control",
                           "Connection",
                           "Content-Length",
                           "Content-Type",
                           "Cookie",
                           "Expect",
                           "If-None-Match",
                           "Origin",
                           "Range",
                           "Referer",
                           "Sec-WebSocket-Key",
                           "TE",
                           "Trailer",
                           "Transfer-Encoding",
                           "Upgrade",
                           "User-Agent",
                           "Via",
                           "X-Request-Id",
                           "X-Csrf-Token",
                           "Traceparent",
                           "Tracestate",
                           "X-Real-Ip",
                           "Link",
                           "Last-Modified",
                           "Server",
                           "Set-Cookie"}) {
    EXPECT_FALSE(IsIdentityHeader(name, own)) << name;
  }
}

// With every name switched off an empty name still matches nothing.
TEST(IdentityHeaders, EmptyNames) {
  config::IdentityHeaders none{"", "", "", ""};
  EXPECT_FALSE(IsIdentityHeader("", none));
  EXPECT_FALSE(IsIdentityHeader("X", none));
  EXPECT_TRUE(IsIdentityHeader("Client-Cert", none));
}

}  // namespace
}  // namespace postern::identity
