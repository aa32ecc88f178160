#include "src/control/drivers.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/io/epoll/epoll_driver.h"
#include "src/io/uring/features.h"
#include "src/io/uring/uring_driver.h"

namespace postern::control {
namespace {

// The receive buffers of a thread with few connections.
template <typename Options>
Options FewBuffers() {
  Options options;
  options.small_buffers = 256;
  options.large_buffers = 16;
  options.handshake_buffers = 8;
  return options;
}

Drivers Uring(const io::uring::Features& features) {
  return {absl::StrCat("io_uring: ", features.Describe()), [features](bool few) {
            io::uring::Options options;
            if (few) {
              options = FewBuffers<io::uring::Options>();
              options.submission_entries = 256;
              options.completion_entries = 1024;
            }
            return io::uring::CreateDriver(features, options);
          }};
}

Drivers Epoll(std::string description) {
  return {std::move(description), [](bool few) {
            return io::epoll::CreateDriver(few ? FewBuffers<io::epoll::Options>()
                                               : io::epoll::Options());
          }};
}

}  // namespace

absl::StatusOr<Drivers> ChooseDrivers(config::Io io) {
  if (io == config::Io::kEpoll) {
    return Epoll("epoll");
  }
  absl::StatusOr<io::uring::Features> features = io::uring::Probe();
  if (features.ok()) {
    return Uring(*features);
  }
  if (io == config::Io::kUring) {
    return features.status();
  }
  return Epoll(absl::StrCat("epoll, because ", std::string(features.status().message())));
}

}  // namespace postern::control
