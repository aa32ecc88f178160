#include "src/tls/crl_coverage.h"

#include <openssl/err.h>
#include <openssl/pool.h>
#include <openssl/x509.h>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "src/base/limits.h"
#include "src/base/time_text.h"
#include "src/tls/certificate_view.h"
#include "src/tls/key_rules.h"
#include "src/tls/name_text.h"
#include "src/tls/pem.h"

namespace postern::tls {
namespace {

std::string SubjectOf(const CertificateView& view) {
  const uint8_t* at = view.subject.data();
  bssl::UniquePtr<X509_NAME> name(
      d2i_X509_NAME(nullptr, &at, static_cast<long>(view.subject.size())));
  ERR_clear_error();
  return name == nullptr ? "" : NameText(name.get());
}

std::string HexOf(const KeyId& key) {
  return absl::AsciiStrToUpper(absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(key.bytes.data()), key.bytes.size())));
}

// What the lists of one key say together, as RevocationIndex does.
struct KeyLists {
  bool covers_leaves = false;
  bool covers_cas = false;
  int64_t first_next_update_s = INT64_MAX;
  std::vector<std::string> files;
  std::vector<std::string_view> names;
};

std::map<KeyId, KeyLists> ListsByKey(const RevocationIndex* index) {
  std::map<KeyId, KeyLists> by_key;
  if (index == nullptr) {
    return by_key;
  }
  for (const RevocationIndex::List& list : index->lists()) {
    KeyLists& lists = by_key[list.issuer_key];
    lists.covers_leaves |= list.covers_leaves;
    lists.covers_cas |= list.covers_cas;
    lists.first_next_update_s = std::min(lists.first_next_update_s, list.next_update_s);
    lists.files.push_back(list.name);
    lists.names.push_back(list.issuer);
  }
  return by_key;
}

Coverage CoverageBy(const KeyLists& lists) {
  if (lists.covers_leaves) {
    return lists.covers_cas ? Coverage::kFull : Coverage::kLeavesOnly;
  }
  return lists.covers_cas ? Coverage::kCasOnly : Coverage::kNone;
}

class Collector {
 public:
  explicit Collector(const RevocationIndex* index) : lists_(ListsByKey(index)) {}

  absl::Status Add(const NamedPem& file, bool is_anchor) {
    auto certificates = ParseCertificates(file.pem.view());
    if (!certificates.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(file.name, ": ", certificates.status().message()));
    }
    for (const auto& certificate : *certificates) {
      CertificateView view;
      if (ParseCertificateView(
              {CRYPTO_BUFFER_data(certificate.get()), CRYPTO_BUFFER_len(certificate.get())},
              &view)) {
        AddOne(file, is_anchor, view);
      }
    }
    return absl::OkStatus();
  }

  std::vector<CaCoverage> Take() { return std::move(found_); }

 private:
  void AddOne(const NamedPem& file, bool is_anchor, const CertificateView& view) {
    CaCoverage ca;
    const KeyId key = KeyIdOf(view.spki);
    ca.subject = SubjectOf(view);
    ca.key = HexOf(key);
    if (!known_.emplace(ca.subject, ca.key).second) {
      return;
    }
    ca.file = file.name;
    ca.is_anchor = is_anchor;
    const auto lists = lists_.find(key);
    if (lists != lists_.end()) {
      ca.coverage = CoverageBy(lists->second);
      ca.lists = lists->second.files;
      ca.first_next_update_s = lists->second.first_next_update_s;
      ca.of_other_names = std::none_of(
          lists->second.names.begin(), lists->second.names.end(), [&ca](std::string_view name) {
            return absl::EqualsIgnoreCase({name.data(), name.size()}, ca.subject);
          });
    }
    found_.push_back(std::move(ca));
  }

  std::map<KeyId, KeyLists> lists_;
  std::set<std::pair<std::string, std::string>> known_;
  std::vector<CaCoverage> found_;
};

std::string TimeOf(int64_t seconds) {
  const base::TimeText text(seconds * 1000);
  return absl::StrCat(std::string(text.view().substr(0, 19)), "Z");
}

