// What only the real driver can show; the contract that it shares with others is tested in
// tests/sim.
#include "src/io/uring/uring_driver.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "src/io/uring/features.h"

namespace postern::io::uring {
namespace {

constexpr int kTurnsMax = 20'000;

class UringDriverTest : public testing::Test {
 protected:
  void SetUp() override {
    auto features = Probe();
    ASSERT_TRUE(features.ok()) << features.status();
    features_ = *features;
    driver_ = New();
    ASSERT_TRUE(driver_->Start().ok());
    Restart();
  }

  std::unique_ptr<Driver> New() {
    Options options;
    options.submission_entries = 32;
    options.completion_entries = 128;
    options.small_buffers = 4;
    options.large_buffers = 4;
    auto driver = CreateDriver(features_, options);
    EXPECT_TRUE(driver.ok()) << driver.status();
    return *std::move(driver);
  }

  // A listener on a free port, accepting.
  void Restart() {
    auto listener = driver_->Listen({*ParseHost("127.0.0.1", 0)});
    ASSERT_TRUE(listener.ok()) << listener.status();
    listener_ = *listener;
    Arm();
  }
  void Arm() {
    accept_ = NewToken(Operation::kAccept);
    driver_->SubmitAccept(listener_, accept_);
  }

  Token NewToken(Operation operation) { return MakeToken(operation, 1, {1, next_++}); }

  void Turn() {
    std::array<Completion, 8> out;
    auto turn = driver_->Wait(out, driver_->MonotonicUs() + 1000);
    for (size_t i = 0; i < turn.completions; ++i) {
      completions_[out[i].token].push_back(out[i]);
    }
  }
  Completion Expect(Token token) {
    for (int turn = 0; turn < kTurnsMax && completions_[token].empty(); ++turn) {
      Turn();
    }
    if (completions_[token].empty()) {
      ADD_FAILURE() << "nothing came";
      return {};
    }
    Completion completion = completions_[token].front();
    completions_[token].pop_front();
    return completion;
  }
  Socket Open() {
    Socket socket;
    EXPECT_EQ(driver_->Open(false, &socket), Status::kOk);
    return socket;
  }
  Status Connect(Socket socket) {
    Token token = NewToken(Operation::kConnect);
    driver_->SubmitConnect(socket, driver_->LocalAddress(listener_), token);
    return Expect(token).status;
  }

  Features features_;
  std::unique_ptr<Driver> driver_;
  Socket listener_;
  Token accept_ = 0;
  uint32_t next_ = 1;
  std::map<Token, std::deque<Completion>> completions_;
};

// Lowers the limit on descriptors, and can take all that are left; gives everything back in the
// end.
class FewDescriptors {
 public:
  FewDescriptors() {
    EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &before_), 0);
    rlimit low = before_;
    low.rlim_cur = 200;
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  }
  ~FewDescriptors() {
    GiveBack();
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &before_), 0);
  }
  void TakeAll() {
    for (int i = 0; i < 400; ++i) {
      int descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC);
      if (descriptor < 0) {
        return;
      }
      taken_.push_back(descriptor);
    }
    ADD_FAILURE() << "the limit does not work";
  }
  void GiveBack() {
    for (int descriptor : taken_) {
      close(descriptor);
    }
    taken_.clear();
  }

 private:
  rlimit before_ = {};
  std::vector<int> taken_;
};

TEST_F(UringDriverTest, OutOfDescriptorsEndsTheAcceptAndItCanBeArmedAgain) {
  driver_->SubmitCancel(accept_);
  EXPECT_FALSE(Expect(accept_).more);
  Socket near = Open();
  // The kernel notes the limit when an accept is armed.
  FewDescriptors few;
  Arm();
  Turn();
  few.TakeAll();
  EXPECT_EQ(Connect(near), Status::kOk) << "the backlog needs no descriptor";
  Completion end = Expect(accept_);
  EXPECT_EQ(end.status, Status::kNoDescriptors);
  EXPECT_FALSE(end.more);
  EXPECT_FALSE(end.socket.valid());
  Socket none;
  EXPECT_EQ(driver_->Open(false, &none), Status::kNoDescriptors);
  EXPECT_FALSE(none.valid());
  few.GiveBack();
  Arm();
  Completion accepted = Expect(accept_);
  EXPECT_EQ(accepted.status, Status::kOk);
  EXPECT_TRUE(accepted.more);
  driver_->Close(accepted.socket);
  driver_->Close(near);
}

TEST_F(UringDriverTest, APortInUseIsSaidSo) {
  Address address = driver_->LocalAddress(listener_);
  auto second = driver_->Listen({address});
  ASSERT_EQ(second.status().code(), absl::StatusCode::kAlreadyExists);
  std::string message(second.status().message());
  EXPECT_NE(message.find(Format(address)), std::string::npos) << message;
  EXPECT_NE(message.find("another program has this port"), std::string::npos) << message;
}

TEST_F(UringDriverTest, AnAddressOfAnotherHostIsSaidSo) {
  auto listener = driver_->Listen({*ParseHost("192.0.2.77", 0)});
  ASSERT_EQ(listener.status().code(), absl::StatusCode::kInvalidArgument) << listener.status();
  EXPECT_NE(std::string(listener.status().message()).find("192.0.2.77:0"), std::string::npos);
}

