#include "src/identity/fields.h"

#include <algorithm>
#include <string_view>

#include "src/identity/aws.h"
#include "src/identity/name_text.h"

namespace postern::identity {
namespace {

using Parts = tls::PeerIdentity::Parts;

void WriteName(std::string_view header, std::string_view name, http::ByteWriter* out) {
  if (header.empty()) {
    return;
  }
  out->Append(header);
  out->Append(": ");
  AppendName(name, out);
  out->Append("\r\n");
}

void WriteAlb(const IdentityTerms& terms, http::ByteWriter* out) {
  const config::IdentityHeaders& names = *terms.names;
  std::string_view verify = "NONE";
  if (terms.certificate != nullptr) {
    WriteName(names.subject_dn, terms.certificate->subject_dn, out);
    WriteName(names.issuer_dn, terms.certificate->issuer_dn, out);
    WriteName(names.fingerprint, terms.certificate->fingerprint, out);
    verify = terms.certificate->verified ? "SUCCESS" : "UNVERIFIED";
  } else if (!terms.asked) {
    return;
  }
  WriteName(names.client_verify, verify, out);
}

// Byte sequences of structured fields (RFC 9440, 2; RFC 8941, 3.3.5). The anchor is left out of the
// chain, as RFC 9440, 2.3 allows: a server that judges chains has it.
void WriteRfc9440(const Parts& certificate, http::ByteWriter* out) {
  if (certificate.leaf_base64.empty()) {
    return;
  }
  out->Append("Client-Cert: :");
  out->Append(certificate.leaf_base64);
  out->Append(":\r\n");
  if (certificate.chain_base64.empty()) {
    return;
  }
  out->Append("Client-Cert-Chain: :");
  for (std::string_view rest = certificate.chain_base64; !rest.empty();) {
    const size_t end = std::min(rest.find(' '), rest.size());
    out->Append(rest.substr(0, end));
    if (end == rest.size()) {
      break;
    }
    out->Append(":, :");
    rest.remove_prefix(end + 1);
  }
  out->Append(":\r\n");
}

// One element of Envoy's header: the client's own, since those of others were removed. "Subject" is
// always quoted, also when it is empty.
void WriteXfcc(const Parts& certificate, http::ByteWriter* out) {
  out->Append("X-Forwarded-Client-Cert: Hash=");
  out->Append(certificate.fingerprint);
  out->Append(";Subject=\"");
  AppendQuotedName(certificate.subject_dn, out);
  out->Append("\"");
  out->Append(certificate.xfcc_names);
  out->Append("\r\n");
}

void WriteAuthAge(const IdentityTerms& terms, http::ByteWriter* out) {
  // Another host's clock, which dated a ticket, may be ahead of ours.
  const int64_t age_s = std::max<int64_t>(terms.now_s - terms.certificate->authenticated_s, 0);
  out->Append("X-Auth-Age: ");
  out->AppendDecimal(static_cast<uint64_t>(age_s));
  out->Append("\r\n");
}

}  // namespace

void WriteIdentityFields(const IdentityTerms& terms, http::ByteWriter* out) {
  const config::IdentityDialects& dialects = *terms.dialects;
  const Parts* certificate = terms.certificate;
  if (dialects.alb) {
    WriteAlb(terms, out);
  }
  if (certificate != nullptr && dialects.rfc9440) {
    WriteRfc9440(*certificate, out);
  }
  if (certificate != nullptr && dialects.xfcc) {
    WriteXfcc(*certificate, out);
  }
  if (certificate != nullptr && dialects.aws) {
    WriteAwsFields(*certificate, out);
  }
  if (dialects.tls_resumed) {
    http::WriteField("X-Tls-Resumed", terms.resumed ? "1" : "0", out);
  }
  if (certificate != nullptr && dialects.auth_age) {
    WriteAuthAge(terms, out);
  }
}

}  // namespace postern::identity
