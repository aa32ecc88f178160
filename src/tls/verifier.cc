#include "src/tls/verifier.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/mem.h>
#include <openssl/pool.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <string>

#include "absl/strings/str_cat.h"
#include "src/base/limits.h"
#include "src/tls/errors.h"
#include "src/tls/pem.h"

namespace postern::tls {
namespace {

// More certificates than this are not even parsed; no real chain comes near.
constexpr size_t kChainCertificatesMax = 10;

// A distinguished name as RFC 2253 text; non-ASCII and control characters come out escaped.
std::string NameText(const X509_NAME* name) {
  bssl::UniquePtr<BIO> out(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253);
  const uint8_t* bytes = nullptr;
  size_t size = 0;
  BIO_mem_contents(out.get(), &bytes, &size);
  return std::string(reinterpret_cast<const char*>(bytes), size);
}

std::string SerialText(const X509* certificate) {
  bssl::UniquePtr<BIGNUM> number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  bssl::UniquePtr<char> hex(number == nullptr ? nullptr : BN_bn2hex(number.get()));
  if (hex == nullptr) {
    return "";
  }
  std::string text = hex.get();
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return text;
}

std::string FingerprintText(const CRYPTO_BUFFER* certificate) {
  std::array<uint8_t, SHA256_DIGEST_LENGTH> digest;
  SHA256(CRYPTO_BUFFER_data(certificate), CRYPTO_BUFFER_len(certificate), digest.data());
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (uint8_t byte : digest) {
    text += kHex[byte >> 4];
    text += kHex[byte & 15];
  }
  return text;
}

int64_t Seconds(const ASN1_TIME* time) {
  bssl::UniquePtr<ASN1_TIME> epoch(ASN1_TIME_set(nullptr, 0));
  int days = 0;
  int seconds = 0;
  if (ASN1_TIME_diff(&days, &seconds, epoch.get(), time) != 1) {
    return 0;
  }
  return int64_t{days} * 86400 + seconds;
}

void Describe(const X509* certificate, Refusal* refusal) {
  refusal->subject.Set(NameText(X509_get_subject_name(certificate)));
  refusal->issuer.Set(NameText(X509_get_issuer_name(certificate)));
  refusal->serial.Set(SerialText(certificate));
}

// RSA keys beyond this size cost milliseconds to check: refused, not computed.
bool IsKeyAcceptable(X509* certificate) {
  bssl::UniquePtr<EVP_PKEY> key(X509_get_pubkey(certificate));
  return key != nullptr &&
         (EVP_PKEY_id(key.get()) != EVP_PKEY_RSA || EVP_PKEY_bits(key.get()) <= 8192);
}

// Parses what the client sent with its leaf into `others`; `depth` is where it went wrong.
Reason ParseChain(const STACK_OF(CRYPTO_BUFFER) * chain, X509* leaf, STACK_OF(X509) * others,
                  size_t* depth) {
  size_t count = sk_CRYPTO_BUFFER_num(chain);
  if (count > kChainCertificatesMax) {
    *depth = count - 1;
    return Reason::kChainTooLong;
  }
  if (!IsKeyAcceptable(leaf)) {
    return Reason::kCertificateRejected;
  }
  for (*depth = 1; *depth < count; ++*depth) {
    bssl::UniquePtr<X509> certificate(
        X509_parse_from_buffer(sk_CRYPTO_BUFFER_value(chain, *depth)));
    if (certificate == nullptr) {
      return Reason::kUnparsable;
    }
    if (!IsKeyAcceptable(certificate.get())) {
      return Reason::kCertificateRejected;
    }
    bssl::PushToStack(others, std::move(certificate));
  }
  return Reason::kNone;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Verifier>> Verifier::Create(std::string_view ca_pem,
                                                           uint32_t depth_max) {
  auto certificates = ParseCertificates(ca_pem);
  if (!certificates.ok()) {
    return certificates.status();
  }
  std::unique_ptr<Verifier> verifier(new Verifier());
  verifier->depth_max_ = depth_max;
  verifier->store_.reset(X509_STORE_new());
  verifier->anchor_names_.reset(sk_CRYPTO_BUFFER_new_null());
  size_t index = 0;
  for (const auto& buffer : *certificates) {
    ++index;
    bssl::UniquePtr<X509> certificate(X509_parse_from_buffer(buffer.get()));
    if (certificate == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("certificate number ", index, " cannot be parsed (", TakeErrorText(), ")"));
    }
    if (X509_check_ca(certificate.get()) == 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "certificate number ", index, " (", NameText(X509_get_subject_name(certificate.get())),
          ") is not a CA; remove it, or give the CA that issued it"));
    }
    X509_STORE_add_cert(verifier->store_.get(), certificate.get());
    uint8_t* der = nullptr;
    int size = i2d_X509_NAME(X509_get_subject_name(certificate.get()), &der);
    if (size > 0) {
      bssl::UniquePtr<uint8_t> free_der(der);
      bssl::UniquePtr<CRYPTO_BUFFER> name(
          CRYPTO_BUFFER_new(der, static_cast<size_t>(size), nullptr));
      verifier->anchor_names_bytes_ += static_cast<size_t>(size) + 2;
      bssl::PushToStack(verifier->anchor_names_.get(), std::move(name));
    }
  }
  ERR_clear_error();
  return verifier;
}

