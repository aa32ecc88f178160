// Messages between the control thread and one shard: bounded atomic queues. io::Waker only wakes
// and carries nothing.
#ifndef POSTERN_SRC_SHARD_MAILBOX_H_
#define POSTERN_SRC_SHARD_MAILBOX_H_

#include <cstdint>
#include <memory>

#include "src/base/spsc_queue.h"
#include "src/shard/snapshot.h"

namespace postern::shard {

struct ToShard {
  enum class Kind : uint8_t {
    kNone,
    kDrain,     // stop accepting, finish what runs, then answer kDrained
    kStop,      // cut everything, then answer kDrained
    kSnapshot,  // fill `snapshot` and send it back
  };
  Kind kind = Kind::kNone;
  std::unique_ptr<Snapshot> snapshot;
};

struct ToControl {
  enum class Kind : uint8_t {
    kNone,
    kReady,    // accepting
    kDrained,  // nothing is left; the thread ends
    kSnapshot,
  };
  Kind kind = Kind::kNone;
  std::unique_ptr<Snapshot> snapshot;
};

struct Mailbox {
  base::SpscQueue<ToShard> to_shard{64};
  base::SpscQueue<ToControl> to_control{64};
};

}  // namespace postern::shard

#endif  // POSTERN_SRC_SHARD_MAILBOX_H_
