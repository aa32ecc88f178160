// What the simulated driver does beyond the contract (driver_contract.h): faults, and what it does
// not let pass.
#include "tests/sim/sim_driver.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/sim/sim_peer.h"

namespace postern::sim {
namespace {

using io::BufferClass;
using io::Operation;
using io::Status;

constexpr int64_t kSecondUs = 1'000'000;

class SimDriverTest : public testing::Test {
 protected:
  void SetUp() override { Restart(1, Faults::None()); }
  void TearDown() override {
    driver_.reset();
    world_.reset();
  }

  void Restart(uint64_t seed, const Faults& faults, SimDriverOptions options = {}) {
    driver_.reset();
    world_ = std::make_unique<World>(seed, faults);
    driver_ = std::make_unique<SimDriver>(world_.get(), options);
    ASSERT_TRUE(driver_->Start().ok());
    completions_.clear();
    listener_ = *driver_->Listen({.address = *io::ParseHost("192.0.2.1", 443)});
    driver_->SubmitAccept(listener_, kAccept);
  }

  void Turn() {
    world_->RunFor(200);
    std::array<io::Completion, 16> out;
    size_t count = driver_->Wait(out, 0).completions;
    for (size_t i = 0; i < count; ++i) {
      completions_.emplace(out[i].token, out[i]);
    }
  }
  bool Has(io::Token token) { return completions_.contains(token); }
  io::Completion Expect(io::Token token) {
    for (int turn = 0; turn < 10'000 && !Has(token); ++turn) {
      Turn();
    }
    auto found = completions_.find(token);
    if (found == completions_.end()) {
      ADD_FAILURE() << "nothing came";
      return {};
    }
    io::Completion completion = found->second;
    completions_.erase(found);
    return completion;
  }
  io::Socket Accept(SimStream* client) {
    client->Connect(driver_->LocalAddress(listener_));
    return Expect(kAccept).socket;
  }
  static io::Token Token(Operation operation, uint32_t life) {
    return io::MakeToken(operation, 2, {1, life});
  }

