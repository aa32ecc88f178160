#include "src/tls/ca_cache.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <set>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "src/tls/errors.h"
#include "src/tls/identity_text.h"
#include "src/tls/name_text.h"
#include "src/tls/pem.h"
#include "src/tls/trusted_cas.h"

namespace postern::tls {
namespace {

absl::Status At(const std::string& file, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(file, ": ", status.message()));
}

// Certificates of a file, parsed; the error says which one is wrong.
absl::StatusOr<std::vector<bssl::UniquePtr<X509>>> ParseFile(const NamedPem& file) {
  auto buffers = ParseCertificates(file.pem.view());
  if (!buffers.ok()) {
    return At(file.name, buffers.status());
  }
  std::vector<bssl::UniquePtr<X509>> certificates;
  for (const auto& buffer : *buffers) {
    certificates.emplace_back(X509_parse_from_buffer(buffer.get()));
    if (certificates.back() == nullptr) {
      return At(file.name, absl::InvalidArgumentError(absl::StrCat(
                               PlaceOfCertificate(file.pem.view(), certificates.size()),
                               " cannot be parsed (", TakeErrorText(), ")")));
    }
    if (X509_check_ca(certificates.back().get()) == 0) {
      return At(file.name, absl::InvalidArgumentError(absl::StrCat(
                               PlaceOfCertificate(file.pem.view(), certificates.size()), " (",
                               NameText(X509_get_subject_name(certificates.back().get())),
                               ") is not a CA; remove it, or give the CA that issued it")));
    }
  }
  return certificates;
}

}  // namespace

class CaCache::Files {
 public:
  using AddOne = void (TrustedCas::*)(const bssl::UniquePtr<X509>& certificate, const Sha256& hash);
  absl::Status Add(std::span<const NamedPem> files, AddOne add, TrustedCas* cas);

 private:
  struct File {
    SharedText text;  // keeps its id
    std::vector<bssl::UniquePtr<X509>> certificates;
  };
  absl::StatusOr<const File*> Parse(const NamedPem& file);

  std::map<const void*, File> parsed_;
};

absl::StatusOr<const CaCache::Files::File*> CaCache::Files::Parse(const NamedPem& file) {
  const auto known = parsed_.find(file.pem.id());
  if (known != parsed_.end()) {
    return &known->second;
  }
  auto certificates = ParseFile(file);
  if (!certificates.ok()) {
    return certificates.status();
  }
  File& parsed = parsed_[file.pem.id()];
  parsed = {file.pem, *std::move(certificates)};
  return &parsed;
}

absl::Status CaCache::Files::Add(std::span<const NamedPem> files, AddOne add, TrustedCas* cas) {
  std::set<Sha256> seen;
  for (const NamedPem& file : files) {
    auto parsed = Parse(file);
    if (!parsed.ok()) {
      return parsed.status();
    }
    for (const auto& certificate : (*parsed)->certificates) {
      const Sha256 hash = ContentHash(certificate.get());
      if (seen.insert(hash).second) {
        (cas->*add)(certificate, hash);
      }
    }
  }
  return absl::OkStatus();
}

CaCache::CaCache() : files_(std::make_unique<Files>()) {}
CaCache::~CaCache() = default;

absl::StatusOr<std::shared_ptr<const TrustedCas>> CaCache::Get(
    std::span<const NamedPem> anchors, std::span<const NamedPem> intermediates) {
  std::vector<const void*> key;
  for (const NamedPem& file : anchors) {
    key.push_back(file.pem.id());
  }
  key.push_back(nullptr);
  for (const NamedPem& file : intermediates) {
    key.push_back(file.pem.id());
  }
  if (const auto known = sets_.find(key); known != sets_.end()) {
    return known->second;
  }
  auto cas = std::make_shared<TrustedCas>();
  absl::Status status = files_->Add(anchors, &TrustedCas::AddAnchor, cas.get());
  if (status.ok()) {
    status = files_->Add(intermediates, &TrustedCas::AddIntermediate, cas.get());
  }
  ERR_clear_error();
  if (!status.ok()) {
    return status;
  }
  cas->Finish();
  sets_[std::move(key)] = cas;
  return cas;
}

}  // namespace postern::tls
