// The way from a peer's leaf to an anchor: the one that the library chooses, or another that holds
// where that one does not; and what is asked of it.
#include <openssl/pool.h>
#include <openssl/x509.h>

#include <algorithm>
#include <utility>

#include "src/base/limits.h"
#include "src/tls/certificate_policies.h"
#include "src/tls/errors.h"
#include "src/tls/identity_text.h"
#include "src/tls/key_rules.h"
#include "src/tls/name_constraints.h"
#include "src/tls/verifier.h"

namespace postern::tls {
namespace {

using base::limits::kChainCertificatesMax;
using base::limits::kSearchStepsMax;

// Where the library is not the last word:
//  * it takes the second of notAfter for too late, and RFC 5280, 4.1.2.5 counts it in, as
//    everything that judges without the library does;
//  * it knows no constraints of addresses (name_constraints.h);
//  * below a CA with name constraints it refuses a common name that looks like a host's, for those
//    who take such a name for one: nobody here does (RFC 5280, 4.2.1.10: constraints apply to names
//    of their own type).
int Reconsider(int ok, X509_STORE_CTX* context) {
  if (ok == 1) {
    return 1;
  }
  auto* terms = static_cast<Anchors::SearchTerms*>(X509_STORE_CTX_get_app_data(context));
  const X509* certificate = X509_STORE_CTX_get_current_cert(context);
  switch (X509_STORE_CTX_get_error(context)) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return SecondsOf(X509_get0_notAfter(certificate)) == terms->now_s ? 1 : 0;
    case X509_V_ERR_NAME_CONSTRAINTS_WITHOUT_SANS:
      return 1;
    case X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE: {
      // The library comes once for each CA above it; here all of them are looked at.
      if (terms->constrained == certificate) {
        return 1;
      }
      const int verdict =
          CheckNameConstraints(X509_STORE_CTX_get0_chain(context),
                               static_cast<size_t>(X509_STORE_CTX_get_error_depth(context)));
      X509_STORE_CTX_set_error(context, verdict);
      terms->constrained = certificate;
      return verdict == X509_V_OK ? 1 : 0;
    }
    default:
      return 0;
  }
}

// What is wrong with a certificate by itself, whoever has issued it.
bool IsOfCertificate(Reason reason) {
  return reason == Reason::kExpired || reason == Reason::kNotYetValid ||
         reason == Reason::kWrongPurpose || reason == Reason::kCriticalExtension ||
         reason == Reason::kWeakSignature || reason == Reason::kUnparsable;
}

bool IsSame(const STACK_OF(X509) * a, const STACK_OF(X509) * b) {
  bool is_same = sk_X509_num(a) == sk_X509_num(b);
  for (size_t i = 0; is_same && i < sk_X509_num(a); ++i) {
    is_same = sk_X509_value(a, i) == sk_X509_value(b, i);
  }
  return is_same;
}

}  // namespace

Reason Verifier::ParseOthers(const STACK_OF(CRYPTO_BUFFER) * chain, Path* path) const {
  path->others.reset(sk_X509_new_null());
  for (size_t i = 1; i < sk_CRYPTO_BUFFER_num(chain); ++i) {
    bssl::UniquePtr<X509> certificate(X509_parse_from_buffer(sk_CRYPTO_BUFFER_value(chain, i)));
    // Keys are looked at before anything is computed with them. A certificate that has no use does
    // no harm: clients send old roots along.
    const Reason reason = certificate == nullptr ? Reason::kUnparsable
                                                 : CheckKey(certificate.get(), terms_.rsa_bits_min);
    if (reason == Reason::kNone) {
      bssl::PushToStack(path->others.get(), std::move(certificate));
    } else if (path->left_out == Reason::kNone || reason == Reason::kUnparsable) {
      path->left_out = reason;
      path->left_out_depth = static_cast<int>(i);
    }
    if (reason == Reason::kUnparsable) {
      path->depth = static_cast<int>(i);
      return reason;
    }
  }
  path->others_sent = sk_X509_num(path->others.get());
  return Reason::kNone;
}

void Verifier::AddIntermediates(Path* path) const {
  STACK_OF(X509)* others = path->others.get();
  const X509* certificate = path->leaf.get();
  for (size_t i = 0; certificate != nullptr && sk_X509_num(others) < kSearchStepsMax; ++i) {
    const auto issuers = cas_->intermediates().WithName(X509_get_issuer_name(certificate));
    // All of a name or none.
    if (!issuers.empty() && sk_X509_find(others, nullptr, issuers[0].get()) == 0) {
      for (const auto& issuer : issuers) {
        bssl::PushToStack(others, bssl::UpRef(issuer.get()));
      }
    }
    certificate = i < sk_X509_num(others) ? sk_X509_value(others, i) : nullptr;
  }
}

