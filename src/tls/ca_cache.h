// The CAs that one shard's contexts trust, while they are made: a file is parsed once, and a set of
// files indexed once, whatever number of listeners, names and groups trust it.
#ifndef POSTERN_SRC_TLS_CA_CACHE_H_
#define POSTERN_SRC_TLS_CA_CACHE_H_

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "src/base/status_fwd.h"
#include "src/tls/trust_input.h"

namespace postern::tls {

class TrustedCas;

class CaCache {
 public:
  CaCache();
  ~CaCache();

  // Certificates that come twice count once. Files are the same if their texts are one object.
  // Errors name the file. What is returned belongs to the shard: not to be shared with another.
  absl::StatusOr<std::shared_ptr<const TrustedCas>> Get(std::span<const NamedPem> anchors,
                                                        std::span<const NamedPem> intermediates);

 private:
  class Files;

  std::unique_ptr<Files> files_;
  // By the ids of the anchors' texts, null, and those of the intermediates'.
  std::map<std::vector<const void*>, std::shared_ptr<const TrustedCas>> sets_;
};

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_CA_CACHE_H_
