#include "tools/ca/extensions.h"

#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <openssl/obj.h>
#include <openssl/sha.h>
#include <openssl/stack.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tools/ca/errors.h"
#include "tools/ca/names.h"

namespace postern::ca {
namespace {

// Bits of keyUsage (RFC 5280, 4.2.1.3).
constexpr int kDigitalSignature = 0;
constexpr int kKeyEncipherment = 2;
constexpr int kKeyCertSign = 5;
constexpr int kCrlSign = 6;

enum class Critical { kNo = 0, kYes = 1 };

absl::Status Add(X509* certificate, int nid, void* value, Critical critical) {
  if (value == nullptr || X509_add1_ext_i2d(certificate, nid, value, static_cast<int>(critical),
                                            X509V3_ADD_DEFAULT) != 1) {
    return CryptoError(absl::StrCat("cannot add extension ", OBJ_nid2sn(nid)));
  }
  return absl::OkStatus();
}

// The first method of RFC 5280, 4.2.1.2: SHA-1 of the public key's bits.
bssl::UniquePtr<ASN1_OCTET_STRING> HashOfKey(X509* certificate) {
  const ASN1_BIT_STRING* bits = X509_get0_pubkey_bitstr(certificate);
  if (bits == nullptr) {
    return nullptr;
  }
  uint8_t hash[SHA_DIGEST_LENGTH];
  SHA1(ASN1_STRING_get0_data(bits), static_cast<size_t>(ASN1_STRING_length(bits)), hash);
  bssl::UniquePtr<ASN1_OCTET_STRING> result(ASN1_OCTET_STRING_new());
  ASN1_OCTET_STRING_set(result.get(), hash, sizeof(hash));
  return result;
}

bssl::UniquePtr<GENERAL_NAME> MakeGeneralName(int type, const std::string& value) {
  bssl::UniquePtr<ASN1_STRING> text(
      ASN1_STRING_type_new(type == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING));
  bssl::UniquePtr<GENERAL_NAME> name(GENERAL_NAME_new());
  if (text == nullptr || name == nullptr ||
      ASN1_STRING_set(text.get(), value.data(), static_cast<int>(value.size())) != 1) {
    return nullptr;
  }
  GENERAL_NAME_set0_value(name.get(), type, text.release());
  return name;
}

absl::Status AddAlternativeNames(const AlternativeNames& names, X509* certificate) {
  bssl::UniquePtr<GENERAL_NAMES> list(sk_GENERAL_NAME_new_null());
  const auto add = [&list](int type, const std::string& value) {
    bssl::UniquePtr<GENERAL_NAME> name = MakeGeneralName(type, value);
    return name != nullptr && bssl::PushToStack(list.get(), std::move(name));
  };
  const std::pair<int, const std::vector<std::string>*> kinds[] = {
      {GEN_DNS, &names.dns}, {GEN_EMAIL, &names.email}, {GEN_URI, &names.uri}};
  for (const auto& [type, values] : kinds) {
    for (const std::string& value : *values) {
      if (!add(type, value)) {
        return CryptoError("cannot encode the alternative names");
      }
    }
  }
  for (const std::string& text : names.ip) {
    CA_ASSIGN_OR_RETURN(const std::string address, ParseIp(text));
    if (!add(GEN_IPADD, address)) {
      return CryptoError("cannot encode the alternative names");
    }
  }
  if (sk_GENERAL_NAME_num(list.get()) == 0) {
    return absl::OkStatus();
  }
  return Add(certificate, NID_subject_alt_name, list.get(), Critical::kNo);
}

absl::Status AddBasicConstraints(const CertificateSpec& spec, X509* certificate) {
  bssl::UniquePtr<BASIC_CONSTRAINTS> constraints(BASIC_CONSTRAINTS_new());
  constraints->ca = spec.is_ca ? 0xff : 0;  // DER knows one form of TRUE
  if (spec.is_ca && spec.path_len.has_value()) {
    constraints->pathlen = ASN1_INTEGER_new();
    ASN1_INTEGER_set(constraints->pathlen, static_cast<long>(*spec.path_len));
  }
  return Add(certificate, NID_basic_constraints, constraints.get(), Critical::kYes);
}

absl::Status AddKeyUsage(const CertificateSpec& spec, X509* certificate) {
  std::vector<int> bits;
  if (spec.is_ca) {
    bits = {kKeyCertSign, kCrlSign};
  } else {
    bits = {kDigitalSignature};
    if (spec.key_encipherment) {
      bits.push_back(kKeyEncipherment);
    }
  }
  bssl::UniquePtr<ASN1_BIT_STRING> usage(ASN1_BIT_STRING_new());
  for (const int bit : bits) {
    ASN1_BIT_STRING_set_bit(usage.get(), bit, 1);
  }
  return Add(certificate, NID_key_usage, usage.get(), Critical::kYes);
}

absl::Status AddExtendedKeyUsage(const std::vector<std::string>& names, X509* certificate) {
  if (names.empty()) {
    return absl::OkStatus();
  }
  bssl::UniquePtr<EXTENDED_KEY_USAGE> usages(sk_ASN1_OBJECT_new_null());
  for (const std::string& name : names) {
    bssl::UniquePtr<ASN1_OBJECT> object(OBJ_txt2obj(name.c_str(), 0));
    if (object == nullptr || !bssl::PushToStack(usages.get(), std::move(object))) {
      return CryptoError("cannot encode the extended key usage");
    }
  }
  return Add(certificate, NID_ext_key_usage, usages.get(), Critical::kNo);
}

bool AddSubtrees(const std::vector<std::string>& names, STACK_OF(GENERAL_SUBTREE) * *out) {
  if (names.empty()) {
    return true;  // an empty list must be left out
  }
  *out = sk_GENERAL_SUBTREE_new_null();
  for (const std::string& name : names) {
    // A leading dot means subdomains only to some verifiers and nothing to others; without it all
    // agree.
    bssl::UniquePtr<GENERAL_NAME> base =
        MakeGeneralName(GEN_DNS, name[0] == '.' ? name.substr(1) : name);
    bssl::UniquePtr<GENERAL_SUBTREE> subtree(GENERAL_SUBTREE_new());
    if (base == nullptr || subtree == nullptr) {
      return false;
    }
    GENERAL_NAME_free(subtree->base);
    subtree->base = base.release();
    if (!bssl::PushToStack(*out, std::move(subtree))) {
      return false;
    }
  }
  return true;
}

absl::Status AddNameConstraints(const CertificateSpec& spec, X509* certificate) {
  if (spec.permitted_dns.empty() && spec.excluded_dns.empty()) {
    return absl::OkStatus();
  }
  bssl::UniquePtr<NAME_CONSTRAINTS> constraints(NAME_CONSTRAINTS_new());
  if (!AddSubtrees(spec.permitted_dns, &constraints->permittedSubtrees) ||
      !AddSubtrees(spec.excluded_dns, &constraints->excludedSubtrees)) {
    return CryptoError("cannot encode the name constraints");
  }
  return Add(certificate, NID_name_constraints, constraints.get(), Critical::kYes);
}

}  // namespace

bssl::UniquePtr<AUTHORITY_KEYID> MakeAuthorityKeyId(X509* issuer) {
  bssl::UniquePtr<AUTHORITY_KEYID> result(AUTHORITY_KEYID_new());
  const ASN1_OCTET_STRING* known = X509_get0_subject_key_id(issuer);
  result->keyid = known == nullptr ? HashOfKey(issuer).release() : ASN1_OCTET_STRING_dup(known);
  return result;
}

absl::Status ValidateKeyUsage(absl::string_view usage) {
  bssl::UniquePtr<ASN1_OBJECT> object(OBJ_txt2obj(std::string(usage).c_str(), 0));
  if (object == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("--eku=", usage, ": write serverAuth, clientAuth, a dotted number, or none"));
  }
  return absl::OkStatus();
}

