// What may stand in a file that an operator gives: every object in it is used, or refused, or named
// in a warning.
#ifndef POSTERN_SRC_TLS_PEM_USE_H_
#define POSTERN_SRC_TLS_PEM_USE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/status_fwd.h"

namespace postern::tls {

// What a file is given for.
enum class PemUse : uint8_t {
  kClientCas,       // anchors or intermediates: certificates, and lists of theirs
  kServerCas,       // certificates
  kCertificate,     // ours: a chain
  kKey,             // its key
  kPair,            // both in one file
  kRevocationList,  // lists
};

struct PemContents {
  bool has_certificates = false;
  bool has_lists = false;
};

// Refuses what would change who is trusted and is not read here; the error names the line and says
// what to do. What is harmless gives one line a kind in `unused`: which, where, and what to do. A
// file in DER is one object, and for its reader to judge.
absl::StatusOr<PemContents> CheckPem(std::string_view text, PemUse use,
                                     std::vector<std::string>* unused);

// Takes everything but certificates out of a file, overwrites it, and leaves the lines where they
// are: neither a list nor a key is kept for as long as the certificates beside it.
void KeepCertificates(std::string* text);

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_PEM_USE_H_