Reason Verifier::Search(X509_STORE* anchors, STACK_OF(X509) * others, const STACK_OF(X509) * along,
                        Purpose purpose, int64_t now_s, Path* path) const {
  const bssl::UniquePtr<X509_STORE_CTX> owner(X509_STORE_CTX_new());
  X509_STORE_CTX* context = owner.get();
  if (X509_STORE_CTX_init(context, anchors, path->leaf.get(), others) != 1 ||
      X509_STORE_CTX_set_default(context,
                                 purpose == Purpose::kClient ? "ssl_client" : "ssl_server") != 1) {
    return Reason::kInternal;
  }
  X509_VERIFY_PARAM* terms = X509_STORE_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_flags(terms, X509_V_FLAG_PARTIAL_CHAIN);
  // The library may look as deep as it was given certificates; how deep is allowed is judged when
  // the path is known (path_limits.h).
  X509_VERIFY_PARAM_set_depth(terms, static_cast<int>(kChainCertificatesMax));
  X509_VERIFY_PARAM_set_time(terms, static_cast<time_t>(now_s));
  X509_STORE_CTX_set_verify_cb(context, Reconsider);
  // The configured depth counts every certificate below the anchor.
  Anchors::SearchTerms search = {&cas_->anchors(), now_s, terms_.verify_depth};
  search.path = along;
  if (X509_STORE_CTX_set_app_data(context, &search) != 1) {
    return Reason::kInternal;
  }
  if (X509_verify_cert(context) != 1) {
    path->refused.reset(X509_STORE_CTX_get1_chain(context));
    path->depth = X509_STORE_CTX_get_error_depth(context);
    if (X509_STORE_CTX_get_error(context) == X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY) {
      ++path->depth;
    }
    return ReasonOfVerifyError(X509_STORE_CTX_get_error(context));
  }
  path->certificates.reset(X509_STORE_CTX_get1_chain(context));
  // The signatures of that one path are known to be good, and of no other.
  return along == nullptr || IsSame(path->certificates.get(), along) ? Reason::kNone
                                                                     : Reason::kInternal;
}

Reason Verifier::CheckFound(const STACK_OF(X509) * certificates, int* depth) const {
  // The anchor's own signature vouches for nothing; those below it do. Certificates that did not
  // come from the peer have not been looked at yet.
  for (size_t i = 0; i < sk_X509_num(certificates); ++i) {
    X509* certificate = sk_X509_value(certificates, i);
    const bool is_anchor = i + 1 == sk_X509_num(certificates);
    Reason reason = CheckKey(certificate, terms_.rsa_bits_min);
    reason = reason == Reason::kNone && !is_anchor ? CheckSignatureAlgorithm(certificate) : reason;
    if (reason != Reason::kNone) {
      *depth = static_cast<int>(i);
      return reason;
    }
  }
  return CheckPolicies(certificates, depth);
}

Reason Verifier::FindFirstPath(Purpose purpose, int64_t now_s, Path* path) const {
  AddIntermediates(path);
  // Above a leaf that is an anchor, the library would take whatever the peer has sent, and be
  // content with it up to a certificate that nobody vouches for.
  STACK_OF(X509)* others = path->leaf_is_anchor ? nullptr : path->others.get();
  const Reason reason = Search(cas_->anchors().store(), others, nullptr, purpose, now_s, path);
  if (reason == Reason::kChainTooLong) {
    path->depth = static_cast<int>(terms_.verify_depth);
  }
  return reason == Reason::kNone ? CheckFound(path->certificates.get(), &path->depth) : reason;
}

bool Verifier::FindNextPath(const STACK_OF(CRYPTO_BUFFER) * chain, Purpose purpose, int64_t now_s,
                            Path* path) const {
  if (path->leaf_is_anchor ||
      (path->others == nullptr && ParseOthers(chain, path) != Reason::kNone)) {
    return false;
  }
  if (path->search == nullptr) {
    path->search = std::make_unique<PathSearch>(
        PathSearch::Terms{cas_.get(), path->leaf.get(), path->others.get(), path->others_sent,
                          now_s, std::min<size_t>(terms_.verify_depth, kChainCertificatesMax)});
  }
  while (bssl::UniquePtr<STACK_OF(X509)> steps = path->search->Next()) {
    const auto& judged = path->refused != nullptr ? path->refused : path->certificates;
    if (judged != nullptr && IsSame(steps.get(), judged.get())) {
      continue;
    }
    Path other;
    other.leaf = bssl::UpRef(path->leaf);
    bssl::UniquePtr<STACK_OF(X509)> between(sk_X509_new_null());
    for (size_t i = 1; i + 1 < sk_X509_num(steps.get()); ++i) {
      bssl::PushToStack(between.get(), bssl::UpRef(sk_X509_value(steps.get(), i)));
    }
    if (Search(path_store_.get(), between.get(), steps.get(), purpose, now_s, &other) ==
            Reason::kNone &&
        CheckFound(other.certificates.get(), &other.depth) == Reason::kNone) {
      path->certificates = std::move(other.certificates);
      return true;
    }
  }
  return false;
}

Reason Verifier::FindPath(const STACK_OF(CRYPTO_BUFFER) * chain, Purpose purpose, int64_t now_s,
                          Path* path) const {
  Reason reason = ParseOthers(chain, path);
  if (reason != Reason::kNone) {
    return reason;
  }
  reason = FindFirstPath(purpose, now_s, path);
  if (path->depth == 0 && IsOfCertificate(reason)) {
    return reason;
  }
  if (reason == Reason::kNone || FindNextPath(chain, purpose, now_s, path)) {
    return Reason::kNone;
  }
  if (reason == Reason::kUnknownCa && path->left_out != Reason::kNone) {
    reason = path->left_out;
    path->depth = path->left_out_depth;
  } else if (reason == Reason::kUnknownCa && path->search != nullptr &&
             path->search->has_met_no_signer()) {
    reason = Reason::kInvalidCa;
  }
  return reason;
}

}  // namespace postern::tls
