// Who gets the name of an upgrade socket.
#include "src/control/upgrade.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string>
#include <thread>

namespace postern::control {
namespace {

// A socket that nobody listens on, as a process leaves it that was killed.
void LeaveBehind(const std::string& path) {
  sockaddr_un name = {};
  name.sun_family = AF_UNIX;
  std::memcpy(name.sun_path, path.data(), path.size());
  int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(bind(descriptor, reinterpret_cast<sockaddr*>(&name), sizeof(name)), 0);
  close(descriptor);
}

TEST(UpgradeDoor, OfSeveralThatStartAtOnceOneGetsIt) {
  std::array<char, 32> folder = {"/tmp/door_XXXXXX"};
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  std::string path = std::string(folder.data()) + "/socket";
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
  rmdir(folder.data());
}

}  // namespace
}  // namespace postern::control