TEST_F(UringDriverTest, AnotherThreadWakes) {
  for (int i = 0; i < 20; ++i) {
    std::thread other([this] { driver_->waker()->Wake(); });
    std::array<Completion, 8> out;
    // Would hang, and be ended by the test's time limit, if the wake got lost.
    driver_->Wait(out, base::kNever);
    other.join();
  }
}

TEST_F(UringDriverTest, ManyWakesFromManyThreadsDoNoHarm) {
  std::atomic<bool> stop = false;
  std::vector<std::thread> others;
  for (int i = 0; i < 3; ++i) {
    others.emplace_back([&] {
      for (int wakes = 0; wakes < 100'000 && !stop; ++wakes) {
        driver_->waker()->Wake();
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    Socket near = Open();
    EXPECT_EQ(Connect(near), Status::kOk);
    Completion accepted = Expect(accept_);
    EXPECT_EQ(accepted.status, Status::kOk);
    driver_->Close(accepted.socket);
    driver_->Close(near);
  }
  stop = true;
  for (std::thread& other : others) {
    other.join();
  }
}

TEST_F(UringDriverTest, StartsOnAnotherThreadThanItWasCreatedOn) {
  auto driver = New();
  auto listener = driver->Listen({*ParseHost("127.0.0.1", 0)});
  ASSERT_TRUE(listener.ok());
  std::thread other([&] {
    EXPECT_TRUE(driver->Start().ok());
    Token token = NewToken(Operation::kAccept);
    driver->SubmitAccept(*listener, token);
    std::array<Completion, 8> out;
    driver->Wait(out, driver->MonotonicUs() + 1000);
    driver->SubmitCancel(token);
    bool ended = false;
    for (int turn = 0; turn < kTurnsMax && !ended; ++turn) {
      auto result = driver->Wait(out, driver->MonotonicUs() + 1000);
      ended = result.completions == 1 && out[0].token == token && !out[0].more;
    }
    EXPECT_TRUE(ended);
    driver.reset();
  });
  other.join();
}

TEST_F(UringDriverTest, EndsWithOperationsInFlight) {
  Socket near = Open();
  EXPECT_EQ(Connect(near), Status::kOk);
  driver_->SubmitReceive(near, BufferClass::kSmall, NewToken(Operation::kReceive));
  driver_->Submit();
  driver_.reset();
}

TEST_F(UringDriverTest, AcceptedSocketsDoNotDelay) {
  Socket near = Open();
  EXPECT_EQ(Connect(near), Status::kOk);
  Completion accepted = Expect(accept_);
  for (Socket socket : {near, accepted.socket}) {
    int on = 0;
    socklen_t size = sizeof(on);
    EXPECT_EQ(getsockopt(socket.id, IPPROTO_TCP, TCP_NODELAY, &on, &size), 0);
    EXPECT_NE(on, 0);
    EXPECT_NE(fcntl(socket.id, F_GETFD) & FD_CLOEXEC, 0);
  }
  driver_->Close(near);
  driver_->Close(accepted.socket);
}

TEST_F(UringDriverTest, AResetPeerHasNoAddress) {
  Socket near = Open();
  EXPECT_EQ(Connect(near), Status::kOk);
  Completion accepted = Expect(accept_);
  linger hard = {1, 0};
  EXPECT_EQ(setsockopt(near.id, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)), 0);
  driver_->Close(near);
  Token token = NewToken(Operation::kReceive);
  driver_->SubmitReceive(accepted.socket, BufferClass::kSmall, token);
  EXPECT_EQ(Expect(token).status, Status::kReset);
  EXPECT_EQ(driver_->PeerAddress(accepted.socket), Address{});
  driver_->Close(accepted.socket);
}

TEST(Features, DescribeThemselves) {
  Features features;
  EXPECT_EQ(features.Describe(), "task run immediate, poll first no");
  features.defer_taskrun = true;
  features.poll_first = true;
  EXPECT_EQ(features.Describe(), "task run deferred, poll first yes");
}

// The kernel prepares 20 completions in one call and keeps the others back.
TEST_F(UringDriverTest, OneWaitTakesAllThatHasCome) {
  Options options;
  options.small_buffers = 128;
  auto driver = CreateDriver(features_, options);
  ASSERT_TRUE(driver.ok()) << driver.status();
  ASSERT_TRUE((*driver)->Start().ok());
  constexpr uint32_t kSockets = 100;
  std::vector<int> peers;
  std::vector<Socket> sockets;
  for (uint32_t i = 0; i < kSockets; ++i) {
    std::array<int, 2> pair = {};
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()), 0);
    peers.push_back(pair[0]);
    sockets.push_back((*driver)->Adopt(pair[1]));
    (*driver)->SubmitReceive(sockets.back(), BufferClass::kSmall,
                             MakeToken(Operation::kReceive, 1, {i, 1}));
  }
  (*driver)->Submit();
  for (int peer : peers) {
    ASSERT_EQ(write(peer, "x", 1), 1);
  }
  std::array<Completion, 256> out;
  Driver::Turn turn = (*driver)->Wait(out, (*driver)->MonotonicUs() + 1'000'000);
  EXPECT_EQ(turn.completions, kSockets);
  for (size_t i = 0; i < turn.completions; ++i) {
    (*driver)->ReleaseBuffer(out[i].buffer);
  }
  for (uint32_t i = 0; i < kSockets; ++i) {
    (*driver)->Close(sockets[i]);
    close(peers[i]);
  }
  (*driver)->Submit();
}

}  // namespace
}  // namespace postern::io::uring
