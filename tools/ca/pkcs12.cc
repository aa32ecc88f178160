#include "tools/ca/pkcs12.h"

#include <openssl/bytestring.h>
#include <openssl/digest.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/mem.h>
#include <openssl/obj.h>
#include <openssl/pkcs8.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/stack.h>
#include <openssl/x509.h>

#include <algorithm>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tools/ca/errors.h"
#include "tools/ca/keys.h"
#include "tools/ca/pbes2.h"

namespace postern::ca {
namespace {

// PKCS12_create of BoringSSL knows only the ciphers of the first PKCS#12, of which OpenSSL 3 and
// NSS refuse the default, and a SHA-1 MAC; so the modern form is written here. A PFX is a MAC over
// an octet string that holds a list of ContentInfos; here it is two of them: encrypted
// certificates, and a key in its own encrypted bag.

// 1.2.840.113549.1.*
constexpr uint8_t kData[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01};
constexpr uint8_t kEncryptedData[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x06};
constexpr uint8_t kFriendlyName[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x14};
constexpr uint8_t kLocalKeyId[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x15};
constexpr uint8_t kX509Certificate[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x16, 0x01};
constexpr uint8_t kShroudedKeyBag[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d,
                                       0x01, 0x0c, 0x0a, 0x01, 0x02};
constexpr uint8_t kCertBag[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x03};

constexpr unsigned kExplicit0 = CBS_ASN1_CONSTRUCTED | CBS_ASN1_CONTEXT_SPECIFIC | 0;
constexpr size_t kMacSaltSize = 16;

template <size_t size>
bool AddOid(CBB* out, const uint8_t (&oid)[size]) {
  CBB child;
  return CBB_add_asn1(out, &child, CBS_ASN1_OBJECT) && CBB_add_bytes(&child, oid, size) &&
         CBB_flush(out);
}

bool AddBytes(CBB* out, absl::string_view bytes) {
  return CBB_add_bytes(out, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
}

bool AddOctets(CBB* out, absl::string_view bytes) {
  CBB child;
  return CBB_add_asn1(out, &child, CBS_ASN1_OCTETSTRING) && AddBytes(&child, bytes) &&
         CBB_flush(out);
}

// BMPString: two octets a character, of which the first is zero in ASCII.
std::string ToBmp(absl::string_view ascii) {
  std::string result;
  for (const char c : ascii) {
    result.push_back('\0');
    result.push_back(c);
  }
  return result;
}

// 4.2: the name, and an id by which importers find the certificate of a key.
bool AddAttributes(CBB* bag, absl::string_view name, absl::string_view key_id) {
  CBB attributes, attribute, values, value;
  return CBB_add_asn1(bag, &attributes, CBS_ASN1_SET) &&
         (name.empty() ||
          (CBB_add_asn1(&attributes, &attribute, CBS_ASN1_SEQUENCE) &&
           AddOid(&attribute, kFriendlyName) && CBB_add_asn1(&attribute, &values, CBS_ASN1_SET) &&
           CBB_add_asn1(&values, &value, CBS_ASN1_BMPSTRING) && AddBytes(&value, ToBmp(name)) &&
           CBB_flush(&attributes))) &&
         CBB_add_asn1(&attributes, &attribute, CBS_ASN1_SEQUENCE) &&
         AddOid(&attribute, kLocalKeyId) && CBB_add_asn1(&attribute, &values, CBS_ASN1_SET) &&
         AddOctets(&values, key_id) && CBB_flush_asn1_set_of(&attributes) && CBB_flush(bag);
}

// 4.2.3. Only the leaf has attributes.
bool AddCertificateBag(CBB* bags, X509* certificate, absl::string_view name,
                       absl::string_view key_id) {
  CBB bag, wrapper, cert_bag, cert_wrapper;
  return CBB_add_asn1(bags, &bag, CBS_ASN1_SEQUENCE) && AddOid(&bag, kCertBag) &&
         CBB_add_asn1(&bag, &wrapper, kExplicit0) &&
         CBB_add_asn1(&wrapper, &cert_bag, CBS_ASN1_SEQUENCE) &&
         AddOid(&cert_bag, kX509Certificate) &&
         CBB_add_asn1(&cert_bag, &cert_wrapper, kExplicit0) &&
         AddOctets(&cert_wrapper, ToDer(certificate)) && CBB_flush(&bag) &&
         (key_id.empty() || AddAttributes(&bag, name, key_id)) && CBB_flush(bags);
}

// EncryptedData (RFC 2315, 13) of all certificates.
absl::Status AddCertificates(const Pkcs12Spec& spec, absl::string_view key_id, CBB* contents) {
  bssl::ScopedCBB plain;
  CBB bags;
  bool ok = CBB_init(plain.get(), 4096) == 1 && CBB_add_asn1(plain.get(), &bags, CBS_ASN1_SEQUENCE);
  for (size_t i = 0; ok && i < spec.chain->size(); ++i) {
    ok = AddCertificateBag(&bags, (*spec.chain)[i].get(), i == 0 ? spec.name : "",
                           i == 0 ? key_id : "");
  }
  if (!ok || !CBB_flush(plain.get())) {
    return CryptoError("cannot encode the certificates");
  }
  CA_ASSIGN_OR_RETURN(
      const Pbes2 encrypted,
      EncryptPbes2({reinterpret_cast<const char*>(CBB_data(plain.get())), CBB_len(plain.get())},
                   spec.passphrase));
  CBB content, wrapper, data, info, ciphertext;
  if (!CBB_add_asn1(contents, &content, CBS_ASN1_SEQUENCE) || !AddOid(&content, kEncryptedData) ||
      !CBB_add_asn1(&content, &wrapper, kExplicit0) ||
      !CBB_add_asn1(&wrapper, &data, CBS_ASN1_SEQUENCE) || !CBB_add_asn1_uint64(&data, 0) ||
      !CBB_add_asn1(&data, &info, CBS_ASN1_SEQUENCE) || !AddOid(&info, kData) ||
      !AddBytes(&info, encrypted.algorithm) ||
      !CBB_add_asn1(&info, &ciphertext, CBS_ASN1_CONTEXT_SPECIFIC | 0) ||
      !AddBytes(&ciphertext, encrypted.ciphertext) || !CBB_flush(contents)) {
    return CryptoError("cannot encode the certificates");
  }
  return absl::OkStatus();
}

// 4.2.2.
absl::Status AddKey(const Pkcs12Spec& spec, absl::string_view key_id, CBB* contents) {
  CA_ASSIGN_OR_RETURN(const std::string key, KeyToEncryptedDer(spec.key, spec.passphrase));
  CBB content, wrapper, data, bags, bag, value;
  if (!CBB_add_asn1(contents, &content, CBS_ASN1_SEQUENCE) || !AddOid(&content, kData) ||
      !CBB_add_asn1(&content, &wrapper, kExplicit0) ||
      !CBB_add_asn1(&wrapper, &data, CBS_ASN1_OCTETSTRING) ||
      !CBB_add_asn1(&data, &bags, CBS_ASN1_SEQUENCE) ||
      !CBB_add_asn1(&bags, &bag, CBS_ASN1_SEQUENCE) || !AddOid(&bag, kShroudedKeyBag) ||
      !CBB_add_asn1(&bag, &value, kExplicit0) || !AddBytes(&value, key) || !CBB_flush(&bag) ||
      !AddAttributes(&bag, spec.name, key_id) || !CBB_flush(contents)) {
    return CryptoError("cannot encode the private key");
  }
  return absl::OkStatus();
}

// Appendix B.2, for one block of SHA-256 (the MAC's key is no longer) and purpose 3.
std::string MacKey(absl::string_view passphrase, absl::string_view salt) {
  constexpr size_t kBlock = 64;  // SHA-256's input block
  const auto repeat = [](absl::string_view s) {
    std::string result;
    const size_t size = (s.size() + kBlock - 1) / kBlock * kBlock;
    while (result.size() < size) {
      absl::StrAppend(&result, s.substr(0, size - result.size()));
    }
    return result;
  };
  const std::string input =
      absl::StrCat(std::string(kBlock, '\3'), repeat(salt),
                   repeat(absl::StrCat(ToBmp(passphrase), absl::string_view("\0\0", 2))));
  uint8_t hash[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const uint8_t*>(input.data()), input.size(), hash);
  for (unsigned i = 1; i < kPassphraseIterations; ++i) {
    SHA256(hash, sizeof(hash), hash);
  }
  return std::string(reinterpret_cast<const char*>(hash), sizeof(hash));
}

// Section 4, MacData.
bool AddMac(CBB* pfx, absl::string_view contents, absl::string_view passphrase) {
  uint8_t salt_bytes[kMacSaltSize];
  RAND_bytes(salt_bytes, sizeof(salt_bytes));
  const absl::string_view salt(reinterpret_cast<const char*>(salt_bytes), sizeof(salt_bytes));
  const std::string key = MacKey(passphrase, salt);
  uint8_t mac[EVP_MAX_MD_SIZE];
  unsigned mac_size = 0;
  CBB data, digest_info;
  return HMAC(EVP_sha256(), key.data(), key.size(),
              reinterpret_cast<const uint8_t*>(contents.data()), contents.size(), mac,
              &mac_size) != nullptr &&
         CBB_add_asn1(pfx, &data, CBS_ASN1_SEQUENCE) &&
         CBB_add_asn1(&data, &digest_info, CBS_ASN1_SEQUENCE) &&
         EVP_marshal_digest_algorithm(&digest_info, EVP_sha256()) &&
         AddOctets(&digest_info, {reinterpret_cast<const char*>(mac), mac_size}) &&
         AddOctets(&data, salt) && CBB_add_asn1_uint64(&data, kPassphraseIterations) &&
         CBB_flush(pfx);
}

absl::StatusOr<std::string> MakeModern(const Pkcs12Spec& spec) {
  uint8_t hash[SHA_DIGEST_LENGTH];  // OpenSSL's choice of an id too
  const std::string leaf = ToDer(spec.chain->front().get());
  SHA1(reinterpret_cast<const uint8_t*>(leaf.data()), leaf.size(), hash);
  const absl::string_view key_id(reinterpret_cast<const char*>(hash), sizeof(hash));

  bssl::ScopedCBB list;
  CBB contents;
  if (CBB_init(list.get(), 8192) != 1 || !CBB_add_asn1(list.get(), &contents, CBS_ASN1_SEQUENCE)) {
    return CryptoError("out of memory");
  }
  CA_RETURN_IF_ERROR(AddCertificates(spec, key_id, &contents));
  CA_RETURN_IF_ERROR(AddKey(spec, key_id, &contents));
  bssl::ScopedCBB out;
  CBB pfx, content, wrapper;
  if (!CBB_flush(list.get()) || CBB_init(out.get(), 8192) != 1) {
    return CryptoError("out of memory");
  }
  const absl::string_view safe(reinterpret_cast<const char*>(CBB_data(list.get())),
                               CBB_len(list.get()));
  if (!CBB_add_asn1(out.get(), &pfx, CBS_ASN1_SEQUENCE) || !CBB_add_asn1_uint64(&pfx, 3) ||
      !CBB_add_asn1(&pfx, &content, CBS_ASN1_SEQUENCE) || !AddOid(&content, kData) ||
      !CBB_add_asn1(&content, &wrapper, kExplicit0) || !AddOctets(&wrapper, safe) ||
      !CBB_flush(&pfx) || !AddMac(&pfx, safe, spec.passphrase) || !CBB_flush(out.get())) {
    return CryptoError("cannot encode the PKCS#12 file");
  }
  return std::string(reinterpret_cast<const char*>(CBB_data(out.get())), CBB_len(out.get()));
}

absl::StatusOr<std::string> Make3Des(const Pkcs12Spec& spec) {
  bssl::UniquePtr<STACK_OF(X509)> others(sk_X509_new_null());
  for (size_t i = 1; i < spec.chain->size(); ++i) {
    bssl::PushToStack(others.get(), bssl::UpRef((*spec.chain)[i]));
  }
  // The importers that need this form are slow, and need it with few iterations.
  constexpr int k3Des = NID_pbe_WithSHA1And3_Key_TripleDES_CBC;
  constexpr int kIterations = 2048;
  bssl::UniquePtr<PKCS12> file(PKCS12_create(
      spec.passphrase.c_str(), spec.name.empty() ? nullptr : spec.name.c_str(), spec.key,
      spec.chain->front().get(), others.get(), k3Des, k3Des, kIterations, kIterations, 0));
  uint8_t* der = nullptr;
  const int size = file == nullptr ? -1 : i2d_PKCS12(file.get(), &der);
  if (size < 0) {
    return CryptoError("cannot encode the PKCS#12 file");
  }
  std::string result(reinterpret_cast<const char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return result;
}

bool IsAscii(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isprint(static_cast<unsigned char>(c)); });
}

}  // namespace

absl::StatusOr<std::string> MakePkcs12(const Pkcs12Spec& spec) {
  if (!IsAscii(spec.passphrase) || !IsAscii(spec.name)) {
    return absl::FailedPreconditionError(
        "a PKCS#12 passphrase and name must be ASCII: importers disagree on everything else");
  }
  if (X509_check_private_key(spec.chain->front().get(), spec.key) != 1) {
    ERR_clear_error();
    return absl::FailedPreconditionError("the private key does not belong to the certificate");
  }
  switch (spec.cipher) {
    case Pkcs12Cipher::kAes256:
      return MakeModern(spec);
    case Pkcs12Cipher::k3Des:
      return Make3Des(spec);
  }
  return absl::InternalError("unknown cipher");
}

}  // namespace postern::ca
