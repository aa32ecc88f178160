// Which certificates a configuration uses, and until when, and which CAs have a revocation list:
// collected once, when it is loaded.
#ifndef POSTERN_SRC_CONTROL_CERTIFICATE_LIST_H_
#define POSTERN_SRC_CONTROL_CERTIFICATE_LIST_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/tls/client_context.h"
#include "src/tls/context.h"
#include "src/tls/crl_coverage.h"

namespace postern::control {

// The certificates of a configuration. Of a great many, those that expire first.
struct CertificateList {
  static constexpr size_t kSizeMax = 512;
  struct Entry {
    std::string_view role;  // a literal: "server", "client_ca", "upstream", ...
    std::string file;
    std::string subject;  // RFC 2253 text
    int64_t not_after_s = 0;
    int64_t not_before_s = 0;
  };
  std::vector<Entry> certificates;
  size_t left_out = 0;  // that were more than kSizeMax
};

// Which CAs of each trust have a revocation list. Of a great many, those that have none first.
struct CoverageList {
  static constexpr size_t kSizeMax = 512;
  struct Entry {
    std::string listener;
    std::string host;  // a TLS host's name; empty: the listener's own terms
    bool is_candidate = false;
    bool is_covered = false;
    tls::CaCoverage ca;
  };
  std::vector<Entry> entries;
  size_t left_out = 0;  // that were more than kSizeMax

  // Keeps no more than it may have to; counts the others.
  void Add(const std::string& listener, const std::string& host, bool is_candidate, bool is_covered,
           const tls::CaCoverage& ca);
  // Sorts and cuts.
  void Finish();

 private:
  size_t kept_covered_ = 0;
  size_t kept_uncovered_ = 0;
};

// Sorted by expiry, the first to expire first; each file once for each role.
CertificateList ListCertificates(
    const std::vector<tls::ContextInput>& contexts,
    const std::vector<std::optional<tls::ClientContextInput>>& upstream_tls);

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_CERTIFICATE_LIST_H_
