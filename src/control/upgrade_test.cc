// Who gets the name of an upgrade socket, and who is let in there.
#include "src/control/upgrade.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace postern::control {
namespace {

sockaddr_un NameOf(const std::string& path) {
  sockaddr_un name = {};
  name.sun_family = AF_UNIX;
  std::memcpy(name.sun_path, path.data(), path.size());
  return name;
}

int ConnectTo(const std::string& path) {
  sockaddr_un name = NameOf(path);
  int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(connect(descriptor, reinterpret_cast<sockaddr*>(&name), sizeof(name)), 0);
  return descriptor;
}

// A socket that nobody listens on, as a process leaves it that was killed.
void LeaveBehind(const std::string& path) {
  sockaddr_un name = NameOf(path);
  int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(bind(descriptor, reinterpret_cast<sockaddr*>(&name), sizeof(name)), 0);
  close(descriptor);
}

class UpgradeDoorTest : public ::testing::Test {
 protected:
  UpgradeDoorTest() {
    std::array<char, 32> folder = {"/tmp/door_XXXXXX"};
    EXPECT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder.data();
    path_ = folder_ + "/socket";
  }
  // Nothing is left there.
  ~UpgradeDoorTest() override { EXPECT_EQ(rmdir(folder_.c_str()), 0); }

