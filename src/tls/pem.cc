#include "src/tls/pem.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/pem.h>

#include <cstring>
#include <limits>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "src/tls/errors.h"

namespace postern::tls {
namespace {

bssl::UniquePtr<BIO> Reader(std::string_view text) {
  if (text.size() > static_cast<size_t>(std::numeric_limits<int>::max())) {
    return nullptr;
  }
  return bssl::UniquePtr<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

int NoPassphrase(char*, int, int, void*) {
  return 0;
}

}  // namespace

absl::StatusOr<std::vector<bssl::UniquePtr<CRYPTO_BUFFER>>> ParseCertificates(
    std::string_view pem) {
  bssl::UniquePtr<BIO> reader = Reader(pem);
  std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> certificates;
  while (reader != nullptr) {
    char* name = nullptr;
    char* header = nullptr;
    uint8_t* der = nullptr;
    long der_size = 0;
    if (PEM_read_bio(reader.get(), &name, &header, &der, &der_size) != 1) {
      break;
    }
    bssl::UniquePtr<char> free_name(name);
    bssl::UniquePtr<char> free_header(header);
    bssl::UniquePtr<uint8_t> free_der(der);
    if (std::strcmp(name, PEM_STRING_X509) == 0 || std::strcmp(name, PEM_STRING_X509_OLD) == 0) {
      certificates.emplace_back(CRYPTO_BUFFER_new(der, static_cast<size_t>(der_size), nullptr));
    }
  }
  uint32_t error = ERR_peek_last_error();
  bool at_end = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  std::string text = TakeErrorText();
  if (!at_end) {
    return absl::InvalidArgumentError(absl::StrCat("PEM block number ", certificates.size() + 1,
                                                   " cannot be decoded (", text, ")"));
  }
  if (certificates.empty()) {
    return absl::InvalidArgumentError(
        "no certificate found; expected PEM with '-----BEGIN CERTIFICATE-----'");
  }
  return certificates;
}

absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> ParsePrivateKey(std::string_view pem) {
  bssl::UniquePtr<BIO> reader = Reader(pem);
  bssl::UniquePtr<EVP_PKEY> key(
      reader == nullptr ? nullptr
                        : PEM_read_bio_PrivateKey(reader.get(), nullptr, NoPassphrase, nullptr));
  if (key == nullptr) {
    std::string text = TakeErrorText();
    bool encrypted = pem.find("ENCRYPTED") != std::string_view::npos;
    return absl::InvalidArgumentError(
        encrypted ? "the private key is encrypted; give it unencrypted, readable by this user only"
                  : absl::StrCat("no private key found (", text,
                                 "); expected PEM with '-----BEGIN PRIVATE KEY-----'"));
  }
  return key;
}

}  // namespace postern::tls
