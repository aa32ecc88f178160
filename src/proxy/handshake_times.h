// Where the time of completed handshakes went, on one shard.
#ifndef POSTERN_SRC_PROXY_HANDSHAKE_TIMES_H_
#define POSTERN_SRC_PROXY_HANDSHAKE_TIMES_H_

#include "src/base/histogram.h"

namespace postern::proxy {

struct HandshakeTimes {
  // From accept to the end of the handshake, without the two below: the client, its network, and
  // waiting for this shard.
  base::Histogram network{base::Histogram::kCoarse};
  // The step that answers the hello: key agreement and, unless it resumes, our signature.
  base::Histogram sign{base::Histogram::kCoarse};
  // The steps after it: the client's chain and its proof of possession.
  base::Histogram verify{base::Histogram::kCoarse};
};

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_HANDSHAKE_TIMES_H_
