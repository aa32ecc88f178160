// Certificates for tests, made on the spot with whatever is wrong that a test wants.
#ifndef POSTERN_SRC_TLS_CERT_TEST_UTIL_H_
#define POSTERN_SRC_TLS_CERT_TEST_UTIL_H_

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/conf.h>
#include <openssl/ec_key.h>
#include <openssl/evp.h>
#include <openssl/mem.h>
#include <openssl/nid.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "src/base/check.h"

namespace postern::tls {

// 2026-01-01T00:00:00Z: what tests take for now.
inline constexpr int64_t kNow = 1'767'225'600;
inline constexpr int64_t kDay = 86'400;

enum class KeyType : uint8_t { kP256, kP384, kP521, kEd25519, kRsa2048 };

inline bssl::UniquePtr<EVP_PKEY> MakeKey(KeyType type) {
  bssl::UniquePtr<EVP_PKEY> key(EVP_PKEY_new());
  if (type == KeyType::kRsa2048) {
    bssl::UniquePtr<RSA> rsa(RSA_new());
    bssl::UniquePtr<BIGNUM> exponent(BN_new());
    CHECK(BN_set_word(exponent.get(), RSA_F4) == 1);
    CHECK(RSA_generate_key_ex(rsa.get(), 2048, exponent.get(), nullptr) == 1);
    CHECK(EVP_PKEY_set1_RSA(key.get(), rsa.get()) == 1);
    return key;
  }
  if (type == KeyType::kEd25519) {
    bssl::UniquePtr<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, nullptr));
    EVP_PKEY* raw = nullptr;
    CHECK(EVP_PKEY_keygen_init(context.get()) == 1);
    CHECK(EVP_PKEY_keygen(context.get(), &raw) == 1);
    return bssl::UniquePtr<EVP_PKEY>(raw);
  }
  int curve = type == KeyType::kP256   ? NID_X9_62_prime256v1
              : type == KeyType::kP384 ? NID_secp384r1
                                       : NID_secp521r1;
  bssl::UniquePtr<EC_KEY> ec(EC_KEY_new_by_curve_name(curve));
  CHECK(EC_KEY_generate_key(ec.get()) == 1);
  CHECK(EVP_PKEY_set1_EC_KEY(key.get(), ec.get()) == 1);
  return key;
}

// A public key of this size for a certificate whose holder never signs: its modulus is just an odd
// number.
inline bssl::UniquePtr<EVP_PKEY> MakeHugeRsaPublicKey(int bits) {
  bssl::UniquePtr<BIGNUM> modulus(BN_new());
  bssl::UniquePtr<BIGNUM> exponent(BN_new());
  CHECK(BN_rand(modulus.get(), bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD) == 1);
  CHECK(BN_set_word(exponent.get(), RSA_F4) == 1);
  bssl::UniquePtr<RSA> rsa(RSA_new());
  CHECK(RSA_set0_key(rsa.get(), modulus.release(), exponent.release(), nullptr) == 1);
  bssl::UniquePtr<EVP_PKEY> key(EVP_PKEY_new());
  CHECK(EVP_PKEY_set1_RSA(key.get(), rsa.get()) == 1);
  return key;
}

struct CertOptions {
  std::string cn = "leaf";
  // Instead of `cn`: fills the subject.
  std::function<void(X509_NAME*)> subject = {};
  int64_t not_before_s = kNow - kDay;
  int64_t not_after_s = kNow + 30 * kDay;
  uint64_t serial = 1;
  std::vector<uint8_t> serial_bytes = {};  // instead of `serial`: big-endian
  // Values as in OpenSSL's configuration; empty: no such extension.
  std::string basic_constraints = {};  // "critical,CA:TRUE,pathlen:0"
  std::string key_usage = {};          // "critical,keyCertSign"
  std::string extended_key_usage = "clientAuth";
  std::string subject_alt_name = {};    // "DNS:a.example.test"
  std::string name_constraints = {};    // "critical,permitted;DNS:.example.test"
  std::string policies = {};            // "1.2.3.4,1.2.3.5"
  std::string policy_constraints = {};  // "critical,requireExplicitPolicy:0"
  std::string policy_mappings = {};     // "1.2.3.4:1.2.3.5"
  std::string inhibit_any_policy = {};  // "critical,0"
  std::string subject_key_id = {};      // "hash"
  std::string authority_key_id = {};    // "keyid", "issuer:always"
  std::string netscape_comment = {};    // "critical,unknown": nobody understands it
  bool bad_signature = false;
  KeyType key_type = KeyType::kP256;
  EVP_PKEY* public_key = nullptr;  // instead of a key of `key_type`; then there is no private key
};

// A certificate with its key. Copies share the key.
struct Cert {
  std::string der;
  bssl::UniquePtr<X509> x509;
  bssl::UniquePtr<EVP_PKEY> key;

  std::string pem() const {
    bssl::UniquePtr<BIO> out(BIO_new(BIO_s_mem()));
    CHECK(PEM_write_bio(out.get(), PEM_STRING_X509, "",
                        reinterpret_cast<const uint8_t*>(der.data()),
                        static_cast<long>(der.size())) > 0);
    return Contents(out.get());
  }
  std::string key_pem() const {
    bssl::UniquePtr<BIO> out(BIO_new(BIO_s_mem()));
    CHECK(PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                        nullptr) == 1);
    return Contents(out.get());
  }

  static std::string Contents(BIO* bio) {
    const uint8_t* bytes = nullptr;
    size_t size = 0;
    CHECK(BIO_mem_contents(bio, &bytes, &size) == 1);
    return std::string(reinterpret_cast<const char*>(bytes), size);
  }
};

