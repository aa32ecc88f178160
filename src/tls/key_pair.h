// A certificate to present, with its key, as file contents: reading files is somebody else's work.
#ifndef POSTERN_SRC_TLS_KEY_PAIR_H_
#define POSTERN_SRC_TLS_KEY_PAIR_H_

#include <string>

#include "src/base/secret.h"

namespace postern::tls {

struct KeyPair {
  std::string certificate_pem;  // leaf first, then intermediates
  base::Secret key_pem;
  std::string certificate_name;  // for messages: the files' names
  std::string key_name;

  bool operator==(const KeyPair&) const = default;
};

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_KEY_PAIR_H_
