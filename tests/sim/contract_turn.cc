// The contract, part three: turns, deadlines, wakes, buffers, statistics.
#include <array>

#include "absl/status/statusor.h"
#include "tests/sim/driver_contract.h"

namespace postern::sim {
namespace {

using io::BufferClass;
using io::Operation;
using io::Status;

TEST_P(DriverContract, APastDeadlineDoesNotWait) {
  ContractNode* node = NewNode();
  std::array<io::Completion, 4> out;
  for (int64_t deadline_us : {int64_t{0}, node->driver->now().monotonic_us, int64_t{-1}}) {
    EXPECT_EQ(node->driver->Wait(out, deadline_us).completions, 0u);
  }
}

TEST_P(DriverContract, TimeGoesOnly) {
  ContractNode* node = NewNode();
  std::array<io::Completion, 4> out;
  int64_t last_us = node->driver->now().monotonic_us;
  EXPECT_GT(last_us, 0);
  EXPECT_GT(node->driver->now().wall_ms, 1'500'000'000'000);
  for (int i = 0; i < 20; ++i) {
    TurnAll();
    int64_t fresh_us = node->driver->MonotonicUs();
    EXPECT_GE(node->driver->now().monotonic_us, last_us);
    EXPECT_GE(fresh_us, node->driver->now().monotonic_us);
    auto turn = node->driver->Wait(out, 0);
    EXPECT_GE(turn.now.monotonic_us, fresh_us);
    EXPECT_EQ(turn.now.monotonic_us, node->driver->now().monotonic_us);
    EXPECT_EQ(turn.now.wall_ms, node->driver->now().wall_ms);
    last_us = turn.now.monotonic_us;
  }
}

TEST_P(DriverContract, AFutureDeadlineComes) {
  ContractNode* node = NewNode();
  int64_t deadline_us = node->driver->MonotonicUs() + 30'000;
  EXPECT_TRUE(TurnUntil([&] { return node->driver->now().monotonic_us >= deadline_us; }));
}

TEST_P(DriverContract, AWakeEndsTheNextWait) {
  ContractNode* node = NewNode();
  std::array<io::Completion, 4> out;
  for (int i = 0; i < 5; ++i) {
    // More than one before the Wait is as good as one. Without them this would hang, or run into
    // the test's limit.
    node->driver->waker()->Wake();
    node->driver->waker()->Wake();
    EXPECT_EQ(node->driver->Wait(out, base::kNever).completions, 0u);
  }
}

TEST_P(DriverContract, AWakeBeforeStartIsNotLost) {
  nodes_.push_back(std::make_unique<ContractNode>());
  nodes_.back()->driver = harness_->NewDriver(4, 4);
  io::Driver* driver = nodes_.back()->driver.get();
  driver->waker()->Wake();
  ASSERT_TRUE(driver->Start().ok());
  std::array<io::Completion, 4> out;
  EXPECT_EQ(driver->Wait(out, base::kNever).completions, 0u);
}

TEST_P(DriverContract, ListensBeforeStart) {
  nodes_.push_back(std::make_unique<ContractNode>());
  ContractNode* node = nodes_.back().get();
  node->driver = harness_->NewDriver(4, 4);
  io::ListenOptions options;
  options.address = *io::ParseHost("127.0.0.1", 0);
  auto socket = node->driver->Listen(options);
  ASSERT_TRUE(socket.ok());
  ASSERT_TRUE(node->driver->Start().ok());
  Listening listening{*socket, node->driver->LocalAddress(*socket),
                      node->NewToken(Operation::kAccept)};
  node->driver->SubmitAccept(*socket, listening.token);
  auto [near, far] = Connect(node, node, listening);
  node->driver->Close(near);
  node->driver->Close(far);
  StopListening(node, listening);
}

TEST_P(StreamContract, WithoutBuffersNothingIsReceivedAndNothingIsLost) {
  ContractNode* poor = NewNode(2, 2);
  io::Socket far = poor->driver->Adopt(server_->driver->Export(std::exchange(far_, io::Socket{})));
  uint64_t counted = poor->driver->stats().no_buffers;
  std::vector<io::Buffer> held;
  std::string received;
  std::string sent = "abc";
  for (size_t i = 0; i < sent.size(); ++i) {
    EXPECT_EQ(SendAll(client_, near_, sent.substr(i, 1)), Status::kOk);
    io::Token token = poor->NewToken(Operation::kReceive);
    poor->driver->SubmitReceive(far, BufferClass::kSmall, token);
    io::Completion completion = Expect(poor, token);
    if (i < 2) {
      ASSERT_EQ(completion.status, Status::kOk);
      held.push_back(completion.buffer);
      received.append(reinterpret_cast<char*>(completion.buffer.data), completion.buffer.size);
    } else {
      ASSERT_EQ(completion.status, Status::kNoBuffers);
      EXPECT_EQ(completion.buffer.data, nullptr);
    }
  }
  EXPECT_EQ(poor->driver->stats().no_buffers, counted + 1);
  // What is held stays as it is. The other pool is another pool.
  EXPECT_EQ(Receive(poor, far, 3, &received, BufferClass::kLarge), Status::kOk);
  EXPECT_EQ(held[0].data[0], 'a');
  EXPECT_EQ(held[1].data[0], 'b');
  for (const io::Buffer& buffer : held) {
    poor->driver->ReleaseBuffer(buffer);
  }
  EXPECT_EQ(SendAll(client_, near_, "d"), Status::kOk);
  EXPECT_EQ(Receive(poor, far, 4, &received), Status::kOk);
  EXPECT_EQ(received, "abcd");
  poor->driver->Close(far);
}

TEST_P(StreamContract, BuffersAreUsedAgainAndAgain) {
  std::string received;
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(SendAll(client_, near_, "z"), Status::kOk);
    auto buffer_class = i % 2 == 0 ? BufferClass::kSmall : BufferClass::kLarge;
    EXPECT_EQ(Receive(server_, far_, received.size() + 1, &received, buffer_class), Status::kOk);
  }
  EXPECT_EQ(received, std::string(200, 'z'));
}

TEST_P(StreamContract, CompletionsBeyondTheBatchComeLater) {
  std::array<std::pair<io::Socket, io::Socket>, 6> pairs;
  std::map<io::Token, int> seen;
  for (auto& pair : pairs) {
    pair = Connect(client_, server_, listening_);
    server_->driver->Close(pair.second);
  }
  Settle();
  for (auto& pair : pairs) {
    io::Token token = client_->NewToken(Operation::kReceive);
    seen[token] = 0;
    client_->driver->SubmitReceive(pair.first, BufferClass::kSmall, token);
  }
  auto done = [&] {
    io::Completion one;
    if (harness_->WaitBriefly(client_->driver.get(), {&one, 1}) == 1) {
      EXPECT_EQ(one.status, Status::kEndOfStream);
      ++seen[one.token];
    }
    size_t complete = 0;
    for (auto& [token, count] : seen) {
      complete += count == 1 ? 1u : 0u;
    }
    return complete == pairs.size();
  };
  bool all = false;
  for (size_t turn = 0; turn < harness_->turns_max() && !all; ++turn) {
    all = done();
  }
  EXPECT_TRUE(all);
  EXPECT_EQ(seen.size(), pairs.size());
  for (auto& pair : pairs) {
    client_->driver->Close(pair.first);
  }
}

TEST_P(StreamContract, NothingIsDeliveredBeforeAWait) {
  EXPECT_EQ(SendAll(client_, near_, "here"), Status::kOk);
  Settle();
  io::Token token = server_->NewToken(Operation::kReceive);
  server_->driver->SubmitReceive(far_, BufferClass::kSmall, token);
  server_->driver->Submit();
  EXPECT_EQ(server_->Count(token), 0u);
  io::Completion completion = Expect(server_, token);
  EXPECT_EQ(completion.status, Status::kOk);
  server_->driver->ReleaseBuffer(completion.buffer);
}

TEST_P(StreamContract, StatisticsCount) {
  io::Driver::Stats before = client_->driver->stats();
  EXPECT_EQ(SendAll(client_, near_, "counted"), Status::kOk);
  const io::Driver::Stats& after = client_->driver->stats();
  EXPECT_GT(after.waits, before.waits);
  EXPECT_GT(after.submissions, before.submissions);
  EXPECT_GT(after.completions, before.completions);
  EXPECT_EQ(after.no_buffers, before.no_buffers);
}

TEST_P(DriverContract, RandomBytesDiffer) {
  ContractNode* node = NewNode();
  std::array<uint8_t, 700> first = {};
  std::array<uint8_t, 700> second = {};
  node->driver->RandomBytes(first);
  node->driver->RandomBytes(second);
  EXPECT_NE(first, second);
  // No part was left out.
  for (size_t at = 0; at < first.size(); at += 50) {
    bool all_zero = true;
    for (size_t i = at; i < at + 50; ++i) {
      all_zero = all_zero && first[i] == 0;
    }
    EXPECT_FALSE(all_zero) << at;
  }
}

}  // namespace
}  // namespace postern::sim
