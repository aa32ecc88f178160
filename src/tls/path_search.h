// Other ways from a certificate to an anchor than the one that the library takes. The library takes
// the first issuer that fits by name at each step and never comes back; where what it found does
// not hold (an issuer of the same name has signed, one is over, a cross-signed one leads nowhere),
// this looks at all of them (RFC 5280, 6.1: any valid path will do), within bounds (limits.h), but
// for those above a certificate that names itself as its issuer: the library ends there. Internal
// to tls/.
#ifndef POSTERN_SRC_TLS_PATH_SEARCH_H_
#define POSTERN_SRC_TLS_PATH_SEARCH_H_

#include <openssl/base.h>
#include <openssl/stack.h>
#include <openssl/x509.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "src/tls/anchors.h"
#include "src/tls/trusted_cas.h"

namespace postern::tls {

class PathSearch {
 public:
  // All of these outlive the search. The first `others_sent` of `others`: what the peer has sent
  // beside its leaf, with keys that may be computed with. `depth_max`: certificates below the
  // anchor.
  struct Terms {
    const TrustedCas* cas = nullptr;
    X509* leaf = nullptr;
    const STACK_OF(X509) * others = nullptr;
    size_t others_sent = 0;
    int64_t now_s = 0;
    size_t depth_max = 0;
  };
  explicit PathSearch(const Terms& terms);
  PathSearch(const PathSearch&) = delete;
  PathSearch& operator=(const PathSearch&) = delete;

  // The next path in which each certificate is signed by the one above it and all above the leaf
  // are in time: leaf first, anchor last. Nothing else of it has been looked at. Null: there is no
  // other, or what limits.h allows to one search is used up.
  bssl::UniquePtr<STACK_OF(X509)> Next();

  // Whether a CA that fits by name may not sign certificates.
  bool has_met_no_signer() const { return has_met_no_signer_; }

 private:
  struct Candidate {
    X509* certificate = nullptr;
    bool is_anchor = false;
    bool has_other_id = false;  // than the certificate below it says
  };
  using Candidates = std::vector<Candidate>;
  struct Step {
    Candidate self;
    const Candidates* issuers = nullptr;  // null: of an anchor
    size_t next = 0;
    // An anchor was reached from here.
    bool leads_up = false;
    // Not all that is above was looked at, as it is below already.
    bool has_skipped = false;
  };

  void Push(const Candidate& candidate);
  void Pop();
  // Whoever may have issued it, by name, time and purpose; those that it names first.
  const Candidates& IssuersOf(X509* certificate);
  // If it may have, and is none of `others`.
  void AddIssuer(X509* issuer, bool is_anchor, X509* certificate, const Candidates& others,
                 Candidates* out);
  static bool IsAmong(const X509* certificate, const Candidates& candidates);
  bool IsOnPath(const X509* certificate) const;
  // Tries the next issuer of the last step.
  void Climb();
  bool IsSigned(X509* certificate, X509* issuer);
  bool IsKnownNotToHaveSigned(X509* issuer, X509* certificate) const;
  // From the anchor down, so that no key of the peer's is computed with before somebody vouches for
  // it; false goes back to the step below the signature that is not good.
  bool AreStepsSigned();
  // How many certificates may come above the last step's.
  size_t Room() const { return terms_.depth_max + 1 - steps_.size(); }

  Terms terms_;
  std::vector<Step> steps_;
  std::map<const X509*, Candidates> issuers_;  // of certificates that have been on the path
  std::map<std::pair<const X509*, const X509*>, bool> signatures_;  // issuer, certificate
  // From where no anchor is reached, with so much room above.
  std::map<const X509*, size_t> dead_ends_;
  size_t looked_at_ = 0;
  size_t climbed_ = 0;
  size_t paths_ = 0;
  bool has_met_no_signer_ = false;
};

// Has the library judge the certificates of a path that PathSearch has given: in a context whose
// application data are Anchors::SearchTerms with `path` set, it finds that path and no other, and
// takes its signatures and times for good.
class PathStore {
 public:
  PathStore();
  X509_STORE* get() const { return store_.get(); }

 private:
  bssl::UniquePtr<X509_STORE> store_;
};

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_PATH_SEARCH_H_
