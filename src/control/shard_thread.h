// The thread of one shard.
#ifndef POSTERN_SRC_CONTROL_SHARD_THREAD_H_
#define POSTERN_SRC_CONTROL_SHARD_THREAD_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <thread>

#include "src/io/driver.h"
#include "src/proxy/log_writer.h"
#include "src/proxy/serving.h"
#include "src/shard/mailbox.h"
#include "src/shard/shard.h"

namespace postern::control {

// What it needs, and itself; made by the control thread before the thread starts.
struct ShardThread {
  std::unique_ptr<io::Driver> driver;
  proxy::Serving* serving = nullptr;
  proxy::LogChannel log;
  shard::Mailbox mailbox;
  std::thread thread;
};

// What the thread does until its shard has ended. `core`: the only one it runs on.
void RunShard(shard::Options options, std::optional<size_t> core);

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_SHARD_THREAD_H_
