// The contract, part two: bytes, their ends, and what a peer may do to a connection.
#include "tests/sim/driver_contract.h"

namespace postern::sim {
namespace {

using io::Operation;
using io::Status;

TEST_P(StreamContract, BytesArriveBothWays) {
  std::string received;
  EXPECT_EQ(SendAll(client_, near_, "hello"), Status::kOk);
  EXPECT_EQ(Receive(server_, far_, 5, &received), Status::kOk);
  EXPECT_EQ(received, "hello");
  EXPECT_EQ(SendAll(server_, far_, "goodbye"), Status::kOk);
  received.clear();
  EXPECT_EQ(Receive(client_, near_, 7, &received), Status::kOk);
  EXPECT_EQ(received, "goodbye");
}

TEST_P(StreamContract, LargeTransfersKeepTheirContent) {
  std::string bytes = ContractBytes(3'000'000);
  EXPECT_TRUE(Transfer(client_, near_, server_, far_, bytes) == bytes);
  EXPECT_TRUE(Transfer(server_, far_, client_, near_, bytes) == bytes);
}

TEST_P(StreamContract, ReceivesAreAtMostABuffer) {
  std::string bytes = ContractBytes(20'000);
  EXPECT_EQ(SendAll(client_, near_, bytes), Status::kOk);
  Settle();
  std::string received;
  EXPECT_EQ(Receive(server_, far_, 5'000, &received), Status::kOk);
  EXPECT_LE(received.size(), 4'999u + 4'096u) << "the last receive gave more than a buffer";
  EXPECT_EQ(Receive(server_, far_, 20'000, &received, io::BufferClass::kLarge), Status::kOk);
  EXPECT_TRUE(received == bytes);
}

TEST_P(StreamContract, CloseIsTheEndOfTheStream) {
  EXPECT_EQ(SendAll(client_, near_, "last words"), Status::kOk);
  CloseNear();
  Settle();
  std::string received;
  EXPECT_EQ(Receive(server_, far_, 100, &received), Status::kEndOfStream);
  EXPECT_EQ(received, "last words");
  EXPECT_EQ(Receive(server_, far_, 100, &received), Status::kEndOfStream) << "it stays so";
}

TEST_P(StreamContract, AReceiveInFlightLearnsOfTheEnd) {
  io::Token token = server_->NewToken(Operation::kReceive);
  server_->driver->SubmitReceive(far_, io::BufferClass::kSmall, token);
  Settle();
  EXPECT_EQ(server_->Count(token), 0u);
  CloseNear();
  io::Completion completion = Expect(server_, token);
  EXPECT_EQ(completion.status, Status::kEndOfStream);
  EXPECT_EQ(completion.buffer.data, nullptr) << "nothing is lent with the end";
}

TEST_P(StreamContract, AHalfClosedConnectionStillCarriesTheOtherHalf) {
  EXPECT_EQ(SendAll(client_, near_, "question"), Status::kOk);
  client_->driver->Shutdown(near_, io::ShutdownSide::kWrite);
  std::string received;
  EXPECT_EQ(Receive(server_, far_, 100, &received), Status::kEndOfStream);
  EXPECT_EQ(received, "question");
  EXPECT_EQ(SendAll(server_, far_, "answer"), Status::kOk);
  CloseFar();
  received.clear();
  EXPECT_EQ(Receive(client_, near_, 100, &received), Status::kEndOfStream);
  EXPECT_EQ(received, "answer");
}

TEST_P(StreamContract, NothingIsSentAfterOnesOwnShutdown) {
  client_->driver->Shutdown(near_, io::ShutdownSide::kWrite);
  EXPECT_EQ(SendAll(client_, near_, "too late"), Status::kReset);
}

TEST_P(StreamContract, ShutdownOfBothSidesEndsAReceiveInFlight) {
  io::Token token = client_->NewToken(Operation::kReceive);
  client_->driver->SubmitReceive(near_, io::BufferClass::kSmall, token);
  Settle();
  client_->driver->Shutdown(near_, io::ShutdownSide::kBoth);
  EXPECT_EQ(Expect(client_, token).status, Status::kEndOfStream);
  std::string received;
  EXPECT_EQ(Receive(server_, far_, 1, &received), Status::kEndOfStream);
}

TEST_P(StreamContract, UnreadBytesMakeACloseAReset) {
  EXPECT_EQ(SendAll(client_, near_, "nobody reads this"), Status::kOk);
  // The far side has read some of it, so all of it has arrived or will find the socket closed.
  std::string received;
  EXPECT_EQ(Receive(server_, far_, 1, &received), Status::kOk);
  EXPECT_EQ(SendAll(client_, near_, "nor this"), Status::kOk);
  Settle();
  io::Token token = client_->NewToken(Operation::kReceive);
  client_->driver->SubmitReceive(near_, io::BufferClass::kSmall, token);
  CloseFar();
  EXPECT_EQ(Expect(client_, token).status, Status::kReset);
  EXPECT_EQ(SendAll(client_, near_, "and now?"), Status::kReset);
}

TEST_P(StreamContract, SendingToSomebodyWhoHasGoneFails) {
  CloseFar();
  Status status = Status::kOk;
  for (int i = 0; i < 200 && status == Status::kOk; ++i) {
    status = SendAll(client_, near_, "anybody there?");
    Settle();
  }
  EXPECT_EQ(status, Status::kReset);
}

TEST_P(StreamContract, WhoDoesNotReadHoldsUpTheSender) {
  std::string bytes = ContractBytes(64 * 1024);
  size_t taken = 0;
  io::Token token = FillUp(client_, near_, AsBytes(bytes), &taken);
  ASSERT_NE(token, 0u);
  std::string received;
  while (client_->Count(token) == 0 && !HasFailure()) {
    EXPECT_EQ(Receive(server_, far_, received.size() + 1, &received, io::BufferClass::kLarge),
              Status::kOk);
  }
  io::Completion completion = Expect(client_, token);
  EXPECT_EQ(completion.status, Status::kOk);
  taken += completion.bytes;
  EXPECT_EQ(Receive(server_, far_, taken, &received, io::BufferClass::kLarge), Status::kOk);
  EXPECT_EQ(received.size(), taken);
}

TEST_P(StreamContract, ASendInFlightCanBeCancelled) {
  std::string bytes = ContractBytes(64 * 1024);
  size_t taken = 0;
  io::Token token = FillUp(client_, near_, AsBytes(bytes), &taken);
  ASSERT_NE(token, 0u);
  client_->driver->SubmitCancel(token);
  io::Completion completion = Expect(client_, token);
  EXPECT_TRUE(completion.status == Status::kCancelled || completion.status == Status::kOk);
  EXPECT_FALSE(completion.more);
}

TEST_P(StreamContract, AReceiveInFlightCanBeCancelled) {
  io::Token token = server_->NewToken(Operation::kReceive);
  server_->driver->SubmitReceive(far_, io::BufferClass::kSmall, token);
  server_->driver->SubmitCancel(token);
  io::Completion completion = Expect(server_, token);
  EXPECT_EQ(completion.status, Status::kCancelled);
  EXPECT_EQ(completion.buffer.data, nullptr);
  // Nothing is lost by that.
  std::string received;
  EXPECT_EQ(SendAll(client_, near_, "after all"), Status::kOk);
  EXPECT_EQ(Receive(server_, far_, 9, &received), Status::kOk);
  EXPECT_EQ(received, "after all");
}

TEST_P(StreamContract, ACancelThatComesTooLateLosesNothing) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(SendAll(client_, near_, "x"), Status::kOk);
    io::Token token = server_->NewToken(Operation::kReceive);
    server_->driver->SubmitReceive(far_, io::BufferClass::kSmall, token);
    server_->driver->Submit();
    server_->driver->SubmitCancel(token);
    io::Completion completion = Expect(server_, token);
    std::string received;
    if (completion.status == Status::kOk) {
      server_->driver->ReleaseBuffer(completion.buffer);
    } else {
      EXPECT_EQ(completion.status, Status::kCancelled);
      EXPECT_EQ(Receive(server_, far_, 1, &received), Status::kOk);
    }
  }
}

TEST_P(StreamContract, CancellingNothingDoesNothing) {
  server_->driver->SubmitCancel(server_->NewToken(Operation::kReceive));
  Settle();
  std::string received;
  EXPECT_EQ(SendAll(client_, near_, "still here"), Status::kOk);
  EXPECT_EQ(Receive(server_, far_, 10, &received), Status::kOk);
}

TEST_P(StreamContract, BothDirectionsAtOnce) {
  std::string bytes = ContractBytes(1000);
  std::span<const uint8_t> all = AsBytes(bytes);
  io::Token receive = client_->NewToken(Operation::kReceive);
  io::Token send = client_->NewToken(Operation::kSend);
  client_->driver->SubmitReceive(near_, io::BufferClass::kSmall, receive);
  client_->driver->SubmitSend(near_, {&all, 1}, send);
  EXPECT_EQ(Expect(client_, send).status, Status::kOk);
  EXPECT_EQ(client_->Count(receive), 0u);
  EXPECT_EQ(SendAll(server_, far_, "y"), Status::kOk);
  io::Completion completion = Expect(client_, receive);
  ASSERT_EQ(completion.status, Status::kOk);
  client_->driver->ReleaseBuffer(completion.buffer);
}

// More operations in one turn than a driver may be able to hand over at once, all of them with
// several spans.
TEST_P(StreamContract, EachSendKeepsItsOwnSpans) {
  struct Sending {
    std::pair<io::Socket, io::Socket> pair;
    std::string text;
    io::Token send = 0;
    io::Token receive = 0;
  };
  std::vector<Sending> all(40);
  for (size_t i = 0; i < all.size(); ++i) {
    all[i].pair = Connect(client_, server_, listening_);
    all[i].text = "connection " + std::to_string(100 + i);
  }
  for (int round = 0; round < 5; ++round) {
    for (size_t i = 0; i < all.size(); ++i) {
      // Receives in between, so that sends fall on every place of a submission queue.
      for (size_t extra = 0; i % 5 == static_cast<size_t>(round) && extra < 1; ++extra) {
        all[i].receive = client_->NewToken(Operation::kReceive);
        client_->driver->SubmitReceive(all[i].pair.first, io::BufferClass::kSmall, all[i].receive);
      }
      std::span<const uint8_t> bytes = AsBytes(all[i].text);
      std::span<const uint8_t> spans[] = {bytes.first(5), bytes.subspan(5, 5), bytes.subspan(10)};
      all[i].send = client_->NewToken(Operation::kSend);
      client_->driver->SubmitSend(all[i].pair.first, spans, all[i].send);
    }
    for (Sending& sending : all) {
      io::Completion completion = Expect(client_, sending.send);
      ASSERT_EQ(completion.status, Status::kOk);
      std::string rest = sending.text.substr(completion.bytes);
      EXPECT_EQ(rest.empty() ? Status::kOk : SendAll(client_, sending.pair.first, rest),
                Status::kOk);
      std::string received;
      EXPECT_EQ(Receive(server_, sending.pair.second, sending.text.size(), &received), Status::kOk);
      EXPECT_EQ(received, sending.text);
    }
  }
  for (Sending& sending : all) {
    server_->driver->Close(sending.pair.second);
    EXPECT_EQ(Expect(client_, sending.receive).status, Status::kEndOfStream);
    client_->driver->Close(sending.pair.first);
  }
}

}  // namespace
}  // namespace postern::sim
