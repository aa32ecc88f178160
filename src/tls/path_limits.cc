#include "src/tls/path_limits.h"

#include <openssl/nid.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstddef>
#include <cstdint>

#include "src/base/limits.h"
#include "src/tls/anchors.h"

namespace postern::tls {
namespace {

// How many subtrees its name constraints list. One that cannot be parsed has been refused already.
size_t ConstraintsOf(const X509* certificate) {
  if (X509_get_ext_by_NID(certificate, NID_name_constraints, -1) < 0) {
    return 0;
  }
  bssl::UniquePtr<NAME_CONSTRAINTS> constraints(static_cast<NAME_CONSTRAINTS*>(
      X509_get_ext_d2i(certificate, NID_name_constraints, nullptr, nullptr)));
  return constraints == nullptr ? 0
                                : sk_GENERAL_SUBTREE_num(constraints->permittedSubtrees) +
                                      sk_GENERAL_SUBTREE_num(constraints->excludedSubtrees);
}

// Bytes of all names that constraints are compared with.
size_t NameBytesOf(const X509* certificate) {
  const uint8_t* subject = nullptr;
  size_t bytes = 0;
  if (X509_NAME_get0_der(X509_get_subject_name(certificate), &subject, &bytes) != 1) {
    bytes = 0;
  }
  const int at = X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1);
  if (at >= 0) {
    const ASN1_STRING* value = X509_EXTENSION_get_data(X509_get_ext(certificate, at));
    bytes += static_cast<size_t>(ASN1_STRING_length(value));
  }
  return bytes;
}

}  // namespace

int CheckPathLimits(X509_STORE_CTX* context) {
  const auto* terms =
      static_cast<const Anchors::SearchTerms*>(X509_STORE_CTX_get_app_data(context));
  const STACK_OF(X509)* path = X509_STORE_CTX_get0_chain(context);
  if (sk_X509_num(path) > terms->depth_max + 1) {
    X509_STORE_CTX_set_error(context, X509_V_ERR_CERT_CHAIN_TOO_LONG);
    return 0;
  }
  // Each certificate's names are compared with the constraints of all above it. A comparison reads
  // no more than the name.
  size_t constraints_above = 0;
  size_t work = 0;
  for (size_t i = sk_X509_num(path); i-- > 0;) {
    const X509* certificate = sk_X509_value(path, i);
    if (constraints_above != 0) {
      work += constraints_above * NameBytesOf(certificate);
    }
    constraints_above += ConstraintsOf(certificate);
  }
  if (work > base::limits::kNameConstraintWorkMax) {
    X509_STORE_CTX_set_error(context, X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX);
    return 0;
  }
  return 1;
}

}  // namespace postern::tls
