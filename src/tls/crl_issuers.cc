#include "src/tls/crl_issuers.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "src/tls/certificate_view.h"
#include "src/tls/crl_signature.h"
#include "src/tls/der.h"
#include "src/tls/name_text.h"

namespace postern::tls {
namespace {

bssl::UniquePtr<X509_NAME> ParseName(const CBS& der) {
  const uint8_t* at = CBS_data(&der);
  bssl::UniquePtr<X509_NAME> name(d2i_X509_NAME(nullptr, &at, static_cast<long>(CBS_len(&der))));
  if (name != nullptr && at != CBS_data(&der) + CBS_len(&der)) {
    name.reset();
  }
  ERR_clear_error();
  return name;
}

bool HasKeyIdentifier(X509* certificate, const CBS& wanted) {
  const ASN1_OCTET_STRING* id = X509_get0_subject_key_id(certificate);
  return id != nullptr &&
         Equal(wanted, {ASN1_STRING_get0_data(id), static_cast<size_t>(ASN1_STRING_length(id))});
}

}  // namespace

CrlIssuers::CrlIssuers(std::span<const bssl::UniquePtr<CRYPTO_BUFFER>> certificates,
                       std::vector<std::string>* warnings) {
  size_t index = 0;
  for (const auto& buffer : certificates) {
    ++index;
    Issuer issuer;
    CertificateView view;
    issuer.certificate.reset(X509_parse_from_buffer(buffer.get()));
    if (issuer.certificate != nullptr) {
      issuer.key.reset(X509_get_pubkey(issuer.certificate.get()));
    }
    if (issuer.key == nullptr ||
        !ParseCertificateView({CRYPTO_BUFFER_data(buffer.get()), CRYPTO_BUFFER_len(buffer.get())},
                              &view)) {
      ERR_clear_error();
      warnings->push_back(absl::StrCat("CA certificate number ", index,
                                       " cannot be read, so that no CRL can be checked with it"));
      continue;
    }
    issuer.key_id = KeyIdOf(view.spki);
    SHA256(CRYPTO_BUFFER_data(buffer.get()), CRYPTO_BUFFER_len(buffer.get()), issuer.hash.data());
    // All bits are set when the extension is not there (RFC 5280, 4.2.1.3).
    issuer.may_sign_crls = (X509_get_key_usage(issuer.certificate.get()) & X509v3_KU_CRL_SIGN) != 0;
    issuers_.push_back(std::move(issuer));
  }
  // Lists are many, and so may CAs be.
  std::stable_sort(issuers_.begin(), issuers_.end(), [](const Issuer& a, const Issuer& b) {
    return X509_NAME_cmp(X509_get_subject_name(a.certificate.get()),
                         X509_get_subject_name(b.certificate.get())) < 0;
  });
}

std::vector<const CrlIssuers::Issuer*> CrlIssuers::Candidates(const X509_NAME* name,
                                                              const ParsedCrl& crl) const {
  std::vector<const Issuer*> candidates;
  // As RFC 5280, 7.1 compares them: the CA's certificate and its list may spell the name with
  // different string types.
  const auto compare = [name](const Issuer& issuer) {
    return X509_NAME_cmp(X509_get_subject_name(issuer.certificate.get()), name);
  };
  auto at = std::partition_point(issuers_.begin(), issuers_.end(),
                                 [&](const Issuer& issuer) { return compare(issuer) < 0; });
  for (; at != issuers_.end() && compare(*at) == 0; ++at) {
    candidates.push_back(&*at);
  }
  // The identifier (5.2.1) is only a hint, since the signature decides.
  std::stable_partition(candidates.begin(), candidates.end(), [&crl](const Issuer* issuer) {
    return HasKeyIdentifier(issuer->certificate.get(), crl.authority_key_identifier);
  });
  // One key may have several certificates, not all of which allow it to sign lists.
  std::stable_partition(candidates.begin(), candidates.end(),
                        [](const Issuer* issuer) { return issuer->may_sign_crls; });
  return candidates;
}

absl::StatusOr<CrlIssuers::Signer> CrlIssuers::FindSigner(const ParsedCrl& crl) const {
  const bssl::UniquePtr<X509_NAME> name = ParseName(crl.issuer);
  if (name == nullptr) {
    return absl::InvalidArgumentError(
        "the CRL is malformed (issuer): the file is damaged, or the CA writes no valid DER");
  }
  SignatureAlgorithm algorithm;
  absl::Status status = ParseSignatureAlgorithm(crl.algorithm, &algorithm);
  if (!status.ok()) {
    return status;
  }
  const std::string text = NameText(name.get());
  const std::vector<const Issuer*> candidates = Candidates(name.get(), crl);
  if (candidates.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("its issuer (", text,
                     ") is unknown; add the issuer's certificate to ca_files or "
                     "intermediate_files"));
  }
  const SignedMessage message(algorithm, SpanOf(crl.signed_part));
  for (const Issuer* issuer : candidates) {
    if (!message.IsSignedBy(issuer->key.get(), SpanOf(crl.signature))) {
      continue;
    }
    if (!issuer->may_sign_crls) {
      return absl::InvalidArgumentError(
          absl::StrCat("its issuer (", text,
                       ") may not sign CRLs: the keyUsage of its certificate lacks cRLSign (RFC "
                       "5280, 4.2.1.3); let the CA issue that certificate again"));
    }
    return Signer{issuer->key_id, NameText(X509_get_subject_name(issuer->certificate.get())),
                  issuer->hash};
  }
  return absl::InvalidArgumentError(
      absl::StrCat("its signature does not verify with any certificate of its issuer (", text,
                   "); fetch the file again, or, if the CA has a new key, add the certificate of "
                   "that key to ca_files or intermediate_files"));
}

}  // namespace postern::tls
