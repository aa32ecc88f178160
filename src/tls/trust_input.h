// What vouches for clients, as file contents: reading files is somebody else's work.
#ifndef POSTERN_SRC_TLS_TRUST_INPUT_H_
#define POSTERN_SRC_TLS_TRUST_INPUT_H_

#include <string>
#include <vector>

#include "src/config/config.h"
#include "src/tls/revocation.h"
#include "src/tls/shared_text.h"

namespace postern::tls {

struct NamedPem {
  std::string name;  // for messages: the file's
  SharedText pem;

  bool operator==(const NamedPem&) const = default;
};

struct TrustInput {
  std::vector<NamedPem> anchors;
  std::vector<NamedPem> intermediates;  // help to build paths; trusted for nothing
  // What has been taken back; null: nothing. Outlives whatever is built from this.
  const RevocationIndex* revocation = nullptr;
  config::TrustConfig terms;  // all but the files
};

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_TRUST_INPUT_H_
