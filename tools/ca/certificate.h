// Issuing certificates.
#ifndef POSTERN_TOOLS_CA_CERTIFICATE_H_
#define POSTERN_TOOLS_CA_CERTIFICATE_H_

#include <openssl/base.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace postern::ca {

// Empty parts are left out.
struct Subject {
  std::string common_name = {};
  std::string organization = {};
  std::string organizational_unit = {};
  std::string country = {};
};

struct AlternativeNames {
  std::vector<std::string> dns = {};
  std::vector<std::string> ip = {};
  std::vector<std::string> email = {};
  std::vector<std::string> uri = {};
};

struct CertificateSpec {
  Subject subject;
  AlternativeNames alternative_names;
  bool is_ca = false;
  std::optional<int64_t> path_len;         // CAs only; nothing: no limit
  std::vector<std::string> permitted_dns;  // name constraints, CAs only
  std::vector<std::string> excluded_dns;
  std::vector<std::string> extended_key_usage;  // serverAuth, clientAuth, ... or dotted numbers
  bool key_encipherment = false;                // for TLS 1.2's RSA key exchange; RSA servers only
  int64_t not_before = 0;                       // seconds since 1970
  int64_t not_after = 0;
  std::string serial;  // hexadecimal; empty: 127 random bits
};

// Who signs. Both are borrowed.
struct Issuer {
  X509* certificate = nullptr;
  EVP_PKEY* key = nullptr;
};

// The checks of what a user wrote: names, times, numbers. kInvalidArgument with what to do.
absl::Status Validate(const CertificateSpec& spec);

// Makes the certificate for `key`, signed with SHA-256. Without `issuer` it is self-signed.
absl::StatusOr<bssl::UniquePtr<X509>> IssueCertificate(const CertificateSpec& spec, EVP_PKEY* key,
                                                       const Issuer* issuer);

// "CN=client,O=Example" (RFC 2253).
std::string FormatName(const X509_NAME* name);
// Upper-case hexadecimal, two digits a byte.
std::string FormatSerial(const ASN1_INTEGER* serial);
// Any hexadecimal spelling (0x, colons, lower case) as FormatSerial writes it. At most 20 octets,
// not zero.
absl::StatusOr<std::string> NormalizeSerial(const std::string& text);
bssl::UniquePtr<ASN1_INTEGER> ParseSerial(const std::string& normalized);

bssl::UniquePtr<ASN1_TIME> ToAsn1Time(int64_t time);
int64_t FromAsn1Time(const ASN1_TIME* time);

bool IsSelfIssued(const X509* certificate);

}  // namespace postern::ca

#endif  // POSTERN_TOOLS_CA_CERTIFICATE_H_