absl::Status AddExtensions(const CertificateSpec& spec, X509* issuer, X509* certificate) {
  CA_RETURN_IF_ERROR(AddBasicConstraints(spec, certificate));
  CA_RETURN_IF_ERROR(AddKeyUsage(spec, certificate));
  CA_RETURN_IF_ERROR(AddExtendedKeyUsage(spec.extended_key_usage, certificate));
  CA_RETURN_IF_ERROR(
      Add(certificate, NID_subject_key_identifier, HashOfKey(certificate).get(), Critical::kNo));
  // Asking an unsigned certificate for its extensions would make BoringSSL cache what it has so
  // far.
  if (issuer == certificate) {
    bssl::UniquePtr<AUTHORITY_KEYID> own(AUTHORITY_KEYID_new());
    own->keyid = HashOfKey(certificate).release();
    CA_RETURN_IF_ERROR(Add(certificate, NID_authority_key_identifier, own.get(), Critical::kNo));
  } else {
    CA_RETURN_IF_ERROR(Add(certificate, NID_authority_key_identifier,
                           MakeAuthorityKeyId(issuer).get(), Critical::kNo));
  }
  CA_RETURN_IF_ERROR(AddAlternativeNames(spec.alternative_names, certificate));
  return AddNameConstraints(spec, certificate);
}

}  // namespace postern::ca
