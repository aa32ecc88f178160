#include "src/tls/anchors.h"

#include <openssl/x509v3.h>

#include <algorithm>
#include <utility>

#include "src/base/check.h"
#include "src/base/limits.h"
#include "src/tls/identity_text.h"
#include "src/tls/key_rules.h"
#include "src/tls/path_limits.h"

namespace postern::tls {
namespace {

// Within what one search may ask.
bool MayAskWhether(X509* candidate, X509* certificate, Anchors::SearchTerms* terms) {
  return terms->asked++ < base::limits::kCandidateSignaturesMax &&
         HasSigned(candidate, certificate);
}

}  // namespace

Anchors::Anchors() : store_(X509_STORE_new()) {
  CHECK(store_ != nullptr);
  X509_STORE_set_get_issuer(store_.get(), GetIssuer);
  X509_STORE_set_lookup_certs(store_.get(), LookUp);
  X509_STORE_set_check_revocation(store_.get(), CheckPathLimits);
}

X509* Anchors::SignerAmong(std::span<const bssl::UniquePtr<X509>> candidates, X509* certificate,
                           SearchTerms* terms) {
  X509* first = nullptr;  // in time
  X509* over = nullptr;
  bool several = false;
  for (const auto& candidate : candidates) {
    if (X509_check_issued(candidate.get(), certificate) != X509_V_OK) {
      continue;
    }
    // One that is over counts only where there is no other: then it is the reason for the refusal.
    if (!IsInTime(candidate.get(), terms->now_s)) {
      over = over == nullptr ? candidate.get() : over;
      continue;
    }
    if (first == nullptr) {
      first = candidate.get();
      continue;
    }
    // Nothing but the signature tells CAs of one name apart where the certificate does not say
    // which key has signed it.
    if (!std::exchange(several, true) && MayAskWhether(first, certificate, terms)) {
      return first;
    }
    if (MayAskWhether(candidate.get(), certificate, terms)) {
      return candidate.get();
    }
    if (terms->asked >= base::limits::kCandidateSignaturesMax) {
      break;
    }
  }
  return first != nullptr ? first : over;
}

int Anchors::GetIssuer(X509** issuer, X509_STORE_CTX* context, X509* certificate) {
  auto* terms = static_cast<SearchTerms*>(X509_STORE_CTX_get_app_data(context));
  if (terms->certificate == certificate) {
    *issuer = bssl::UpRef(terms->issuer).release();
    return 1;
  }
  const auto candidates = terms->anchors->WithName(X509_get_issuer_name(certificate));
  const auto fits = [certificate](const auto& candidate) {
    return X509_check_issued(candidate.get(), certificate) == X509_V_OK;
  };
  const auto first = std::find_if(candidates.begin(), candidates.end(), fits);
  if (first == candidates.end()) {
    return 0;
  }
  X509* found = first->get();
  if (std::any_of(first + 1, candidates.end(), fits)) {
    found = SignerAmong(candidates, certificate, terms);
    terms->certificate = certificate;
    terms->issuer = found;
  }
  *issuer = bssl::UpRef(found).release();
  return 1;
}

STACK_OF(X509) * Anchors::LookUp(X509_STORE_CTX* context, X509_NAME* name) {
  bssl::UniquePtr<STACK_OF(X509)> found(sk_X509_new_null());
  const auto* terms = static_cast<SearchTerms*>(X509_STORE_CTX_get_app_data(context));
  for (const auto& candidate : terms->anchors->WithName(name)) {
    if (found == nullptr || !bssl::PushToStack(found.get(), bssl::UpRef(candidate.get()))) {
      return nullptr;
    }
  }
  return found.release();
}

}  // namespace postern::tls
