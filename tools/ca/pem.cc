#include "tools/ca/pem.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tools/ca/errors.h"
#include "tools/ca/files.h"

namespace postern::ca {
namespace {

const uint8_t* Bytes(absl::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

}  // namespace

std::string Contents(BIO* bio) {
  const uint8_t* data = nullptr;
  size_t size = 0;
  if (BIO_mem_contents(bio, &data, &size) != 1) {
    return "";
  }
  return std::string(reinterpret_cast<const char*>(data), size);
}

std::string ToPem(absl::string_view label, absl::string_view der) {
  bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
  PEM_write_bio(bio.get(), std::string(label).c_str(), "", Bytes(der),
                static_cast<long>(der.size()));
  return Contents(bio.get());
}

std::string ToDer(X509* certificate) {
  uint8_t* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  if (size < 0) {
    return "";
  }
  std::string result(reinterpret_cast<const char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return result;
}

std::string ToPem(X509* certificate) {
  return ToPem("CERTIFICATE", ToDer(certificate));
}

absl::StatusOr<Certificates> ReadCertificates(const std::string& path) {
  CA_ASSIGN_OR_RETURN(const std::string contents, ReadFile(path));
  Certificates result;
  if (contents.find("-----BEGIN") == std::string::npos) {
    const uint8_t* der = Bytes(contents);
    bssl::UniquePtr<X509> certificate(d2i_X509(nullptr, &der, static_cast<long>(contents.size())));
    if (certificate != nullptr && der == Bytes(contents) + contents.size()) {
      result.push_back(std::move(certificate));
    }
  } else {
    bssl::UniquePtr<BIO> bio(BIO_new_mem_buf(contents.data(), static_cast<int>(contents.size())));
    while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
      result.emplace_back(certificate);
    }
    // The end of the file is not an error, a damaged certificate is.
    const uint32_t error = ERR_peek_last_error();
    if (!result.empty() && ERR_GET_REASON(error) != PEM_R_NO_START_LINE) {
      return CryptoError(absl::StrCat(path, " holds a damaged certificate"));
    }
  }
  ERR_clear_error();
  if (result.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " holds no certificate: give a PEM or DER file"));
  }
  return result;
}

}  // namespace postern::ca
