#include "src/identity/claims.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>
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
    "ClientCert",
    "X-ClientCert",
    "X-Certificate",
    "X-Certificate-Subject",
    "X-Ssl",
    "Ssl-Cert",
    "X-DN",
    "X-Subject-DN",
    "X-Auth-User",
    "X-Auth-Username",
    "X-Auth-Email",
    "X-Auth-Groups",
    "X-Vouch-User",
    "Tailscale-User-Login",
    "X-Endpoint-API-UserInfo",
    "X-Apigateway-Api-Userinfo",
    "X-JWT-Assertion",
    "X-JWT-Payload",
    "X-Jwt-Claim-Sub",
    "AUTH_TYPE",
    "Tls-Client-Subject",
    "X-Tls-Client-Cn",
    "$WSRU",
    "$WSAT",
    "iv-user",
    "iv-groups",
    "iv-creds",
    "OAM_REMOTE_USER",
    "Shib-Session-ID",
    "MELLON_NAME_ID",
    "OIDC_access_token",
    "Teleport-Jwt-Assertion",
    "X-MS-Proxy",
    "CAS-User",
    "X-SAML-Attribute",
    "X-MTLS",
    "X-Spiffe",
    "X-X509",
    "X-TLS-Client",
    "SSL_SESSION_ID",
    "SSL_SERVER_S_DN",
    "X-XFCC",
    "X-User-DN",
    "X-Cert-Subject",
    // Our own beside the certificate
    "X-Auth-Age",
    "X-Tls-Resumed",
};

TEST(Claims, EveryKnownDialectInEverySpelling) {
  ClaimTable claims;
  for (const std::string& name : kKnown) {
    for (const std::string& spelling :
         {name, Shouted(name), Whispered(name), Underscored(name), Shouted(Underscored(name))}) {
      EXPECT_EQ(claims.Find(spelling), Claim::kIdentity) << spelling;
    }
  }
}

// Some set-ups give a whole name by a mixture.
TEST(Claims, MixedHyphensAndUnderscores) {
  ClaimTable claims;
  EXPECT_EQ(claims.Find("X_Forwarded-Client_Cert"), Claim::kIdentity);
  EXPECT_EQ(claims.Find("x-SSL_client-S_DN"), Claim::kIdentity);
  EXPECT_EQ(claims.Find("client_cert-chain"), Claim::kIdentity);
  // CGI's variables have an underscore for every character that is no letter and no digit.
  EXPECT_EQ(claims.Find("X.Ssl.Cn"), Claim::kIdentity);
  EXPECT_EQ(claims.Find("Remote!User"), Claim::kIdentity);
}

TEST(Claims, NamesOfListeners) {
  config::IdentityHeaders own;
  own.subject_dn = "X-Device-Name";
  own.issuer_dn = "Device_Issuer";
  own.fingerprint = "";
  own.client_verify = "verified";
  ClaimTable claims;
  claims.AddNamesOf(own);
  for (const char* name :
       {"X-Device-Name", "x_device-NAME", "Device-Issuer", "VERIFIED", "_Verified_"}) {
    EXPECT_EQ(claims.Find(name), Claim::kIdentity) << name;
  }
  // A whole name here, not a prefix.
  for (const char* name : {"X-Device-Names", "X-Device-Nam", "verified-by", ""}) {
    EXPECT_EQ(claims.Find(name), Claim::kNone) << name;
  }
  // What clients say for themselves, or applications call theirs.
  for (const char* name : {"X-Auth-Token", "X-JWT", "X-Jwt-Token", "X-Subject", "X-Dns",
                           "Auth-Token", "Impersonate-User"}) {
    EXPECT_EQ(claims.Find(name), Claim::kNone) << name;
  }
  // Renaming ours does not let the default names in.
  EXPECT_EQ(claims.Find("X-Forwarded-Clientcert-subjectdn"), Claim::kIdentity);
}

TEST(Claims, NamesOfAllListenersAndOfTheOperator) {
  config::Config config;
  config.listeners.resize(300);
  config.listeners[0].identity_headers.subject_dn = "X-Device";
  config.listeners[299].identity_headers.issuer_dn = "Gerät";  // no token, and no harm
  config.listeners[299].identity_headers.subject_dn = "Who";
  config.remove_request_headers = {"X-Tenant", "X-Own-*", "ab"};
  ClaimTable claims;
  claims.AddNamesOf(config);
  for (const char* name : {"X-Device", "who", "x_tenant", "X-Own-", "x-own-anything", "AB"}) {
    EXPECT_EQ(claims.Find(name), Claim::kIdentity) << name;
  }
  for (const char* name : {"X-Own", "X-Tenants", "a", "abc", "-", "_"}) {
    EXPECT_EQ(claims.Find(name), Claim::kNone) << name;
  }
}

// However they are written in the configuration.
TEST(Claims, BeginningsBehindHyphens) {
  config::Config config;
  config.remove_request_headers = {"_Internal-*", "--Edge.*"};
  ClaimTable claims;
  claims.AddNamesOf(config);
  for (const char* name :
       {"_Internal-Id", "Internal-Id", "__internal_x", "Edge-Key", "_edge.key"}) {
    EXPECT_EQ(claims.Find(name), Claim::kIdentity) << name;
  }
  for (const char* name : {"Internal", "InternalId", "Edges"}) {
    EXPECT_EQ(claims.Find(name), Claim::kNone) << name;
  }
}

// Names that others take for what frames a message.
TEST(Claims, FramingInASecondSpelling) {
  ClaimTable claims;
  for (const char* name :
       {"Transfer_Encoding", "Content_Length", "Host_", "_host", "Content.Length",
        "Transfer-Encoding_", "Keep_Alive", "Connection-", "Te_"}) {
    EXPECT_EQ(claims.Find(name), Claim::kFraming) << name;
  }
}