bssl::UniquePtr<STACK_OF(CRYPTO_BUFFER)> Verifier::AnchorNames() const {
  bssl::UniquePtr<STACK_OF(CRYPTO_BUFFER)> names(sk_CRYPTO_BUFFER_new_null());
  for (const CRYPTO_BUFFER* name : anchor_names_.get()) {
    bssl::PushToStack(names.get(), bssl::UpRef(const_cast<CRYPTO_BUFFER*>(name)));
  }
  return names;
}

Reason Verifier::Verify(const STACK_OF(CRYPTO_BUFFER) * chain, int64_t now_s,
                        PeerIdentity* identity, Refusal* refusal) const {
  auto refuse = [refusal](Reason reason, int depth) {
    refusal->reason = reason;
    refusal->depth = static_cast<uint16_t>(std::max(depth, 0));
    ERR_clear_error();
    return reason;
  };
  if (sk_CRYPTO_BUFFER_num(chain) == 0) {
    return refuse(Reason::kNoCertificate, 0);
  }
  CRYPTO_BUFFER* leaf_buffer = sk_CRYPTO_BUFFER_value(chain, 0);
  bssl::UniquePtr<X509> leaf(X509_parse_from_buffer(leaf_buffer));
  if (leaf == nullptr) {
    return refuse(Reason::kUnparsable, 0);
  }
  Describe(leaf.get(), refusal);
  bssl::UniquePtr<STACK_OF(X509)> others(sk_X509_new_null());
  size_t depth = 0;
  Reason reason = ParseChain(chain, leaf.get(), others.get(), &depth);
  if (reason != Reason::kNone) {
    return refuse(reason, static_cast<int>(depth));
  }
  bssl::UniquePtr<X509_STORE_CTX> context(X509_STORE_CTX_new());
  if (X509_STORE_CTX_init(context.get(), store_.get(), leaf.get(), others.get()) != 1 ||
      X509_STORE_CTX_set_default(context.get(), "ssl_client") != 1) {
    return refuse(Reason::kInternal, 0);
  }
  X509_VERIFY_PARAM* terms = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_flags(terms, X509_V_FLAG_PARTIAL_CHAIN);
  // The library may look as deep as it was given certificates; how deep is allowed is judged below,
  // where the reason is known.
  X509_VERIFY_PARAM_set_depth(terms, static_cast<int>(kChainCertificatesMax));
  X509_VERIFY_PARAM_set_time(terms, static_cast<time_t>(now_s));
  if (X509_verify_cert(context.get()) != 1) {
    return refuse(ReasonOfVerifyError(X509_STORE_CTX_get_error(context.get())),
                  X509_STORE_CTX_get_error_depth(context.get()));
  }
  const STACK_OF(X509)* path = X509_STORE_CTX_get0_chain(context.get());
  // The configured depth counts every certificate below the anchor.
  if (sk_X509_num(path) > size_t{depth_max_} + 1) {
    return refuse(Reason::kChainTooLong, static_cast<int>(depth_max_));
  }

  std::string subject = NameText(X509_get_subject_name(leaf.get()));
  std::string issuer = NameText(X509_get_issuer_name(leaf.get()));
  std::string serial = SerialText(leaf.get());
  std::string fingerprint = FingerprintText(leaf_buffer);
  PeerIdentity::Parts parts{subject, issuer, serial, fingerprint, INT64_MAX};
  for (const X509* certificate : path) {
    parts.not_after_s = std::min(parts.not_after_s, Seconds(X509_get0_notAfter(certificate)));
  }
  if (!identity->Set(parts)) {
    return refuse(Reason::kIdentityTooLarge, 0);
  }
  ERR_clear_error();
  return Reason::kNone;
}

uint8_t AlertOf(Reason reason) {
  switch (reason) {
    case Reason::kNoCertificate:
      return SSL_AD_CERTIFICATE_REQUIRED;
    case Reason::kExpired:
      return SSL_AD_CERTIFICATE_EXPIRED;
    case Reason::kUnknownCa:
    case Reason::kChainTooLong:
    case Reason::kInvalidCa:
      return SSL_AD_UNKNOWN_CA;
    case Reason::kWrongPurpose:
      return SSL_AD_UNSUPPORTED_CERTIFICATE;
    case Reason::kInternal:
      return SSL_AD_INTERNAL_ERROR;
    case Reason::kNotYetValid:
    case Reason::kNameConstraint:
    case Reason::kBadSignature:
    case Reason::kUnparsable:
    case Reason::kIdentityTooLarge:
      return SSL_AD_BAD_CERTIFICATE;
    case Reason::kNone:
    case Reason::kCertificateRejected:
    case Reason::kBadProof:
    case Reason::kNotTls:
    case Reason::kPlainHttp:
    case Reason::kUnsupportedVersion:
    case Reason::kNoSharedCipher:
    case Reason::kNoApplicationProtocol:
    case Reason::kPeerAlert:
    case Reason::kProtocol:
    case Reason::kBadRecord:
      return SSL_AD_CERTIFICATE_UNKNOWN;
  }
  return SSL_AD_CERTIFICATE_UNKNOWN;
}

}  // namespace postern::tls
