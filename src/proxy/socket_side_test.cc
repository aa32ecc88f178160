// One side's bookkeeping against a fake driver: what is armed, kept, sent again, given back.
#include "src/proxy/socket_side.h"

#include <gtest/gtest.h>

#include "src/proxy/fake_driver_test_util.h"

namespace postern::proxy {
namespace {

class SocketSideTest : public ::testing::Test {
 protected:
  SocketSideTest() {
    env_->driver = &driver_;
    env_->blocks = &blocks_;
    env_->now = driver_.time;
    socket_ = driver_.Accepted({});
    side_ =
        std::make_unique<SocketSide>(env_.get(), Owner::kDownstream, base::SlabId{1, 1}, socket_);
  }
  ~SocketSideTest() override {
    side_->CancelAll();
    Turn();
    side_->DropInput();
    side_->output().Clear();
    side_->Close();
    side_.reset();
    EXPECT_EQ(blocks_.used_bytes(), 0u);
  }

  FakeSocket& peer() { return driver_.Of(socket_); }
  // One Wait; the completions are handed over.
  size_t Turn() {
    std::array<io::Completion, 4> completions;
    io::Driver::Turn turn = driver_.Wait(completions, 0);
    env_->now = turn.now;
    for (size_t i = 0; i < turn.completions; ++i) {
      bool receive = io::OperationOf(completions[i].token) == io::Operation::kReceive;
      receive ? side_->OnReceive(completions[i]) : side_->OnSend(completions[i]);
    }
    return turn.completions;
  }
  std::string Input() {
    std::span<const uint8_t> input = side_->input();
    return std::string(reinterpret_cast<const char*>(input.data()), input.size());
  }

