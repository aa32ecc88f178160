// The certificates that vouch, found by name. The library's own store looks through all of them for
// each one that is added; these are sorted once. Internal to tls/.
#ifndef POSTERN_SRC_TLS_ANCHORS_H_
#define POSTERN_SRC_TLS_ANCHORS_H_

#include <openssl/base.h>
#include <openssl/stack.h>
#include <openssl/x509.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "src/tls/named_certificates.h"

namespace postern::tls {

class Anchors {
 public:
  // What a search among them needs; the library hands it to our functions. Outlives the search.
  struct SearchTerms {
    const Anchors* anchors = nullptr;  // null: those of the store alone
    int64_t now_s = 0;
    size_t depth_max = 0;  // certificates below the anchor
    size_t asked = 0;      // candidates whose signature has been tried
    // The library asks for a certificate's issuer more than once.
    const X509* certificate = nullptr;  // whose issuers were asked last
    X509* issuer = nullptr;             // what came of it; one of `anchors`
    const X509* constrained = nullptr;  // the last one that CheckNameConstraints was asked about
    // Where the path is known (path_search.h): leaf first, anchor last.
    const STACK_OF(X509) * path = nullptr;
  };

  Anchors();

  void Add(bssl::UniquePtr<X509> certificate) { certificates_.Add(std::move(certificate)); }
  // Before the first search, after the last Add.
  void Sort() { certificates_.Sort(); }

  std::span<const bssl::UniquePtr<X509>> WithName(const X509_NAME* name) const {
    return certificates_.WithName(name);
  }

  // An X509_STORE_CTX that is made with it, and has SearchTerms as its application data, finds
  // issuers here: of those with the name, in the order in which they were added, the first that is
  // in time and whose identifiers and key usage fit (RFC 5280, 4.2.1.1). Where several do, the
  // signature tells: one search asks limits::kCandidateSignaturesMax of them. Whether the path that
  // comes of it may be verified at all is asked before its own signatures are (path_limits.h).
  X509_STORE* store() const { return store_.get(); }

  // Comparisons of names that Sort has made.
  size_t comparisons() const { return certificates_.comparisons(); }

 private:
  // Which of those that fit has signed; the first, where that is not known.
  static X509* SignerAmong(std::span<const bssl::UniquePtr<X509>> candidates, X509* certificate,
                           SearchTerms* terms);
  static int GetIssuer(X509** issuer, X509_STORE_CTX* context, X509* certificate);
  static STACK_OF(X509) * LookUp(X509_STORE_CTX* context, X509_NAME* name);

  bssl::UniquePtr<X509_STORE> store_;
  NamedCertificates certificates_;
};

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_ANCHORS_H_
