#include "src/config/checks.h"
#include "src/config/convert.h"
#include "src/config/schema.h"

namespace postern::config {
namespace {

using P = proto::UpstreamTls;

// Ours: a certificate without its key proves nothing.
void ConvertCertificate(const FieldReader& reader, UpstreamTlsConfig* out) {
  reader.ReadText(P::kCertificateFileFieldNumber, &out->certificate_file);
  reader.ReadText(P::kKeyFileFieldNumber, &out->key_file);
  if (out->certificate_file.empty() && !out->key_file.empty()) {
    reader.Error(P::kCertificateFileFieldNumber,
                 "is missing; name a PEM file with the certificate of the key, or remove the key");
  } else if (out->key_file.empty() && !out->certificate_file.empty()) {
    reader.Error(P::kKeyFileFieldNumber,
                 "is missing; name a PEM file with the certificate's private key, or remove the "
                 "certificate");
  }
}

}  // namespace

UpstreamTlsConfig ConvertUpstreamTls(const FieldReader& reader) {
  UpstreamTlsConfig out;
  reader.ReadBool(P::kVerifyFieldNumber, &out.verify);
  reader.ReadTexts(P::kCaFilesFieldNumber, kFilesMax,
                   "name a PEM file with CA certificates that vouch for the servers",
                   &out.ca_files);
  if (out.verify && reader.Count(P::kCaFilesFieldNumber) == 0) {
    reader.Error(P::kCaFilesFieldNumber,
                 "is missing; name a PEM file with the CA certificates that vouch for the servers, "
                 "or choose not to verify them");
  }
  if (reader.ReadText(P::kServerNameFieldNumber, &out.server_name) && !out.server_name.empty()) {
    reader.CheckText(P::kServerNameFieldNumber, ServerHostProblem, out.server_name);
  }
  ConvertCertificate(reader, &out);
  return out;
}

}  // namespace postern::config
