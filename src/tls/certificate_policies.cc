#include "src/tls/certificate_policies.h"

#include <openssl/asn1.h>
#include <openssl/nid.h>
#include <openssl/obj.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace postern::tls {
namespace {

struct FreePolicies {
  void operator()(CERTIFICATEPOLICIES* policies) { CERTIFICATEPOLICIES_free(policies); }
};
struct FreeConstraints {
  void operator()(POLICY_CONSTRAINTS* constraints) { POLICY_CONSTRAINTS_free(constraints); }
};
struct FreeInteger {
  void operator()(ASN1_INTEGER* integer) { ASN1_INTEGER_free(integer); }
};

// Which policies are good so far.
struct Good {
  bool any = true;  // all; else those in `named`
  std::set<std::string> named;

  bool none() const { return !any && named.empty(); }
};

// An extension's value; null if it is absent. False: it cannot be read, or is there twice.
template <typename Value>
bool Read(const X509* certificate, int nid, Value* value) {
  int critical = 0;
  value->reset(
      static_cast<typename Value::pointer>(X509_get_ext_d2i(certificate, nid, &critical, nullptr)));
  return *value != nullptr || critical == -1;
}

// A number of certificates: more than any chain has, where it is larger.
std::optional<long> CountOf(const ASN1_INTEGER* integer) {
  constexpr long kMany = 1'000;
  if (integer == nullptr) {
    return kMany;
  }
  const long count = ASN1_INTEGER_get(integer);
  if (ASN1_STRING_type(integer) == V_ASN1_NEG_INTEGER) {
    return std::nullopt;
  }
  return count < 0 ? kMany : std::min(count, kMany);
}

class Walk {
 public:
  explicit Walk(size_t certificates)
      : explicit_after_(static_cast<long>(certificates) + 1), any_after_(explicit_after_) {}

  // From the anchor's side down. False: at fault.
  bool Step(const X509* certificate, bool is_leaf) {
    if (!ReadAll(certificate)) {
      return false;
    }
    const bool self_issued =
        X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate)) == 0;
    Narrow(any_after_ > 0 || (self_issued && !is_leaf));
    if (explicit_after_ <= 0 && good_.none()) {
      return false;  // 6.1.3 (f)
    }
    if (!self_issued || is_leaf) {
      explicit_after_ = std::max(explicit_after_ - 1, 0L);
      any_after_ = std::max(any_after_ - 1, 0L);
    }
    if (is_leaf) {
      // 6.1.5 (a), (b) and (g)
      return (explicit_after_ > 0 && explicit_here_ > 0) || !good_.none();
    }
    explicit_after_ = std::min(explicit_after_, explicit_here_);
    any_after_ = std::min(any_after_, any_here_);
    return true;
  }

 private:
  bool ReadAll(const X509* certificate) {
    std::unique_ptr<POLICY_CONSTRAINTS, FreeConstraints> constraints;
    std::unique_ptr<ASN1_INTEGER, FreeInteger> inhibit;
    policies_.reset();
    if (X509_get_ext_by_NID(certificate, NID_policy_mappings, -1) >= 0 ||
        !Read(certificate, NID_policy_constraints, &constraints) ||
        !Read(certificate, NID_inhibit_any_policy, &inhibit) ||
        !Read(certificate, NID_certificate_policies, &policies_)) {
      return false;
    }
    const auto explicit_here =
        CountOf(constraints != nullptr ? constraints->requireExplicitPolicy : nullptr);
    const auto any_here = CountOf(inhibit.get());
    explicit_here_ = explicit_here.value_or(0);
    any_here_ = any_here.value_or(0);
    return explicit_here.has_value() && any_here.has_value();
  }

  // By what the certificate names: 6.1.3 (d) and (e).
  void Narrow(bool any_counts) {
    Good next;
    next.any = false;
    for (const POLICYINFO* policy : policies_.get()) {
      if (OBJ_obj2nid(policy->policyid) != NID_any_policy) {
        std::string name(reinterpret_cast<const char*>(OBJ_get0_data(policy->policyid)),
                         OBJ_length(policy->policyid));
        if (good_.any || good_.named.count(name) > 0) {
          next.named.insert(std::move(name));
        }
      } else if (any_counts) {
        next.any = next.any || good_.any;
        next.named.insert(good_.named.begin(), good_.named.end());
      }
    }
    good_ = std::move(next);
  }

  Good good_;
  long explicit_after_;  // certificates until an explicit policy is demanded
  long any_after_;       // certificates for which anyPolicy still counts
  std::unique_ptr<CERTIFICATEPOLICIES, FreePolicies> policies_;
  long explicit_here_ = 0;
  long any_here_ = 0;
};

}  // namespace

bool HasPolicyConstraints(const X509* certificate) {
  return X509_get_ext_by_NID(certificate, NID_policy_constraints, -1) >= 0;
}

Reason CheckPolicies(const STACK_OF(X509) * path, int* depth) {
  const size_t below_anchor = sk_X509_num(path) - 1;
  bool is_demanded = false;
  for (size_t i = 0; i < below_anchor; ++i) {
    is_demanded = is_demanded || HasPolicyConstraints(sk_X509_value(path, i));
  }
  if (!is_demanded) {
    return Reason::kNone;
  }
  Walk walk(below_anchor);
  for (size_t i = below_anchor; i-- > 0;) {
    if (!walk.Step(sk_X509_value(path, i), i == 0)) {
      *depth = static_cast<int>(i);
      return Reason::kCertificatePolicy;
    }
  }
  return Reason::kNone;
}

}  // namespace postern::tls
