// Revocation lists for tests, written byte by byte with whatever is wrong that a test wants.
#ifndef POSTERN_SRC_TLS_CRL_TEST_UTIL_H_
#define POSTERN_SRC_TLS_CRL_TEST_UTIL_H_

#include <openssl/bytestring.h>
#include <openssl/digest.h>
#include <openssl/evp.h>
#include <openssl/mem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <cstdint>
#include <cstdio>
#include <ctime>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/check.h"
#include "src/tls/cert_test_util.h"

namespace postern::tls {

using Bytes = std::vector<uint8_t>;

// Runs `write` on a CBB; what it has written.
inline std::string Der(const std::function<void(CBB*)>& write) {
  bssl::ScopedCBB cbb;
  CHECK(CBB_init(cbb.get(), 256) == 1);
  write(cbb.get());
  uint8_t* data = nullptr;
  size_t size = 0;
  CHECK(CBB_finish(cbb.get(), &data, &size) == 1);
  bssl::UniquePtr<uint8_t> free_data(data);
  return std::string(reinterpret_cast<const char*>(data), size);
}

inline void AddRaw(CBB* out, std::string_view bytes) {
  CHECK(CBB_add_bytes(out, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()) == 1);
}

// One element with this tag around `content`.
inline std::string Tagged(unsigned tag, std::string_view content) {
  return Der([tag, content](CBB* out) {
    CBB child;
    CHECK(CBB_add_asn1(out, &child, tag) == 1);
    AddRaw(&child, content);
    CHECK(CBB_flush(out) == 1);
  });
}

inline std::string Sequence(std::string_view content) {
  return Tagged(CBS_ASN1_SEQUENCE, content);
}

// An INTEGER with these content octets, whether they are well-formed or not.
inline std::string IntegerDer(const Bytes& content) {
  return Tagged(CBS_ASN1_INTEGER, {reinterpret_cast<const char*>(content.data()), content.size()});
}

inline std::string OidDer(std::string_view text) {
  return Der([text](CBB* out) {
    CBB child;
    CHECK(CBB_add_asn1(out, &child, CBS_ASN1_OBJECT) == 1);
    CHECK(CBB_add_asn1_oid_from_text(&child, text.data(), text.size()) == 1);
    CHECK(CBB_flush(out) == 1);
  });
}

inline std::string ExtensionDer(std::string_view oid, bool critical, std::string_view value) {
  return Sequence(OidDer(oid) + (critical ? Tagged(CBS_ASN1_BOOLEAN, "\xff") : "") +
                  Tagged(CBS_ASN1_OCTETSTRING, value));
}

inline std::string TimeDer(int64_t seconds) {
  const time_t time = static_cast<time_t>(seconds);
  tm parts = {};
  CHECK(gmtime_r(&time, &parts) != nullptr);
  char text[32];
  const bool is_utc = parts.tm_year >= 50 && parts.tm_year < 150;
  CHECK(strftime(text, sizeof(text), is_utc ? "%y%m%d%H%M%SZ" : "%Y%m%d%H%M%SZ", &parts) > 0);
  return Tagged(is_utc ? CBS_ASN1_UTCTIME : CBS_ASN1_GENERALIZEDTIME, text);
}

// An entry of a list; `extensions`: the content of crlEntryExtensions, empty: none.
inline std::string EntryDer(const Bytes& serial, std::string_view extensions = "") {
  return Sequence(IntegerDer(serial) + TimeDer(kNow - kDay) +
                  (extensions.empty() ? "" : Sequence(extensions)));
}

inline std::string ReasonDer(uint8_t reason) {
  const char content = static_cast<char>(reason);
  return ExtensionDer("2.5.29.21", false, Tagged(CBS_ASN1_ENUMERATED, {&content, 1}));
}

// `count` entries with the serials 0x10000 and up, quickly.
inline std::string NumberedEntries(uint32_t count) {
  std::string entry = EntryDer({1, 0, 0});
  const size_t at = entry.find(std::string_view("\x01\x00\x00", 3));
  std::string all;
  all.reserve(entry.size() * count);
  for (uint32_t i = 0; i < count; ++i) {
    entry[at] = static_cast<char>(1 + (i >> 16));
    entry[at + 1] = static_cast<char>(i >> 8 & 0xff);
    entry[at + 2] = static_cast<char>(i & 0xff);
    all += entry;
  }
  return all;
}

enum class CrlSignature : uint8_t {
  kByKey,  // ECDSA or PKCS #1 with SHA-256, or Ed25519: what the key can do
  kSha384,
  kSha512,
  kPssSha256,
  kSha1,  // said only: signed with SHA-256
};

inline std::string AlgorithmDer(EVP_PKEY* key, CrlSignature signature) {
  const std::string null = Tagged(CBS_ASN1_NULL, "");
  if (EVP_PKEY_id(key) == EVP_PKEY_ED25519) {
    return Sequence(OidDer("1.3.101.112"));
  }
  const bool is_rsa = EVP_PKEY_id(key) == EVP_PKEY_RSA;
  switch (signature) {
    case CrlSignature::kByKey:
      return Sequence(is_rsa ? OidDer("1.2.840.113549.1.1.11") + null
                             : OidDer("1.2.840.10045.4.3.2"));
    case CrlSignature::kSha384:
      return Sequence(is_rsa ? OidDer("1.2.840.113549.1.1.12") + null
                             : OidDer("1.2.840.10045.4.3.3"));
    case CrlSignature::kSha512:
      return Sequence(is_rsa ? OidDer("1.2.840.113549.1.1.13") + null
                             : OidDer("1.2.840.10045.4.3.4"));
    case CrlSignature::kSha1:
      return Sequence(is_rsa ? OidDer("1.2.840.113549.1.1.5") + null : OidDer("1.2.840.10045.4.1"));
    case CrlSignature::kPssSha256:
      break;
  }
  const unsigned tag = CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED;
  const std::string sha256 = Sequence(OidDer("2.16.840.1.101.3.4.2.1"));
  return Sequence(OidDer("1.2.840.113549.1.1.10") +
                  Sequence(Tagged(tag | 0, sha256) +
                           Tagged(tag | 1, Sequence(OidDer("1.2.840.113549.1.1.8") + sha256)) +
                           Tagged(tag | 2, IntegerDer({32}))));
}

inline std::string Sign(EVP_PKEY* key, CrlSignature type, std::string_view message) {
  const EVP_MD* digest = type == CrlSignature::kSha384   ? EVP_sha384()
                         : type == CrlSignature::kSha512 ? EVP_sha512()
                                                         : EVP_sha256();
  bssl::ScopedEVP_MD_CTX context;
  EVP_PKEY_CTX* key_context = nullptr;
  CHECK(EVP_DigestSignInit(context.get(), &key_context,
                           EVP_PKEY_id(key) == EVP_PKEY_ED25519 ? nullptr : digest, nullptr,
                           key) == 1);
  if (type == CrlSignature::kPssSha256) {
    CHECK(EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING) == 1);
    CHECK(EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, 32) == 1);
  }
  const auto* data = reinterpret_cast<const uint8_t*>(message.data());
  size_t size = 0;
  CHECK(EVP_DigestSign(context.get(), nullptr, &size, data, message.size()) == 1);
  Bytes signature(size);
  CHECK(EVP_DigestSign(context.get(), signature.data(), &size, data, message.size()) == 1);
  return std::string(reinterpret_cast<const char*>(signature.data()), size);
}