  std::string folder_;
  std::string path_;
};

TEST_F(UpgradeDoorTest, OfSeveralThatStartAtOnceOneGetsIt) {
  const std::string& path = path_;
  for (int round = 0; round < 200; ++round) {
    LeaveBehind(path);
    std::array<absl::StatusOr<std::unique_ptr<UpgradeDoor>>, 4> doors;
    std::array<std::thread, 4> threads;
    for (size_t i = 0; i < doors.size(); ++i) {
      threads[i] = std::thread([&, i] { doors[i] = UpgradeDoor::Open(path); });
    }
    size_t open = 0;
    for (size_t i = 0; i < doors.size(); ++i) {
      threads[i].join();
      open += doors[i].ok() ? 1u : 0u;
    }
    ASSERT_EQ(open, 1u) << "round " << round;
    struct stat about;
    ASSERT_EQ(stat(path.c_str(), &about), 0) << "round " << round;
    ASSERT_EQ(about.st_mode & 0777u, 0600u);
    for (auto& door : doors) {
      door = absl::UnknownError("");
    }
    ASSERT_NE(access(path.c_str(), F_OK), 0) << "round " << round;
  }
}

// Whoever may read a folder can lock it.
TEST_F(UpgradeDoorTest, ALockOnTheFolderIsInNobodysWay) {
  int held = open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  ASSERT_EQ(flock(held, LOCK_SH), 0);
  EXPECT_TRUE(UpgradeDoor::Open(path_).ok());
  close(held);
}

TEST_F(UpgradeDoorTest, ALockThatIsHeldIsNotWaitedForForEver) {
  std::string lock = path_ + ".lock";
  int held = open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_EQ(flock(held, LOCK_EX), 0);
  auto door = UpgradeDoor::Open(path_);
  ASSERT_FALSE(door.ok());
  EXPECT_NE(door.status().message().find(lock), std::string::npos) << door.status();
  close(held);
  // Left behind by a process that was killed, it is nobody's.
  EXPECT_TRUE(UpgradeDoor::Open(path_).ok());
}

TEST_F(UpgradeDoorTest, ALockThatOthersCouldHoldIsRefused) {
  std::string lock = path_ + ".lock";
  close(open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_EQ(chmod(lock.c_str(), 0644), 0);
  EXPECT_EQ(UpgradeDoor::Open(path_).status().code(), absl::StatusCode::kPermissionDenied);
  unlink(lock.c_str());
  ASSERT_EQ(symlink("/dev/null", lock.c_str()), 0);
  EXPECT_FALSE(UpgradeDoor::Open(path_).ok());
  unlink(lock.c_str());
  ASSERT_EQ(mkfifo(lock.c_str(), 0600), 0);
  EXPECT_EQ(UpgradeDoor::Open(path_).status().code(), absl::StatusCode::kPermissionDenied);
  unlink(lock.c_str());
}

TEST_F(UpgradeDoorTest, WhatIsNoSocketIsNamed) {
  for (const bool is_folder : {false, true}) {
    if (is_folder) {
      ASSERT_EQ(mkdir(path_.c_str(), 0700), 0);
    } else {
      close(open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    }
    auto door = UpgradeDoor::Open(path_);
    ASSERT_FALSE(door.ok());
    EXPECT_NE(door.status().message().find("is something else than a socket"), std::string::npos)
        << door.status();
    EXPECT_EQ(is_folder ? rmdir(path_.c_str()) : unlink(path_.c_str()), 0) << "it is left alone";
  }
}

// Connecting waits for a place in the queue of whoever listens.
TEST_F(UpgradeDoorTest, WhoTakesNobodyInIsNotWaitedForForEver) {
  sockaddr_un name = NameOf(path_);
  int silent = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(bind(silent, reinterpret_cast<sockaddr*>(&name), sizeof(name)), 0);
  ASSERT_EQ(listen(silent, 0), 0);
  int first = ConnectTo(path_);
  ASSERT_GE(first, 0);
  EXPECT_FALSE(UpgradeDoor::Open(path_).ok());
  EXPECT_FALSE(Predecessor::Ask(path_).ok());
  close(first);
  close(silent);
  unlink(path_.c_str());
}

// The control thread, which is told of what happens at the door.
class Told final : public io::Waker {
 public:
  void Wake() override { eventfd_write(news_, 1); }
  ~Told() override { close(news_); }
  void Await() {
    eventfd_t count = 0;
    eventfd_read(news_, &count);
  }

 private:
  int news_ = eventfd(0, EFD_CLOEXEC);
};

Handover WithASocket() {
  int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  listen(listening, 1);
  Handover handover;
  handover.listeners.push_back({"a", {"127.0.0.1", 80}, listening});
  return handover;
}

bool IsOpen(int descriptor) {
  return fcntl(descriptor, F_GETFD) >= 0;
}

// Of the same user: it could do worse than to say nothing.
TEST_F(UpgradeDoorTest, WhoSaysNothingKeepsNobodyOut) {
  auto door = UpgradeDoor::Open(path_);
  ASSERT_TRUE(door.ok());
  Told told;
  (*door)->Start(&told);
  std::vector<int> silent;
  for (int i = 0; i < 20; ++i) {
    silent.push_back(ConnectTo(path_));
  }
  std::thread control([&] {
    told.Await();
    EXPECT_EQ((*door)->TakeEvent(), UpgradeDoor::Event::kWanted);
    EXPECT_TRUE((*door)->awaits());
    (*door)->Provide(WithASocket());
  });
  auto predecessor = Predecessor::Ask(path_);
  control.join();
  ASSERT_TRUE(predecessor.ok()) << predecessor.status();
  EXPECT_EQ((*predecessor)->handover().listeners.size(), 1u);
  // While it starts, another one is told at once.
  auto other = Predecessor::Ask(path_);
  ASSERT_FALSE(other.ok());
  EXPECT_NE(other.status().message().find(std::to_string(getpid())), std::string::npos)
      << other.status();
  std::thread letting_go([&] {
    told.Await();
    EXPECT_EQ((*door)->TakeEvent(), UpgradeDoor::Event::kHandedOver);
    (*door)->Provide(std::nullopt);
  });
  EXPECT_TRUE((*predecessor)->SayReady().ok());
  letting_go.join();
  unlink(path_.c_str());  // the name is the successor's
  for (int guest : silent) {
    close(guest);
  }
}

// It would stay open, also when its listener is long gone.
TEST_F(UpgradeDoorTest, WhatNobodyWaitsForIsClosed) {
  auto door = UpgradeDoor::Open(path_);
  ASSERT_TRUE(door.ok());
  Handover early = WithASocket();
  int descriptor = early.listeners[0].descriptor;
  (*door)->Provide(std::move(early));
  EXPECT_FALSE(IsOpen(descriptor));
  Told told;
  (*door)->Start(&told);
  // The control thread is in the middle of a reload, and answers when the successor has gone.
  auto refused = Predecessor::Ask(path_);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.status().message().find("reload"), std::string::npos) << refused.status();
  EXPECT_EQ((*door)->TakeEvent(), UpgradeDoor::Event::kNone);
  EXPECT_FALSE((*door)->awaits());
  Handover late = WithASocket();
  descriptor = late.listeners[0].descriptor;
  (*door)->Provide(std::move(late));
  EXPECT_FALSE(IsOpen(descriptor));
}

TEST_F(UpgradeDoorTest, MoreThanASuccessorTakesIsRefusedWithAWord) {
  auto door = UpgradeDoor::Open(path_);
  ASSERT_TRUE(door.ok());
  Told told;
  (*door)->Start(&told);
  std::thread control([&] {
    told.Await();
    Handover handover;
    handover.listeners.resize(70'000, {"a", {"127.0.0.1", 80}, -1});
    (*door)->Provide(std::move(handover));
  });
  auto predecessor = Predecessor::Ask(path_);
  control.join();
  ASSERT_FALSE(predecessor.ok());
  EXPECT_NE(predecessor.status().message().find("more than a successor would take"),
            std::string::npos)
      << predecessor.status();
}

// From a process that is trusted, but may be anything.
TEST_F(UpgradeDoorTest, OnlyListeningSocketsAreTakenOver) {
  auto door = UpgradeDoor::Open(path_);
  ASSERT_TRUE(door.ok());
  Told told;
  (*door)->Start(&told);
  std::thread control([&] {
    told.Await();
    Handover handover;
    handover.listeners.push_back({"a", {"127.0.0.1", 80}, open("/dev/null", O_RDONLY | O_CLOEXEC)});
    (*door)->Provide(std::move(handover));
  });
  auto predecessor = Predecessor::Ask(path_);
  control.join();
  EXPECT_EQ(predecessor.status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace postern::control