inline void AddEntry(X509_NAME* name, int nid, std::string_view value, int set = 0,
                     int type = MBSTRING_UTF8) {
  CHECK(X509_NAME_add_entry_by_NID(name, nid, type, reinterpret_cast<const uint8_t*>(value.data()),
                                   static_cast<int>(value.size()), -1, set) == 1);
}

inline void AddExtension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  if (value.empty()) {
    return;
  }
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  bssl::UniquePtr<CONF> nothing(NCONF_new(nullptr));
  X509V3_set_nconf(&context, nothing.get());
  bssl::UniquePtr<X509_EXTENSION> extension(
      X509V3_EXT_nconf_nid(nullptr, &context, nid, value.c_str()));
  CHECK(extension != nullptr);
  CHECK(X509_add_ext(certificate, extension.get(), -1) == 1);
}

inline void SetSerial(X509* certificate, const CertOptions& options) {
  bssl::UniquePtr<BIGNUM> number(BN_new());
  if (options.serial_bytes.empty()) {
    CHECK(BN_set_u64(number.get(), options.serial) == 1);
  } else {
    CHECK(BN_bin2bn(options.serial_bytes.data(), options.serial_bytes.size(), number.get()) !=
          nullptr);
  }
  bssl::UniquePtr<ASN1_INTEGER> serial(BN_to_ASN1_INTEGER(number.get(), nullptr));
  CHECK(X509_set_serialNumber(certificate, serial.get()) == 1);
}

// `issuer`: null signs with the certificate's own key.
inline Cert MakeCert(const CertOptions& options, const Cert* issuer = nullptr) {
  Cert cert;
  cert.x509.reset(X509_new());
  X509* x509 = cert.x509.get();
  EVP_PKEY* public_key = options.public_key;
  if (public_key == nullptr) {
    cert.key = MakeKey(options.key_type);
    public_key = cert.key.get();
  }
  CHECK(X509_set_version(x509, 2) == 1);
  SetSerial(x509, options);
  CHECK(ASN1_TIME_set(X509_getm_notBefore(x509), options.not_before_s) != nullptr);
  CHECK(ASN1_TIME_set(X509_getm_notAfter(x509), options.not_after_s) != nullptr);
  X509_NAME* name = X509_get_subject_name(x509);
  if (options.subject) {
    options.subject(name);
  } else {
    AddEntry(name, NID_commonName, options.cn);
  }
  X509* signer = issuer != nullptr ? issuer->x509.get() : x509;
  CHECK(X509_set_issuer_name(x509, X509_get_subject_name(signer)) == 1);
  CHECK(X509_set_pubkey(x509, public_key) == 1);
  AddExtension(x509, signer, NID_basic_constraints, options.basic_constraints);
  AddExtension(x509, signer, NID_key_usage, options.key_usage);
  AddExtension(x509, signer, NID_ext_key_usage, options.extended_key_usage);
  AddExtension(x509, signer, NID_subject_alt_name, options.subject_alt_name);
  AddExtension(x509, signer, NID_name_constraints, options.name_constraints);
  AddExtension(x509, signer, NID_certificate_policies, options.policies);
  AddExtension(x509, signer, NID_policy_constraints, options.policy_constraints);
  AddExtension(x509, signer, NID_policy_mappings, options.policy_mappings);
  AddExtension(x509, signer, NID_inhibit_any_policy, options.inhibit_any_policy);
  AddExtension(x509, signer, NID_subject_key_identifier, options.subject_key_id);
  AddExtension(x509, signer, NID_authority_key_identifier, options.authority_key_id);
  AddExtension(x509, signer, NID_netscape_comment, options.netscape_comment);
  EVP_PKEY* signing_key = issuer != nullptr ? issuer->key.get() : cert.key.get();
  const EVP_MD* digest = EVP_PKEY_id(signing_key) == EVP_PKEY_ED25519 ? nullptr : EVP_sha256();
  CHECK(X509_sign(x509, signing_key, digest) > 0);
  uint8_t* der = nullptr;
  int size = i2d_X509(x509, &der);
  CHECK(size > 0);
  cert.der.assign(reinterpret_cast<const char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  if (options.bad_signature) {
    cert.der.back() = static_cast<char>(cert.der.back() ^ 1);
  }
  return cert;
}

inline CertOptions CaOptions(std::string cn) {
  CertOptions options;
  options.cn = std::move(cn);
  options.basic_constraints = "critical,CA:TRUE";
  options.key_usage = "critical,keyCertSign,cRLSign";
  options.extended_key_usage = "";
  return options;
}

inline CertOptions ServerOptions(KeyType type = KeyType::kP256) {
  CertOptions options;
  options.cn = "server.example.test";
  options.extended_key_usage = "serverAuth";
  options.key_type = type;
  return options;
}

// What nearly every test needs, made once: RSA keys take long to find.
struct TestPki {
  Cert root = MakeCert(CaOptions("Test Root"));
  Cert sub_ca = MakeCert(CaOptions("Test Sub CA"), &root);
  Cert client = MakeCert({.cn = "device-17"}, &root);
  Cert sub_client = MakeCert({.cn = "device-18"}, &sub_ca);
  Cert other_root = MakeCert(CaOptions("Other Root"));
  Cert stranger = MakeCert({.cn = "stranger"}, &other_root);
  Cert server = MakeCert(ServerOptions(), &root);
  Cert server_rsa = MakeCert(ServerOptions(KeyType::kRsa2048), &root);

  static const TestPki& Get() {
    static const TestPki* const kPki = new TestPki();
    return *kPki;
  }
};

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_CERT_TEST_UTIL_H_
