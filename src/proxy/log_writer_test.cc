#include "src/proxy/log_writer.h"

#include <gtest/gtest.h>

#include <string>

namespace postern::proxy {
namespace {

class LogWriterTest : public ::testing::Test {
 protected:
  // As the helper does: takes one batch and gives it back.
  bool TakeBatch(std::string* text, LogKind* kind = nullptr) {
    LogBatch* batch = nullptr;
    if (!channel_.full.TryPop(&batch)) {
      return false;
    }
    text->assign(batch->bytes.data(), batch->size);
    if (kind != nullptr) {
      *kind = batch->kind;
    }
    EXPECT_TRUE(channel_.empty.TryPush(std::move(batch)));
    return true;
  }

  LogChannel channel_;
  LogWriter writer_{&channel_, config::Config{}};
  std::string text_;
};

TEST_F(LogWriterTest, NothingPending) {
  EXPECT_FALSE(writer_.pending());
  EXPECT_FALSE(writer_.Flush());
  EXPECT_FALSE(TakeBatch(&text_));
}

TEST_F(LogWriterTest, LinesInOrder) {
  EXPECT_TRUE(writer_.Append(LogKind::kAccess, "one\n"));
  EXPECT_TRUE(writer_.Append(LogKind::kAccess, "two\n"));
  EXPECT_TRUE(writer_.pending());
  EXPECT_FALSE(TakeBatch(&text_));
  EXPECT_TRUE(writer_.Flush());
  EXPECT_FALSE(writer_.pending());
  EXPECT_FALSE(writer_.Flush());
  ASSERT_TRUE(TakeBatch(&text_));
  EXPECT_EQ(text_, "one\ntwo\n");
}

TEST_F(LogWriterTest, KindsDoNotMix) {
  writer_.Append(LogKind::kError, "bad\n");
  writer_.Append(LogKind::kAccess, "good\n");
  writer_.Append(LogKind::kError, "worse\n");
  EXPECT_TRUE(writer_.Flush());
  std::array<std::string, 2> texts;
  LogKind kind;
  while (TakeBatch(&text_, &kind)) {
    texts[static_cast<size_t>(kind)] += text_;
  }
  EXPECT_EQ(texts[0], "good\n");
  EXPECT_EQ(texts[1], "bad\nworse\n");
}

TEST_F(LogWriterTest, FullBatchGoesByItself) {
  std::string line(1023, 'x');
  line += '\n';
  size_t lines = LogBatch::kBytesMax / line.size();
  for (size_t i = 0; i < lines; ++i) {
    EXPECT_TRUE(writer_.Append(LogKind::kAccess, line));
  }
  EXPECT_FALSE(TakeBatch(&text_));
  EXPECT_TRUE(writer_.Append(LogKind::kAccess, "next\n"));
  ASSERT_TRUE(TakeBatch(&text_));
  EXPECT_EQ(text_.size(), LogBatch::kBytesMax);
  writer_.Flush();
  ASSERT_TRUE(TakeBatch(&text_));
  EXPECT_EQ(text_, "next\n");
}

TEST_F(LogWriterTest, LineLargerThanABatchIsDropped) {
  EXPECT_FALSE(writer_.Append(LogKind::kAccess, std::string(LogBatch::kBytesMax + 1, 'x')));
  EXPECT_FALSE(writer_.pending());
  EXPECT_TRUE(writer_.Append(LogKind::kAccess, std::string(LogBatch::kBytesMax, 'x')));
  EXPECT_TRUE(writer_.Flush());
}

// The helper hangs: what fits is kept, the rest dropped; nothing waits. When it comes back all goes
// on, in order.
TEST_F(LogWriterTest, DropsWhenTheHelperHangs) {
  std::string line(LogBatch::kBytesMax / 2, 'x');
  size_t kept = 0;
  size_t dropped = 0;
  constexpr size_t kLines = 3 * LogChannel::kBatches;
  for (size_t i = 0; i < kLines; ++i) {
    line.front() = static_cast<char>('A' + kept % 26);
    ++(writer_.Append(LogKind::kAccess, line) ? kept : dropped);
  }
  EXPECT_EQ(kept, LogChannel::kBatches * 2);
  EXPECT_EQ(dropped, kLines - kept);
  EXPECT_FALSE(writer_.Append(LogKind::kError, "bad\n"));
  // No line waits here any more, but nobody has told the helper of those that have gone.
  EXPECT_TRUE(writer_.pending());
  EXPECT_TRUE(writer_.Flush());
  EXPECT_FALSE(writer_.pending());
  EXPECT_FALSE(writer_.Flush());
  size_t seen = 0;
  while (TakeBatch(&text_)) {
    EXPECT_EQ(text_[0], static_cast<char>('A' + seen % 26));
    seen += text_.size() / line.size();
  }
  EXPECT_EQ(seen, kept);
  EXPECT_TRUE(writer_.Append(LogKind::kAccess, "again\n"));
  EXPECT_TRUE(writer_.Append(LogKind::kError, "bad\n"));
  EXPECT_TRUE(writer_.Flush());
}

TEST_F(LogWriterTest, BatchesCircle) {
  for (int i = 0; i < 1000; ++i) {
    std::string line = std::to_string(i) + "\n";
    ASSERT_TRUE(writer_.Append(i % 3 == 0 ? LogKind::kError : LogKind::kAccess, line));
    ASSERT_TRUE(writer_.Flush());
    ASSERT_TRUE(TakeBatch(&text_));
    EXPECT_EQ(text_, line);
  }
}

}  // namespace
}  // namespace postern::proxy