// Why this CA can vouch for nobody; empty: it can.
std::string UselessBecause(X509* certificate, const CertificateView& view, bool is_anchor,
                           const config::TrustConfig& terms, int64_t now_s) {
  if (CheckKey(certificate, terms.rsa_bits_min) != Reason::kNone) {
    return absl::StrCat("its key is not accepted (RSA of ", terms.rsa_bits_min,
                        " to 8192 bits, P-256, P-384, P-521 or Ed25519)");
  }
  if (!is_anchor && CheckSignatureAlgorithm(certificate) != Reason::kNone) {
    return "it is signed with an algorithm that is not accepted (SHA-2 or Ed25519)";
  }
  if (now_s > view.not_after_s) {
    return absl::StrCat("it has expired at ", TimeOf(view.not_after_s));
  }
  if (now_s < view.not_before_s) {
    return absl::StrCat("it is not valid before ", TimeOf(view.not_before_s));
  }
  return "";
}

void AddUseless(const std::vector<NamedPem>& files, bool is_anchor,
                const config::TrustConfig& terms, int64_t now_s, std::vector<std::string>* out) {
  for (const NamedPem& file : files) {
    auto certificates = ParseCertificates(file.pem.view());
    if (!certificates.ok()) {
      continue;
    }
    for (const auto& buffer : *certificates) {
      CertificateView view;
      bssl::UniquePtr<X509> certificate(X509_parse_from_buffer(buffer.get()));
      if (certificate == nullptr ||
          !ParseCertificateView({CRYPTO_BUFFER_data(buffer.get()), CRYPTO_BUFFER_len(buffer.get())},
                                &view)) {
        continue;
      }
      const std::string why = UselessBecause(certificate.get(), view, is_anchor, terms, now_s);
      if (!why.empty()) {
        out->push_back(absl::StrCat(file.name, ": the CA ",
                                    NameText(X509_get_subject_name(certificate.get())),
                                    " can vouch for nobody: ", why));
      }
    }
  }
  ERR_clear_error();
}

// Names of which there are more CAs than a search asks (limits::kCandidateSignaturesMax).
void AddNamesakes(const std::vector<NamedPem>& files, std::vector<std::string>* out) {
  std::map<std::string, std::set<std::string>> keys;  // by name
  for (const NamedPem& file : files) {
    auto certificates = ParseCertificates(file.pem.view());
    for (size_t i = 0; certificates.ok() && i < certificates->size(); ++i) {
      const CRYPTO_BUFFER* buffer = (*certificates)[i].get();
      CertificateView view;
      if (!ParseCertificateView({CRYPTO_BUFFER_data(buffer), CRYPTO_BUFFER_len(buffer)}, &view)) {
        continue;
      }
      std::set<std::string>& of_name = keys[SubjectOf(view)];
      of_name.insert(HexOf(KeyIdOf(view.spki)));
      if (of_name.size() == base::limits::kCandidateSignaturesMax + 1) {
        out->push_back(absl::StrCat(
            file.name, ": more than ", base::limits::kCandidateSignaturesMax, " CAs have the name ",
            SubjectOf(view), ": for a client that does not say which key has signed it ",
            "(authorityKeyIdentifier) only the first ", base::limits::kCandidateSignaturesMax,
            " are sure to be asked"));
      }
    }
  }
}

}  // namespace

absl::StatusOr<std::vector<CaCoverage>> CoverageOf(const TrustInput& trust) {
  Collector collector(trust.revocation);
  for (const auto* files : {&trust.anchors, &trust.intermediates}) {
    for (const NamedPem& file : *files) {
      absl::Status status = collector.Add(file, files == &trust.anchors);
      if (!status.ok()) {
        return status;
      }
    }
  }
  return collector.Take();
}

bool IsCovered(const CaCoverage& ca, config::CrlScope scope) {
  return ca.coverage == Coverage::kFull ||
         (ca.coverage == Coverage::kLeavesOnly && scope == config::CrlScope::kLeaf);
}

std::vector<std::string> FindUselessCas(const TrustInput& trust, int64_t now_s) {
  std::vector<std::string> lines;
  AddNamesakes(trust.anchors, &lines);
  AddNamesakes(trust.intermediates, &lines);
  AddUseless(trust.anchors, true, trust.terms, now_s, &lines);
  AddUseless(trust.intermediates, false, trust.terms, now_s, &lines);
  return lines;
}

}  // namespace postern::tls