struct CrlOptions {
  int64_t this_update_s = kNow - kDay;
  int64_t next_update_s = kNow + 7 * kDay;  // 0: none
  std::string entries = {};                 // EntryDer() + EntryDer() + ...
  uint8_t number = 1;                       // 0: no such extension
  std::string extensions = {};              // more of them: ExtensionDer() + ...
  CrlSignature signature = CrlSignature::kByKey;
  bool bad_signature = false;
  // Instead of what belongs there; for lists that no CA should write.
  std::string version = IntegerDer({1});
  std::string issuer_name = {};
  std::string this_update = {};
  std::string inner_algorithm = {};
};

// A list in DER, signed by `issuer`'s key.
inline std::string MakeCrl(const CrlOptions& options, const Cert& issuer) {
  const std::string algorithm = AlgorithmDer(issuer.key.get(), options.signature);
  std::string name = options.issuer_name;
  if (name.empty()) {
    uint8_t* der = nullptr;
    const int size = i2d_X509_NAME(X509_get_subject_name(issuer.x509.get()), &der);
    CHECK(size > 0);
    bssl::UniquePtr<uint8_t> free_der(der);
    name.assign(reinterpret_cast<const char*>(der), static_cast<size_t>(size));
  }
  std::string extensions = options.extensions;
  if (options.number != 0) {
    extensions += ExtensionDer("2.5.29.20", false, IntegerDer({options.number}));
  }
  const std::string tbs = Sequence(
      options.version + (options.inner_algorithm.empty() ? algorithm : options.inner_algorithm) +
      name + (options.this_update.empty() ? TimeDer(options.this_update_s) : options.this_update) +
      (options.next_update_s != 0 ? TimeDer(options.next_update_s) : "") +
      (options.entries.empty() ? "" : Sequence(options.entries)) +
      (extensions.empty()
           ? ""
           : Tagged(CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 0, Sequence(extensions))));
  std::string signature = Sign(issuer.key.get(), options.signature, tbs);
  if (options.bad_signature) {
    signature.back() = static_cast<char>(signature.back() ^ 1);
  }
  return Sequence(tbs + algorithm + Tagged(CBS_ASN1_BITSTRING, std::string(1, '\0') + signature));
}

inline std::string CrlPem(const std::string& der) {
  bssl::UniquePtr<BIO> out(BIO_new(BIO_s_mem()));
  CHECK(PEM_write_bio(out.get(), PEM_STRING_X509_CRL, "",
                      reinterpret_cast<const uint8_t*>(der.data()),
                      static_cast<long>(der.size())) > 0);
  return Cert::Contents(out.get());
}

// An IssuingDistributionPoint with these fields set to TRUE, by their tag's number.
inline std::string DistributionPointDer(const std::vector<unsigned>& flags,
                                        std::string_view url = "") {
  std::string content;
  if (!url.empty()) {
    const unsigned tag = CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 0;
    content += Tagged(tag, Tagged(tag, Tagged(CBS_ASN1_CONTEXT_SPECIFIC | 6, url)));
  }
  for (unsigned flag : flags) {
    content += Tagged(CBS_ASN1_CONTEXT_SPECIFIC | flag, "\xff");
  }
  return ExtensionDer("2.5.29.28", true, Sequence(content));
}

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_CRL_TEST_UTIL_H_
