#include "src/tls/pem.h"

#include <openssl/bio.h>
#include <openssl/bytestring.h>
#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/pem.h>

#include <cstdint>
#include <limits>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "src/tls/errors.h"
#include "src/tls/pem_base64.h"
#include "src/tls/pem_blocks.h"

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

// Whether anything stands behind the first element.
bool HasMoreThanOne(std::span<const uint8_t> der) {
  CBS rest;
  CBS element;
  CBS_init(&rest, der.data(), der.size());
  return CBS_get_any_asn1_element(&rest, &element, nullptr, nullptr) == 1 && CBS_len(&rest) != 0;
}

}  // namespace

absl::StatusOr<std::vector<bssl::UniquePtr<CRYPTO_BUFFER>>> ParseCertificates(
    std::string_view pem) {
  auto blocks = FindPemBlocks(pem);
  if (!blocks.ok()) {
    return blocks.status();
  }
  std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> certificates;
  for (const PemBlock& block : *blocks) {
    if (!IsCertificateLabel(block.label)) {
      continue;
    }
    std::string body(block.body);
    const auto der = DecodeBase64InPlace(body.data(), body.size());
    if (!der.has_value() || der->empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", block.line,
                       ": the certificate is not base64: the file is damaged; fetch it again"));
    }
    if (HasMoreThanOne(*der)) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", block.line,
                       ": bytes follow the end of the certificate: the file is damaged; fetch it "
                       "again"));
    }
    certificates.emplace_back(CRYPTO_BUFFER_new(der->data(), der->size(), nullptr));
  }
  if (certificates.empty()) {
    return absl::InvalidArgumentError(
        "no certificate found; expected PEM with '-----BEGIN CERTIFICATE-----'");
  }
  return certificates;
}

std::string PlaceOfCertificate(std::string_view pem, size_t number) {
  size_t line = 0;
  size_t left = number;
  if (const auto blocks = FindPemBlocks(pem); blocks.ok()) {
    for (const PemBlock& block : *blocks) {
      left -= IsCertificateLabel(block.label) ? 1u : 0u;
      if (left == 0) {
        line = block.line;
        break;
      }
    }
  }
  return absl::StrCat("line ", line, ": certificate number ", number);
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
