// Which of the CAs that are known from files have a revocation list of their own, and which of them
// can vouch for nobody. Control plane.
#ifndef POSTERN_SRC_TLS_CRL_COVERAGE_H_
#define POSTERN_SRC_TLS_CRL_COVERAGE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "src/base/status_fwd.h"
#include "src/tls/trust_input.h"

namespace postern::tls {

// Whether lists tell of all that a CA has issued.
enum class Coverage : uint8_t {
  kNone,        // no list is signed with its key
  kLeavesOnly,  // but not of the CAs below it
  kCasOnly,     // but not of the clients below it
  kFull,
};

// One CA: a name and a key. Two of one name have two lists, and so have a CA's old and new key.
struct CaCoverage {
  std::string subject = {};  // RFC 2253 text
  std::string key = {};      // upper-case hex of its KeyId
  std::string file = {};     // where it was found first
  bool is_anchor = false;
  Coverage coverage = Coverage::kNone;
  std::vector<std::string> lists = {};  // their files
  // The key has other names too, and the lists are all of those: they speak for this one as well
  // (revocation.h), but its own may be missing.
  bool of_other_names = false;
  int64_t first_next_update_s = 0;  // of these; 0: one does not say, or there is none
};

// Every CA of the trust's files, once, in their order. Work grows with the bytes of the files and
// the number of lists. Errors name the file.
absl::StatusOr<std::vector<CaCoverage>> CoverageOf(const TrustInput& trust);

// Whether what the terms ask about is told of: with scope "leaf" nobody asks about CAs.
bool IsCovered(const CaCoverage& ca, config::CrlScope scope);

// One line for each CA of these files that can vouch for nobody: its key, or the signature of one
// that is no anchor, is not accepted, or its time is not now; and for each name that more anchors
// have than are asked. Files that cannot be read give none.
std::vector<std::string> FindUselessCas(const TrustInput& trust, int64_t now_s);

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_CRL_COVERAGE_H_
