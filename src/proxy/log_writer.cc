#include "src/proxy/log_writer.h"

#include <algorithm>
#include <utility>

#include "src/base/check.h"

namespace postern::proxy {

LogChannel::LogChannel() {
  for (size_t i = 0; i < kBatches; ++i) {
    batches.push_back(std::make_unique_for_overwrite<LogBatch>());
    CHECK(empty.TryPush(batches.back().get()));
  }
}

LogWriter::LogWriter(LogChannel* channel, const config::Config& config)
    : channel_(channel),
      access_(!config.access_log.empty()),
      errors_(!config.error_log.empty()),
      refusals_(!config.refusal_log.empty()),
      refusals_apart_(config.refusal_log != config::kInErrorLog),
      level_(config.log_level) {}

bool LogWriter::pending() const {
  return handed_over_ || std::any_of(current_.begin(), current_.end(),
                                     [](const LogBatch* batch) { return batch != nullptr; });
}

bool LogWriter::Append(LogKind kind, std::string_view line) {
  LogBatch*& batch = current_[static_cast<size_t>(kind)];
  if (batch != nullptr && line.size() > LogBatch::kBytesMax - batch->size) {
    CHECK(channel_->full.TryPush(std::move(batch)));  // holds every batch there is
    batch = nullptr;
    handed_over_ = true;
  }
  if (batch == nullptr) {
    if (line.size() > LogBatch::kBytesMax || !channel_->empty.TryPop(&batch)) {
      return false;
    }
    batch->kind = kind;
    batch->size = 0;
  }
  std::copy(line.begin(), line.end(), batch->bytes.begin() + static_cast<ptrdiff_t>(batch->size));
  batch->size += line.size();
  return true;
}

bool LogWriter::Flush() {
  bool flushed = std::exchange(handed_over_, false);
  for (LogBatch*& batch : current_) {
    if (batch != nullptr) {
      CHECK(channel_->full.TryPush(std::move(batch)));
      batch = nullptr;
      flushed = true;
    }
  }
  return flushed;
}

}  // namespace postern::proxy
