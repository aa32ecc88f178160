// One try of an operation on a socket: the system call, without waiting, and what came of it.
#ifndef POSTERN_SRC_IO_EPOLL_ATTEMPT_H_
#define POSTERN_SRC_IO_EPOLL_ATTEMPT_H_

#include <sys/uio.h>

#include <array>
#include <cstdint>
#include <optional>

#include "src/base/limits.h"
#include "src/io/driver.h"
#include "src/io/epoll/buffer_pool.h"

namespace postern::io::epoll {

// What a socket waits for in one direction; the token is 0 for nothing.
struct In {
  Token token = 0;  // accept or receive
  BufferClass buffer_class = BufferClass::kSmall;
  bool ready = false;  // epoll has said so, and no call has found otherwise since
  bool ended = false;  // nothing will come but what lies there
};
struct Out {
  Token token = 0;          // connect or send
  bool connecting = false;  // the kernel is at it
  Address peer;
  uint32_t count = 0;
  std::array<iovec, base::limits::kSendSpans> parts;
};

struct Outcome {
  Status status = Status::kOk;
  uint32_t bytes = 0;
  Buffer buffer = {};
};

// Nothing: the socket is not ready, and epoll will say when it is.
std::optional<Outcome> TryReceive(int descriptor, In* in, BufferPool* pool);
std::optional<Outcome> TryConnect(int descriptor, Out* out);
std::optional<Outcome> TrySend(int descriptor, Out* out);

}  // namespace postern::io::epoll

#endif  // POSTERN_SRC_IO_EPOLL_ATTEMPT_H_