  FakeDriver driver_;
  base::Arena arena_{size_t{64} << 20};
  base::BlockPool blocks_{&arena_};
  std::unique_ptr<Env> env_ = std::make_unique<Env>();
  io::Socket socket_;
  std::unique_ptr<SocketSide> side_;
};

TEST_F(SocketSideTest, ReceiveAndTake) {
  EXPECT_FALSE(side_->has_input());
  side_->ArmReceive();
  side_->ArmReceive();  // harmless
  EXPECT_TRUE(side_->receiving());
  EXPECT_EQ(Turn(), 0u);
  peer().inbound = "hello world";
  EXPECT_EQ(Turn(), 1u);
  EXPECT_FALSE(side_->receiving());
  EXPECT_EQ(Input(), "hello world");
  EXPECT_EQ(side_->bytes_in(), 11u);
  side_->ArmReceive();  // one buffer at a time
  EXPECT_FALSE(side_->receiving());
  side_->Take(6);
  EXPECT_EQ(Input(), "world");
  EXPECT_EQ(driver_.lent(), 1u);
  side_->Take(5);
  EXPECT_FALSE(side_->has_input());
  EXPECT_EQ(driver_.lent(), 0u);
}

// What nobody takes leaves its buffer, and is all there afterwards, in pieces.
TEST_F(SocketSideTest, Park) {
  side_->set_receive_class(io::BufferClass::kLarge);
  side_->ArmReceive();
  std::string sent;
  for (int i = 0; i < 100'000; ++i) {
    sent += static_cast<char>('a' + i % 26);
  }
  peer().inbound = sent;
  Turn();
  side_->Take(3);
  side_->Park();
  side_->Park();  // harmless
  EXPECT_EQ(driver_.lent(), 0u);
  EXPECT_TRUE(side_->has_input());
  side_->ArmReceive();
  EXPECT_FALSE(side_->receiving()) << "first what is there";
  EXPECT_EQ(env_->counters.buffers_held, 0u);
  std::string taken;
  size_t pieces = 0;
  for (; side_->has_input(); ++pieces) {
    taken += Input();
    side_->Take(side_->input().size());
  }
  EXPECT_EQ(taken, sent.substr(3));
  EXPECT_GT(pieces, 1u);
  EXPECT_EQ(blocks_.used_bytes(), 0u);
  side_->ArmReceive();
  EXPECT_TRUE(side_->receiving());
}

TEST_F(SocketSideTest, BulkAsksForLargeBuffers) {
  peer().inbound.assign(200'000, 'x');
  side_->ArmReceive();
  Turn();
  EXPECT_EQ(side_->input().size(), 4096u);
  side_->DropInput();
  side_->ArmReceive();
  Turn();
  EXPECT_EQ(side_->input().size(), 128u * 1024);
  side_->DropInput();
  peer().inbound.assign(100, 'x');
  side_->ArmReceive();
  Turn();
  side_->DropInput();
  peer().inbound.assign(100'000, 'x');
  side_->ArmReceive();
  Turn();
  EXPECT_EQ(side_->input().size(), 4096u);
}

TEST_F(SocketSideTest, EndOfStream) {
  peer().inbound = "last";
  peer().inbound_end = true;
  side_->ArmReceive();
  Turn();
  EXPECT_FALSE(side_->peer_ended());
  side_->Take(4);
  side_->ArmReceive();
  Turn();
  EXPECT_TRUE(side_->peer_ended());
  EXPECT_FALSE(side_->broken());
  side_->ArmReceive();  // nothing more can come
  EXPECT_FALSE(side_->receiving());
}

TEST_F(SocketSideTest, Reset) {
  peer().reset = true;
  side_->ArmReceive();
  side_->output().Append(std::string_view("x"));
  side_->ArmSend();
  Turn();
  EXPECT_TRUE(side_->broken());
  side_->ArmReceive();
  side_->ArmSend();
  EXPECT_FALSE(side_->in_flight());
}

TEST_F(SocketSideTest, Starvation) {
  driver_.buffers_max = 0;
  peer().inbound = "x";
  side_->ArmReceive();
  Turn();
  EXPECT_TRUE(side_->starved());
  EXPECT_FALSE(side_->broken());
  side_->ArmReceive();
  EXPECT_FALSE(side_->receiving());
  driver_.buffers_max = 1;
  side_->clear_starved();
  side_->ArmReceive();
  Turn();
  EXPECT_EQ(Input(), "x");
}

TEST_F(SocketSideTest, Cancel) {
  peer().send_max = 0;
  side_->output().Append(std::string_view("x"));
  side_->ArmReceive();
  side_->ArmSend();
  side_->CancelAll();
  EXPECT_TRUE(side_->in_flight());  // until the completions
  EXPECT_EQ(Turn(), 2u);
  EXPECT_FALSE(side_->in_flight());
  EXPECT_FALSE(side_->broken());
  EXPECT_EQ(side_->queued(), 1u);
}

TEST_F(SocketSideTest, PartialSends) {
  std::string text(100'000, '\0');
  for (size_t i = 0; i < text.size(); ++i) {
    text[i] = static_cast<char>(i * 7 + i / 251);
  }
  side_->output().Append(text);
  peer().send_max = 977;
  int64_t start_ms = side_->send_progress_ms();
  while (side_->queued() > 0) {
    side_->ArmSend();
    side_->ArmSend();
    driver_.time.monotonic_us += 1000;
    ASSERT_EQ(Turn(), 1u);
    EXPECT_GT(side_->send_progress_ms(), start_ms);
  }
  EXPECT_EQ(peer().sent, text);
  EXPECT_EQ(side_->bytes_out(), text.size());
  side_->ArmSend();
  EXPECT_FALSE(side_->sending());
  EXPECT_EQ(blocks_.used_bytes(), 0u);
}

TEST_F(SocketSideTest, AppendDuringASend) {
  peer().send_max = 0;
  side_->output().Append(std::string_view("one "));
  side_->ArmSend();
  Turn();
  for (int i = 0; i < 1000; ++i) {
    side_->output().Append(std::string_view("more "));
  }
  peer().send_max = SIZE_MAX;
  Turn();  // the fake checks that the bytes stayed in place
  EXPECT_EQ(peer().sent, "one ");
  EXPECT_EQ(side_->queued(), 5000u);
}

TEST_F(SocketSideTest, FailedSendKeepsItsBytes) {
  side_->output().Append(std::string_view("x"));
  peer().reset = true;
  side_->ArmSend();
  Turn();
  EXPECT_TRUE(side_->broken());
  EXPECT_EQ(side_->queued(), 1u);
  EXPECT_EQ(side_->bytes_out(), 0u);
}

}  // namespace
}  // namespace postern::proxy
