#include "src/tls/named_certificates.h"

#include <algorithm>

namespace postern::tls {
namespace {

// As RFC 5280, 7.1 compares them.
bool IsBefore(const X509_NAME* a, const X509_NAME* b) {
  return X509_NAME_cmp(a, b) < 0;
}

}  // namespace

void NamedCertificates::Sort() {
  std::stable_sort(
      certificates_.begin(), certificates_.end(), [this](const auto& a, const auto& b) {
        ++comparisons_;
        return IsBefore(X509_get_subject_name(a.get()), X509_get_subject_name(b.get()));
      });
}

std::span<const bssl::UniquePtr<X509>> NamedCertificates::WithName(const X509_NAME* name) const {
  auto first = std::lower_bound(certificates_.begin(), certificates_.end(), name,
                                [](const auto& certificate, const X509_NAME* wanted) {
                                  return IsBefore(X509_get_subject_name(certificate.get()), wanted);
                                });
  auto last = first;
  while (last != certificates_.end() &&
         X509_NAME_cmp(X509_get_subject_name(last->get()), name) == 0) {
    ++last;
  }
  return {first, last};
}

}  // namespace postern::tls