  static constexpr io::Token kAccept = io::MakeToken(Operation::kAccept, 1, {1, 1});
  std::unique_ptr<World> world_;
  std::unique_ptr<SimDriver> driver_;
  std::multimap<io::Token, io::Completion> completions_;
  io::Socket listener_;
};
using SimDriverDeathTest = SimDriverTest;

TEST_F(SimDriverTest, OperationsWaitForSubmitOrWait) {
  SimStream client(world_.get());
  io::Socket socket = Accept(&client);
  std::array<uint8_t, 3> bytes = {1, 2, 3};
  std::span<const uint8_t> span(bytes);
  driver_->SubmitSend(socket, {&span, 1}, Token(Operation::kSend, 1));
  world_->RunFor(kSecondUs);
  EXPECT_EQ(client.received().size(), 0u);
  driver_->Submit();
  world_->RunFor(kSecondUs);
  EXPECT_EQ(client.received().size(), 3u);
  EXPECT_FALSE(Has(Token(Operation::kSend, 1)));
  EXPECT_EQ(Expect(Token(Operation::kSend, 1)).bytes, 3u);
  driver_->Close(socket);
}

TEST_F(SimDriverTest, ResetsAreToldOnce) {
  SimStream client(world_.get());
  io::Socket socket = Accept(&client);
  client.Reset();
  world_->RunFor(kSecondUs);
  driver_->SubmitReceive(socket, BufferClass::kSmall, Token(Operation::kReceive, 1));
  EXPECT_EQ(Expect(Token(Operation::kReceive, 1)).status, Status::kReset);
  // As in Linux: who asks after that sees an ordinary end.
  driver_->SubmitReceive(socket, BufferClass::kSmall, Token(Operation::kReceive, 2));
  EXPECT_EQ(Expect(Token(Operation::kReceive, 2)).status, Status::kEndOfStream);
  EXPECT_EQ(driver_->PeerAddress(socket), io::Address{});
  driver_->Close(socket);
}

TEST_F(SimDriverTest, AVanishedPeerSaysNothingUntilTcpGivesUp) {
  SimStream client(world_.get());
  io::Socket socket = Accept(&client);
  client.Vanish();
  driver_->SubmitReceive(socket, BufferClass::kSmall, Token(Operation::kReceive, 1));
  driver_->Submit();
  world_->RunFor(3600 * kSecondUs);
  Turn();
  EXPECT_FALSE(Has(Token(Operation::kReceive, 1))) << "nothing was sent, so nothing is missed";
  std::array<uint8_t, 3> bytes = {1, 2, 3};
  std::span<const uint8_t> span(bytes);
  driver_->SubmitSend(socket, {&span, 1}, Token(Operation::kSend, 1));
  EXPECT_EQ(Expect(Token(Operation::kSend, 1)).status, Status::kOk);
  world_->RunFor(600 * kSecondUs);
  Turn();
  EXPECT_FALSE(Has(Token(Operation::kReceive, 1)));
  world_->RunFor(600 * kSecondUs);
  EXPECT_EQ(Expect(Token(Operation::kReceive, 1)).status, Status::kTimedOut);
  driver_->Close(socket);
}

TEST_F(SimDriverTest, ADyingProcessIsNoticedByItsPeers) {
  SimStream client(world_.get());
  Accept(&client);
  driver_->Die(false);
  world_->RunFor(kSecondUs);
  EXPECT_TRUE(client.ended());
  SimStream late(world_.get());
  late.Connect(*io::ParseHost("192.0.2.1", 443));
  world_->RunFor(kSecondUs);
  EXPECT_EQ(late.status(), Status::kRefused);
}

TEST_F(SimDriverTest, DescriptorsRunOut) {
  SimDriverOptions options;
  options.sockets_max = 2;
  Restart(1, Faults::None(), options);
  SimStream first(world_.get());
  SimStream second(world_.get());
  io::Socket socket = Accept(&first);
  io::Completion end = Expect(kAccept);
  EXPECT_EQ(end.status, Status::kNoDescriptors);
  EXPECT_FALSE(end.more);
  io::Socket none;
  EXPECT_EQ(driver_->Open(false, &none), Status::kNoDescriptors);
  second.Connect(driver_->LocalAddress(listener_));
  world_->RunFor(kSecondUs);
  EXPECT_TRUE(second.open()) << "it waits in the backlog";
  driver_->Close(socket);
  driver_->SubmitAccept(listener_, kAccept);
  EXPECT_EQ(Expect(kAccept).status, Status::kOk);
}

TEST_F(SimDriverTest, AFullBacklogMakesClientsWait) {
  World world(1);
  SimDriver driver(&world);
  ASSERT_TRUE(driver.Start().ok());
  io::ListenOptions options;
  options.address = *io::ParseHost("192.0.2.1", 443);
  options.backlog = 1;
  io::Socket listener = *driver.Listen(options);
  SimStream first(&world);
  SimStream second(&world);
  first.Connect(driver.LocalAddress(listener));
  second.Connect(driver.LocalAddress(listener));
  world.RunFor(kSecondUs / 2);
  EXPECT_EQ(first.open() + second.open(), 1);
  world.RunFor(200 * kSecondUs);
  EXPECT_EQ(first.status() == Status::kTimedOut || second.status() == Status::kTimedOut, true);
}

TEST_F(SimDriverTest, LateCancelsMayStillBringData) {
  size_t data = 0;
  size_t cancelled = 0;
  Faults faults = Faults::None();
  faults.late_cancel = 0.5;
  for (uint64_t seed : Seeds(60)) {
    Restart(seed, faults);
    SimStream client(world_.get());
    io::Socket socket = Accept(&client);
    client.Write("data");
    driver_->SubmitReceive(socket, BufferClass::kSmall, Token(Operation::kReceive, 1));
    driver_->Submit();
    driver_->SubmitCancel(Token(Operation::kReceive, 1));
    driver_->Submit();
    io::Completion completion = Expect(Token(Operation::kReceive, 1));
    data += completion.status == Status::kOk ? 1u : 0u;
    cancelled += completion.status == Status::kCancelled ? 1u : 0u;
    if (completion.status == Status::kOk) {
      driver_->ReleaseBuffer(completion.buffer);
    }
    driver_->Close(socket);
  }
  if (Seeds(60).size() > 1) {
    EXPECT_GT(data, 0u);
    EXPECT_GT(cancelled, 0u);
  }
}

TEST_F(SimDriverTest, CompletionsOfAnInstantComeInDrawnOrder) {
  std::vector<std::string> orders;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Restart(seed, Faults::None());
    std::vector<std::unique_ptr<SimStream>> clients;
    std::vector<io::Socket> sockets;
    for (uint32_t i = 1; i <= 4; ++i) {
      clients.push_back(std::make_unique<SimStream>(world_.get()));
      sockets.push_back(Accept(clients.back().get()));
      driver_->SubmitReceive(sockets.back(), BufferClass::kSmall, Token(Operation::kReceive, i));
    }
    for (auto& client : clients) {
      client->Write("x");
    }
    driver_->Submit();
    world_->RunFor(kSecondUs);
    std::array<io::Completion, 4> out;
    EXPECT_EQ(driver_->Wait(out, 0).completions, 4u);
    std::string order;
    for (const io::Completion& completion : out) {
      order += std::to_string(io::SlabIdOf(completion.token).generation);
      driver_->ReleaseBuffer(completion.buffer);
    }
    orders.push_back(order);
  }
  std::sort(orders.begin(), orders.end());
  EXPECT_GT(std::unique(orders.begin(), orders.end()) - orders.begin(), 4);
}

TEST_F(SimDriverTest, CheckIdleKnowsWhatIsLeft) {
  EXPECT_DEATH(driver_->CheckIdle(), "in flight");
  driver_->SubmitCancel(kAccept);
  EXPECT_EQ(Expect(kAccept).status, Status::kCancelled);
  EXPECT_DEATH(driver_->CheckIdle(), "socket is open");
  driver_->Close(listener_);
  driver_->CheckIdle();
}

TEST_F(SimDriverDeathTest, BytesInFlightStayAsTheyAre) {
  SimStream client(world_.get());
  io::Socket socket = Accept(&client);
  std::array<uint8_t, 3> bytes = {1, 2, 3};
  std::span<const uint8_t> span(bytes);
  driver_->SubmitSend(socket, {&span, 1}, Token(Operation::kSend, 1));
  driver_->Submit();
  // The network has them already, but the completion is not out yet.
  bytes[1] = 9;
  EXPECT_DEATH(Expect(Token(Operation::kSend, 1)), "belong to the driver");
}

TEST_F(SimDriverDeathTest, OneReceiveIsInFlight) {
  SimStream client(world_.get());
  io::Socket socket = Accept(&client);
  driver_->SubmitReceive(socket, BufferClass::kSmall, Token(Operation::kReceive, 1));
  EXPECT_DEATH(driver_->SubmitReceive(socket, BufferClass::kSmall, Token(Operation::kReceive, 2)),
               "one op");
  EXPECT_DEATH(driver_->Close(socket), "something is in flight");
  EXPECT_DEATH(driver_->Export(socket), "something is in flight");
  io::Socket other;
  ASSERT_EQ(driver_->Open(false, &other), Status::kOk);
  EXPECT_DEATH(driver_->SubmitReceive(other, BufferClass::kSmall, Token(Operation::kReceive, 1)),
               "token is in flight once");
}

TEST_F(SimDriverDeathTest, TokensNameTheirOperation) {
  SimStream client(world_.get());
  io::Socket socket = Accept(&client);
  EXPECT_DEATH(driver_->SubmitReceive(socket, BufferClass::kSmall, Token(Operation::kSend, 1)),
               "another operation");
}

TEST_F(SimDriverDeathTest, BuffersAreReleasedOnce) {
  SimStream client(world_.get());
  io::Socket socket = Accept(&client);
  client.Write("x");
  driver_->SubmitReceive(socket, BufferClass::kSmall, Token(Operation::kReceive, 1));
  io::Buffer buffer = Expect(Token(Operation::kReceive, 1)).buffer;
  EXPECT_EQ(driver_->lent_buffers(), 1u);
  driver_->ReleaseBuffer(buffer);
  EXPECT_EQ(driver_->lent_buffers(), 0u);
  EXPECT_DEATH(driver_->ReleaseBuffer(buffer), "released once");
#if defined(__SANITIZE_ADDRESS__)
  EXPECT_DEATH({ *static_cast<volatile uint8_t*>(buffer.data) = 1; }, "use-after-poison");
#endif
}

TEST_F(SimDriverDeathTest, ClosedSocketsAreGone) {
  SimStream client(world_.get());
  io::Socket socket = Accept(&client);
  driver_->Close(socket);
  EXPECT_DEATH(driver_->Close(socket), "is closed");
  EXPECT_DEATH(driver_->Shutdown(socket, io::ShutdownSide::kBoth), "is closed");
}

TEST_F(SimDriverDeathTest, ATurnIsOneWait) {
  world_->Add("twice", driver_.get(), [&] {
    std::array<io::Completion, 4> out;
    driver_->Wait(out, 0);
    driver_->Wait(out, 0);
  });
  EXPECT_DEATH(world_->RunFor(kSecondUs), "a turn calls Wait once");
}

}  // namespace
}  // namespace postern::sim
