// Log lines of one shard on their way to the helper thread, in bounded batches. A shard never waits
// for a disk: when no empty batch is left, lines are dropped and counted.
#ifndef POSTERN_SRC_PROXY_LOG_WRITER_H_
#define POSTERN_SRC_PROXY_LOG_WRITER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "src/base/spsc_queue.h"

namespace postern::proxy {

enum class LogKind : uint8_t { kAccess, kError };

struct LogBatch {
  static constexpr size_t kBytesMax = 64 * 1024;
  LogKind kind = LogKind::kAccess;
  size_t size = 0;
  std::array<char, kBytesMax> bytes;
};

// The batches of one shard and the two queues they circle in. Made before the threads start; the
// shard's end is LogWriter, the helper thread pops `full` and pushes what it has written to
// `empty`.
struct LogChannel {
  static constexpr size_t kBatches = 16;
  LogChannel();
  std::vector<std::unique_ptr<LogBatch>> batches;
  base::SpscQueue<LogBatch*> full{kBatches * 2};
  base::SpscQueue<LogBatch*> empty{kBatches * 2};
};

class LogWriter {
 public:
  explicit LogWriter(LogChannel* channel) : channel_(channel) {}

  // Appends one line, its newline included. False when it had to be dropped.
  bool Append(LogKind kind, std::string_view line);
  // Whether lines wait to be handed over. A full batch goes by itself.
  bool pending() const { return current_[0] != nullptr || current_[1] != nullptr; }
  // Hands over what has been written. True if there was anything: the helper wants waking.
  bool Flush();

 private:
  LogChannel* channel_;
  std::array<LogBatch*, 2> current_ = {};
};

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_LOG_WRITER_H_
