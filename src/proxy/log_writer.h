// Log lines of one shard on their way to the log thread, in bounded batches. A shard never waits
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
#include "src/config/config.h"

namespace postern::proxy {

enum class LogKind : uint8_t { kAccess, kError, kRefusal };
inline constexpr size_t kLogKinds = 3;

struct LogBatch {
  static constexpr size_t kBytesMax = 64 * 1024;
  LogKind kind = LogKind::kAccess;
  size_t size = 0;
  std::array<char, kBytesMax> bytes;
};

// The batches of one shard and the two queues they circle in. Made before the threads start; the
// shard's end is LogWriter, the log thread pops `full` and pushes what it has written to
// `empty`. At full load they are about a second's lines, for whatever else the cores have to do, or
// the disk; what was never filled is no memory.
struct LogChannel {
  static constexpr size_t kBatches = 64;
  LogChannel();
  std::vector<std::unique_ptr<LogBatch>> batches;
  base::SpscQueue<LogBatch*> full{kBatches * 2};
  base::SpscQueue<LogBatch*> empty{kBatches * 2};
};

class LogWriter {
 public:
  // Wants what `config` gives a place, and of messages what its level lets through.
  LogWriter(LogChannel* channel, const config::Config& config);

  // To be asked before a line is made.
  bool WantsAccess() const { return access_; }
  bool WantsRefusals() const {
    return refusals_apart_ ? refusals_ : Wants(config::LogLevel::kInfo);
  }
  bool Wants(config::LogLevel level) const { return errors_ && level <= level_; }
  config::LogLevel level() const { return level_; }
  void set_level(config::LogLevel level) { level_ = level; }

  // Appends one line, its newline included. False when it had to be dropped.
  bool Append(LogKind kind, std::string_view line);
  // Whether lines wait to be handed over, or have been and nobody was told. A full batch goes by
  // itself.
  bool pending() const;
  // Hands over what has been written. True if there was anything since the last time: the log
  // thread wants waking.
  bool Flush();

 private:
  LogChannel* channel_;
  std::array<LogBatch*, kLogKinds> current_ = {};
  bool access_;
  bool errors_;
  bool refusals_;
  bool refusals_apart_;  // not among the errors
  config::LogLevel level_;
  bool handed_over_ = false;  // a batch, since the last Flush
};

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_LOG_WRITER_H_
