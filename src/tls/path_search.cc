#include "src/tls/path_search.h"

#include <openssl/x509v3.h>

#include <algorithm>
#include <iterator>

#include "src/base/check.h"
#include "src/base/limits.h"
#include "src/tls/identity_text.h"
#include "src/tls/key_rules.h"
#include "src/tls/path_limits.h"

namespace postern::tls {
namespace {

using base::limits::kSearchPathsMax;
using base::limits::kSearchSignaturesMax;
using base::limits::kSearchStepsMax;

const STACK_OF(X509) * PathOf(X509_STORE_CTX* context) {
  return static_cast<const Anchors::SearchTerms*>(X509_STORE_CTX_get_app_data(context))->path;
}

// The certificate above this one; null: it is the anchor, or none of the path.
X509* Above(const STACK_OF(X509) * path, const X509* certificate) {
  for (size_t i = 0; i + 1 < sk_X509_num(path); ++i) {
    if (sk_X509_value(path, i) == certificate) {
      return sk_X509_value(path, i + 1);
    }
  }
  return nullptr;
}

int IsNext(X509_STORE_CTX* context, X509* certificate, X509* issuer) {
  return Above(PathOf(context), certificate) == issuer ? 1 : 0;
}

// Of the library's store there is the anchor alone.
int GetAnchor(X509** issuer, X509_STORE_CTX* context, X509* certificate) {
  const STACK_OF(X509)* path = PathOf(context);
  X509* above = Above(path, certificate);
  if (above == nullptr || above != sk_X509_value(path, sk_X509_num(path) - 1)) {
    return 0;
  }
  *issuer = bssl::UpRef(above).release();
  return 1;
}

STACK_OF(X509) * LookUpNothing(X509_STORE_CTX* /*context*/, X509_NAME* /*name*/) {
  return sk_X509_new_null();
}

int IsVerified(X509_STORE_CTX* /*context*/) {
  return 1;
}

}  // namespace

PathSearch::PathSearch(const Terms& terms) : terms_(terms) {
  if (IsInTime(terms_.leaf, terms_.now_s)) {
    Push({terms_.leaf, false});
  }
}

bool PathSearch::IsOnPath(const X509* certificate) const {
  return std::any_of(steps_.begin(), steps_.end(), [certificate](const Step& step) {
    return X509_cmp(step.self.certificate, certificate) == 0;
  });
}

void PathSearch::AddIssuer(X509* issuer, bool is_anchor, X509* certificate,
                           const Candidates& others, Candidates* out) {
  if (++looked_at_ > kSearchStepsMax) {
    return;
  }
  const int verdict = X509_check_issued(issuer, certificate);
  // The identifiers help to choose, and no more (RFC 5280, 4.2.1.1): a CA that was renewed may have
  // others than those that its older children name.
  const bool has_other_id =
      verdict == X509_V_ERR_AKID_SKID_MISMATCH || verdict == X509_V_ERR_AKID_ISSUER_SERIAL_MISMATCH;
  if (verdict == X509_V_ERR_KEYUSAGE_NO_CERTSIGN ||
      (has_other_id && (X509_get_key_usage(issuer) & X509v3_KU_KEY_CERT_SIGN) == 0)) {
    has_met_no_signer_ = true;
    return;
  }
  // What an anchor says of itself binds nobody.
  if ((verdict == X509_V_OK || has_other_id) && IsInTime(issuer, terms_.now_s) &&
      (is_anchor || X509_check_ca(issuer) != 0) && !IsAmong(issuer, others)) {
    out->push_back({issuer, is_anchor, has_other_id});
  }
}

const PathSearch::Candidates& PathSearch::IssuersOf(X509* certificate) {
  const auto [at, is_new] = issuers_.try_emplace(certificate);
  Candidates* issuers = &at->second;
  if (!is_new) {
    return *issuers;
  }
  const X509_NAME* name = X509_get_issuer_name(certificate);
  // What is configured is there once; what is sent may be any of it, and more than once.
  Candidates sent;
  for (size_t i = 0; i < terms_.others_sent; ++i) {
    AddIssuer(sk_X509_value(terms_.others, i), false, certificate, sent, &sent);
  }
  for (const auto& anchor : terms_.cas->anchors().WithName(name)) {
    AddIssuer(anchor.get(), true, certificate, {}, issuers);
  }
  std::copy_if(sent.begin(), sent.end(), std::back_inserter(*issuers),
               [anchors = *issuers](const Candidate& candidate) {
                 return !IsAmong(candidate.certificate, anchors);
               });
  for (const auto& other : terms_.cas->intermediates().WithName(name)) {
    AddIssuer(other.get(), false, certificate, sent, issuers);
  }
  std::stable_partition(issuers->begin(), issuers->end(),
                        [](const Candidate& issuer) { return !issuer.has_other_id; });
  return *issuers;
}

bool PathSearch::IsAmong(const X509* certificate, const Candidates& candidates) {
  return std::any_of(candidates.begin(), candidates.end(), [certificate](const auto& other) {
    return X509_cmp(other.certificate, certificate) == 0;
  });
}

void PathSearch::Push(const Candidate& candidate) {
  steps_.push_back({.self = candidate});
  if (!candidate.is_anchor) {
    steps_.back().issuers = &IssuersOf(candidate.certificate);
  }
}

void PathSearch::Pop() {
  const Step step = std::move(steps_.back());
  const size_t room = Room();
  steps_.pop_back();
  if (!step.leads_up && !step.has_skipped && !step.self.is_anchor) {
    size_t& dead = dead_ends_[step.self.certificate];
    dead = std::max(dead, room);
  }
  if (!steps_.empty()) {
    Step& below = steps_.back();
    below.leads_up = below.leads_up || step.leads_up || step.self.is_anchor;
    below.has_skipped = below.has_skipped || step.has_skipped;
  }
}

bool PathSearch::IsSigned(X509* certificate, X509* issuer) {
  const auto [at, is_new] = signatures_.try_emplace({issuer, certificate}, false);
  if (is_new && signatures_.size() <= kSearchSignaturesMax) {
    at->second = HasSigned(issuer, certificate);
  }
  return at->second;
}

bool PathSearch::IsKnownNotToHaveSigned(X509* issuer, X509* certificate) const {
  const auto at = signatures_.find({issuer, certificate});
  return at != signatures_.end() && !at->second;
}

bool PathSearch::AreStepsSigned() {
  for (size_t i = steps_.size() - 1; i-- > 0;) {
    if (!IsSigned(steps_[i].self.certificate, steps_[i + 1].self.certificate)) {
      // What is above may be good for others: nothing is said of it.
      steps_.resize(i + 1);
      return false;
    }
  }
  return true;
}

void PathSearch::Climb() {
  // Above the last certificate that may be there, only an anchor helps.
  const bool is_last = Room() == 1;
  Step& last = steps_.back();
  const Candidate candidate = (*last.issuers)[last.next++];
  if (is_last && !candidate.is_anchor) {
    return;
  }
  if (IsOnPath(candidate.certificate)) {
    last.has_skipped = true;
    return;
  }
  const auto dead = dead_ends_.find(candidate.certificate);
  if ((dead != dead_ends_.end() && dead->second + 1 >= Room()) ||
      IsKnownNotToHaveSigned(candidate.certificate, last.self.certificate)) {
    return;
  }
  Push(candidate);
}

bssl::UniquePtr<STACK_OF(X509)> PathSearch::Next() {
  while (!steps_.empty()) {
    const Step& last = steps_.back();
    if (last.self.is_anchor || last.next == last.issuers->size()) {
      Pop();
      continue;
    }
    if (looked_at_ > kSearchStepsMax || ++climbed_ > kSearchStepsMax ||
        signatures_.size() > kSearchSignaturesMax || paths_ == kSearchPathsMax) {
      break;
    }
    Climb();
    // Signatures come last: most of what is sent leads to no anchor, and costs none.
    if (steps_.back().self.is_anchor && AreStepsSigned()) {
      ++paths_;
      bssl::UniquePtr<STACK_OF(X509)> path(sk_X509_new_null());
      for (const Step& step : steps_) {
        bssl::PushToStack(path.get(), bssl::UpRef(step.self.certificate));
      }
      return path;
    }
  }
  steps_.clear();
  return nullptr;
}

PathStore::PathStore() : store_(X509_STORE_new()) {
  CHECK(store_ != nullptr);
  X509_STORE_set_check_issued(store_.get(), IsNext);
  X509_STORE_set_get_issuer(store_.get(), GetAnchor);
  X509_STORE_set_lookup_certs(store_.get(), LookUpNothing);
  X509_STORE_set_verify(store_.get(), IsVerified);
  X509_STORE_set_check_revocation(store_.get(), CheckPathLimits);
}

}  // namespace postern::tls