TEST(Claims, TheWayOfARequest) {
  ClaimTable claims;
  for (const char* name :
       {"Forwarded", "X-Real-IP", "x_real_ip", "X-Forwarded-Host", "X-Forwarded-Prefix",
        "X-Forwarded-Client", "True-Client-IP", "CF-Connecting-IP", "Client-Ip", "X-Envoy-Internal",
        "X-Forwarded_For", "WL-Proxy-Client-IP", "CloudFront-Viewer-Address", "X-ARR-Ssl"}) {
    EXPECT_EQ(claims.Find(name), Claim::kForwarding) << name;
  }
  // The stronger claim counts where a name has two.
  EXPECT_EQ(claims.Find("X-Forwarded-User"), Claim::kIdentity);
  EXPECT_EQ(claims.Find("X-Forwarded-Client-Cert"), Claim::kIdentity);
}

// What other proxies and those who sign in for others say, each of which has been believed.
TEST(Claims, WhatAProxyHasDecided) {
  ClaimTable claims;
  for (const char* name :
       {"X-Forwarded-User", "X-Forwarded-Ssl-Client-Cert", "X-Client-DN", "X-Client-S-DN",
        "X-SPIFFE-ID", "X-Original-URL", "X-Rewrite-Url", "Remote-User", "REMOTE_USER", "Proxy",
        "X-Remote-Group", "X-Auth-Request-Email", "X-WebAuth-User", "X-Goog-IAP-JWT-Assertion",
        "OIDC_CLAIM_sub", "X-MS-CLIENT-PRINCIPAL", "X-Accel-Mapping", "X-Consumer-Username"}) {
    EXPECT_EQ(claims.Find(name), Claim::kIdentity) << name;
  }
}

// Known dialects are matched by prefix on purpose: what a server's set-up calls the parts is not
// ours to know, and a header that merely begins like an identity is a rare and small loss.
TEST(Claims, PrefixesTakeTheirWholeFamily) {
  ClaimTable claims;
  for (const char* name : {"Client-Certainty", "Client-Certificate", "X-Client-Certificate-San",
                           "X-Ssl-Protocol", "X-Forwarded-Client-Cert-Whatever"}) {
    EXPECT_EQ(claims.Find(name), Claim::kIdentity) << name;
  }
}

TEST(Claims, NearMissesPass) {
  ClaimTable claims;
  for (const char* name : {"Cf-Ray",
                           "$WSXX",
                           "Www-Authenticate",
                           "Client-Cer",
                           "ClientCer",
                           "Client",
                           "X-Client",
                           "X-Client-Id",
                           "X-Client-Version",
                           "X-Client-Data",
                           "X-Client-Info",
                           "Ssll-Client",
                           "Tls-Version",
                           "X-Amzn-Trace-Id",
                           "X-Amzn-Mtl",
                           "X-Auth-Token",
                           "X-Auth",
                           "X-Tls-Version",
                           "l5d-dst-override",
                           "XSsl-Cn",
                           "MyClient-Cert",
                           "X-X-Ssl-Cn",
                           "Proxy-Authorization-Info",
                           "Remote-Use",
                           "X-Originals",
                           "X-Reals",
                           "Hosts",
                           "X-Requested-With"}) {
    EXPECT_EQ(claims.Find(name), Claim::kNone) << name;
  }
}

TEST(Claims, OrdinaryHeadersPass) {
  ClaimTable claims;
  for (const char* name : {"Accept",
                           "Accept-Encoding",
                           "Authorization",
                           "Cache-Control",
                           "Content-Type",
                           "Cookie",
                           "If-None-Match",
                           "Origin",
                           "Range",
                           "Referer",
                           "Sec-WebSocket-Key",
                           "User-Agent",
                           "X-Request-Id",
                           "X-Csrf-Token",
                           "Traceparent",
                           "Tracestate",
                           "Link",
                           "Last-Modified",
                           "Server",
                           "Set-Cookie"}) {
    EXPECT_EQ(claims.Find(name), Claim::kNone) << name;
  }
}

// With every name switched off an empty name still matches nothing.
TEST(Claims, EmptyNames) {
  ClaimTable claims;
  claims.AddNamesOf(config::IdentityHeaders{"", "", "", ""});
  EXPECT_EQ(claims.Find(""), Claim::kNone);
  EXPECT_EQ(claims.Find("X"), Claim::kNone);
  EXPECT_EQ(claims.Find("Client-Cert"), Claim::kIdentity);
}

// The document lists the table, in its order.
TEST(Claims, DocumentHasThemAll) {
  std::ifstream file("docs/HEADERS.md");
  ASSERT_TRUE(file.good());
  std::vector<std::string> listed;
  for (std::string line; std::getline(file, line) && !line.starts_with("## What is written");) {
    if (line.starts_with("| `")) {
      listed.push_back(line.substr(3, line.find('`', 3) - 3));
    }
  }
  std::vector<std::string> known;
  for (const ClaimedName& claim : BuiltInClaims()) {
    known.emplace_back(claim.name);
  }
  EXPECT_EQ(listed, known);
}

TEST(Claims, PlainNames) {
  EXPECT_TRUE(IsPlainName("X-Real-IP"));
  EXPECT_TRUE(IsPlainName("l5d-client-id"));
  EXPECT_FALSE(IsPlainName("X_Real_IP"));
  EXPECT_FALSE(IsPlainName("X.Real.IP"));
  EXPECT_FALSE(IsPlainName("X-Real-IP-"));
  EXPECT_FALSE(IsPlainName("-X-Real-IP"));
  EXPECT_FALSE(IsPlainName(""));
}

}  // namespace
}  // namespace postern::identity
