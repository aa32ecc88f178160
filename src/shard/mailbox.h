// Messages between the control thread and one shard: bounded atomic queues. io::Waker only wakes
// and carries nothing.
#ifndef POSTERN_SRC_SHARD_MAILBOX_H_
#define POSTERN_SRC_SHARD_MAILBOX_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "src/base/spsc_queue.h"
#include "src/config/log_level.h"
#include "src/proxy/serving.h"
#include "src/shard/snapshot.h"

namespace postern::shard {

struct ToShard {
  enum class Kind : uint8_t {
    kNone,
    kDrain,     // stop accepting, finish what runs, then answer kDrained
    kStop,      // cut everything, then answer kDrained
    kSnapshot,  // log by `log_level` from now on; fill `snapshot` and send it back
    kExport,    // answer kExported
    // A new generation, in two steps, so that all shards take it or none does.
    kPrepare,  // open the sockets that `serving` needs, then answer kPrepared; nothing else changes
    kCommit,   // serve by what was prepared from now on, then answer kCommitted
    kAbort,    // forget what was prepared, then answer kAborted
  };
  Kind kind = Kind::kNone;
  std::unique_ptr<Snapshot> snapshot;
  config::LogLevel log_level = config::LogLevel::kInfo;
  proxy::Serving* serving = nullptr;  // the sender's; borrowed until kAborted or kReleased
  // kPrepare: where listeners of port 0 really listen, by index; 0: not known yet.
  std::vector<uint16_t> ports;
};

// One listening socket, for another process.
struct ExportedSocket {
  std::string name;  // of the listener
  std::string address;
  uint16_t port = 0;  // that it really has
  int descriptor = -1;
};

struct ToControl {
  enum class Kind : uint8_t {
    kNone,
    kReady,    // accepting
    kDrained,  // nothing is left; the thread ends
    kSnapshot,
    kExported,   // `sockets`
    kPrepared,   // `status`, and `ports`
    kCommitted,  // no request of a client that is no longer trusted is forwarded from here on
    kAborted,
    kReleased,  // nothing points into the generation any more
  };
  Kind kind = Kind::kNone;
  std::unique_ptr<Snapshot> snapshot;
  uint64_t generation = 0;
  absl::Status status;
  std::vector<uint16_t> ports;
  std::vector<ExportedSocket> sockets;  // duplicates; the receiver's
};

struct Mailbox {
  base::SpscQueue<ToShard> to_shard{64};
  base::SpscQueue<ToControl> to_control{64};
};

}  // namespace postern::shard

#endif  // POSTERN_SRC_SHARD_MAILBOX_H_
