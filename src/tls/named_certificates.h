// Certificates found by the name of their subject. Internal to tls/.
#ifndef POSTERN_SRC_TLS_NAMED_CERTIFICATES_H_
#define POSTERN_SRC_TLS_NAMED_CERTIFICATES_H_

#include <openssl/base.h>
#include <openssl/x509.h>

#include <cstddef>
#include <span>
#include <vector>

namespace postern::tls {

class NamedCertificates {
 public:
  void Add(bssl::UniquePtr<X509> certificate) { certificates_.push_back(std::move(certificate)); }
  // After the last Add.
  void Sort();

  // Those with this subject, in the order in which they were added.
  std::span<const bssl::UniquePtr<X509>> WithName(const X509_NAME* name) const;
  // In the order of their names.
  std::span<const bssl::UniquePtr<X509>> all() const { return certificates_; }

  // Comparisons of names that Sort has made.
  size_t comparisons() const { return comparisons_; }

 private:
  std::vector<bssl::UniquePtr<X509>> certificates_;
  size_t comparisons_ = 0;
};

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_NAMED_CERTIFICATES_H_
