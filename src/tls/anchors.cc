#include "src/tls/anchors.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <utility>

#include "src/base/check.h"
#include "src/base/limits.h"
#include "src/tls/path_limits.h"

namespace postern::tls {
namespace {

// As RFC 5280, 7.1 compares them.
bool IsBefore(const X509_NAME* a, const X509_NAME* b) {
  return X509_NAME_cmp(a, b) < 0;
}

// Within what one search may ask.
bool HasSigned(X509* candidate, X509* certificate, Anchors::SearchTerms* terms) {
  if (terms->asked >= base::limits::kCandidateSignaturesMax) {
    return false;
  }
  ++terms->asked;
  bssl::UniquePtr<EVP_PKEY> key(X509_get_pubkey(candidate));
  const bool signed_by = key != nullptr && X509_verify(certificate, key.get()) == 1;
  ERR_clear_error();
  return signed_by;
}

}  // namespace

Anchors::Anchors() : store_(X509_STORE_new()) {
  CHECK(store_ != nullptr);
  X509_STORE_set_get_issuer(store_.get(), GetIssuer);
  X509_STORE_set_lookup_certs(store_.get(), LookUp);
  X509_STORE_set_check_revocation(store_.get(), CheckPathLimits);
}

void Anchors::Add(bssl::UniquePtr<X509> certificate) {
  certificates_.push_back(std::move(certificate));
}

void Anchors::Sort() {
  std::stable_sort(
      certificates_.begin(), certificates_.end(), [this](const auto& a, const auto& b) {
        ++comparisons_;
        return IsBefore(X509_get_subject_name(a.get()), X509_get_subject_name(b.get()));
      });
}

std::span<const bssl::UniquePtr<X509>> Anchors::WithName(const X509_NAME* name) const {
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

const Anchors& Anchors::Of(X509_STORE_CTX* context) {
  return *static_cast<const SearchTerms*>(X509_STORE_CTX_get_app_data(context))->anchors;
}

int Anchors::GetIssuer(X509** issuer, X509_STORE_CTX* context, X509* certificate) {
  auto* terms = static_cast<SearchTerms*>(X509_STORE_CTX_get_app_data(context));
  if (terms->certificate == certificate) {
    *issuer = bssl::UpRef(terms->issuer).release();
    return 1;
  }
  X509* first = nullptr;
  X509* signer = nullptr;
  bool several = false;
  for (const auto& candidate : Of(context).WithName(X509_get_issuer_name(certificate))) {
    if (X509_check_issued(candidate.get(), certificate) != X509_V_OK) {
      continue;
    }
    if (first == nullptr) {
      first = candidate.get();
      continue;
    }
    // Nothing but the signature tells CAs of one name apart where the certificate does not say
    // which key has signed it.
    if (!std::exchange(several, true) && HasSigned(first, certificate, terms)) {
      signer = first;
    } else if (HasSigned(candidate.get(), certificate, terms)) {
      signer = candidate.get();
    }
    if (signer != nullptr || terms->asked >= base::limits::kCandidateSignaturesMax) {
      break;
    }
  }
  if (first == nullptr) {
    return 0;
  }
  X509* found = signer != nullptr ? signer : first;
  if (several) {
    terms->certificate = certificate;
    terms->issuer = found;
  }
  *issuer = bssl::UpRef(found).release();
  return 1;
}

STACK_OF(X509) * Anchors::LookUp(X509_STORE_CTX* context, X509_NAME* name) {
  bssl::UniquePtr<STACK_OF(X509)> found(sk_X509_new_null());
  for (const auto& candidate : Of(context).WithName(name)) {
    if (found == nullptr || !bssl::PushToStack(found.get(), bssl::UpRef(candidate.get()))) {
      return nullptr;
    }
  }
  return found.release();
}

}  // namespace postern::tls
