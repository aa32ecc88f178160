#include "src/identity/aws.h"

#include <algorithm>
#include <string_view>

#include "src/base/time_text.h"
#include "src/identity/name_text.h"

namespace postern::identity {
namespace {

void AppendTime(int64_t seconds, http::ByteWriter* out) {
  // Certificates have no fractions of a second (RFC 5280, 4.1.2.5).
  constexpr size_t kToTheSecond = 19;
  out->Append(base::TimeText(seconds * 1000).view().substr(0, kToTheSecond));
  out->Append("Z");
}

// PEM with "%20" and "%0A" for what a header value cannot hold; '+', '/' and '=' stay, as AWS says.
// Lines have 64 characters (RFC 7468, 2).
void AppendPem(std::string_view base64, http::ByteWriter* out) {
  constexpr size_t kLineSize = 64;
  out->Append("-----BEGIN%20CERTIFICATE-----%0A");
  for (size_t at = 0; at < base64.size(); at += kLineSize) {
    out->Append(base64.substr(at, kLineSize));
    out->Append("%0A");
  }
  out->Append("-----END%20CERTIFICATE-----%0A");
}

void WriteChain(const tls::PeerIdentity::Parts& certificate, http::ByteWriter* out) {
  if (certificate.leaf_base64.empty()) {
    return;
  }
  out->Append("X-Amzn-Mtls-Clientcert: ");
  AppendPem(certificate.leaf_base64, out);
  for (std::string_view rest = certificate.chain_base64; !rest.empty();) {
    const size_t end = std::min(rest.find(' '), rest.size());
    AppendPem(rest.substr(0, end), out);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  out->Append("\r\n");
}

}  // namespace

void WriteAwsFields(const tls::PeerIdentity::Parts& certificate, http::ByteWriter* out) {
  if (!certificate.verified) {
    WriteChain(certificate, out);
    return;
  }
  // AWS writes whole octets: 03A5B1.
  out->Append("X-Amzn-Mtls-Clientcert-Serial-Number: ");
  out->Append(certificate.serial.size() % 2 == 1 ? "0" : "");
  out->Append(certificate.serial.empty() ? "00" : certificate.serial);
  out->Append("\r\nX-Amzn-Mtls-Clientcert-Issuer: ");
  AppendName(certificate.issuer_dn, out);
  out->Append("\r\nX-Amzn-Mtls-Clientcert-Subject: ");
  AppendName(certificate.subject_dn, out);
  out->Append("\r\nX-Amzn-Mtls-Clientcert-Validity: NotBefore=");
  AppendTime(certificate.not_before_s, out);
  out->Append(";NotAfter=");
  AppendTime(certificate.not_after_s, out);
  out->Append("\r\n");
}

}  // namespace postern::identity
