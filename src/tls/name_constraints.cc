#include "src/tls/name_constraints.h"

#include <openssl/nid.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace postern::tls {
namespace {

using Bytes = std::span<const uint8_t>;

Bytes BytesOf(const ASN1_OCTET_STRING* string) {
  return {ASN1_STRING_get0_data(string), static_cast<size_t>(ASN1_STRING_length(string))};
}

// An address and its mask: a network, as 4 and 4 bytes or as 16 and 16.
bool IsNetwork(Bytes range) {
  if (range.size() != 8 && range.size() != 32) {
    return false;
  }
  const Bytes mask = range.subspan(range.size() / 2);
  bool is_over = false;  // RFC 4632: all bits that are set come first
  for (const uint8_t byte : mask) {
    for (int bit = 7; bit >= 0; --bit) {
      const bool is_set = (byte >> bit & 1) != 0;
      if (is_set && is_over) {
        return false;
      }
      is_over = is_over || !is_set;
    }
  }
  return true;
}

// An address of the other family is in none.
bool IsWithin(Bytes address, Bytes network) {
  const size_t size = network.size() / 2;
  bool is_within = address.size() == size;
  for (size_t i = 0; is_within && i < size; ++i) {
    is_within = ((address[i] ^ network[i]) & network[size + i]) == 0;
  }
  return is_within;
}

// Takes the subtrees of addresses out of `subtrees` and puts them into `networks`.
int TakeNetworks(STACK_OF(GENERAL_SUBTREE) * subtrees,
                 std::vector<bssl::UniquePtr<GENERAL_SUBTREE>>* networks) {
  for (size_t i = sk_GENERAL_SUBTREE_num(subtrees); i-- > 0;) {
    GENERAL_SUBTREE* subtree = sk_GENERAL_SUBTREE_value(subtrees, i);
    if (subtree->base->type != GEN_IPADD) {
      continue;
    }
    networks->emplace_back(sk_GENERAL_SUBTREE_delete(subtrees, i));
    if (subtree->minimum != nullptr || subtree->maximum != nullptr) {
      return X509_V_ERR_SUBTREE_MINMAX;
    }
    if (!IsNetwork(BytesOf(subtree->base->d.iPAddress))) {
      return X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX;
    }
  }
  return X509_V_OK;
}

bool IsInAny(Bytes address, const std::vector<bssl::UniquePtr<GENERAL_SUBTREE>>& networks) {
  return std::any_of(networks.begin(), networks.end(), [address](const auto& network) {
    return IsWithin(address, BytesOf(network->base->d.iPAddress));
  });
}

int CheckAddresses(const X509* certificate,
                   const std::vector<bssl::UniquePtr<GENERAL_SUBTREE>>& permitted,
                   const std::vector<bssl::UniquePtr<GENERAL_SUBTREE>>& excluded) {
  bssl::UniquePtr<GENERAL_NAMES> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (size_t i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_IPADD) {
      continue;
    }
    const Bytes address = BytesOf(name->d.iPAddress);
    if (address.size() != 4 && address.size() != 16) {
      return X509_V_ERR_UNSUPPORTED_NAME_SYNTAX;
    }
    if (!permitted.empty() && !IsInAny(address, permitted)) {
      return X509_V_ERR_PERMITTED_VIOLATION;
    }
    if (IsInAny(address, excluded)) {
      return X509_V_ERR_EXCLUDED_VIOLATION;
    }
  }
  return X509_V_OK;
}

int CheckBelow(X509* certificate, const X509* ca) {
  if (X509_get_ext_by_NID(ca, NID_name_constraints, -1) < 0) {
    return X509_V_OK;
  }
  bssl::UniquePtr<NAME_CONSTRAINTS> constraints(
      static_cast<NAME_CONSTRAINTS*>(X509_get_ext_d2i(ca, NID_name_constraints, nullptr, nullptr)));
  if (constraints == nullptr) {
    return X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX;
  }
  std::vector<bssl::UniquePtr<GENERAL_SUBTREE>> permitted;
  std::vector<bssl::UniquePtr<GENERAL_SUBTREE>> excluded;
  int verdict = TakeNetworks(constraints->permittedSubtrees, &permitted);
  verdict = verdict == X509_V_OK ? TakeNetworks(constraints->excludedSubtrees, &excluded) : verdict;
  verdict = verdict == X509_V_OK ? CheckAddresses(certificate, permitted, excluded) : verdict;
  return verdict == X509_V_OK ? NAME_CONSTRAINTS_check(certificate, constraints.get()) : verdict;
}

}  // namespace

int CheckNameConstraints(const STACK_OF(X509) * path, size_t index) {
  int verdict = X509_V_OK;
  for (size_t i = sk_X509_num(path); verdict == X509_V_OK && i-- > index + 1;) {
    verdict = CheckBelow(sk_X509_value(path, index), sk_X509_value(path, i));
  }
  return verdict;
}

}  // namespace postern::tls
