#include "src/io/epoll/attempt.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>

#include "src/io/machine/socket.h"

namespace postern::io::epoll {

using machine::StatusOf;

std::optional<Outcome> TryReceive(int descriptor, In* in, BufferPool* pool) {
  if (!in->ready) {
    return std::nullopt;
  }
  if (pool->empty()) {
    return Outcome{Status::kNoBuffers};
  }
  uint32_t id = pool->Acquire();
  ssize_t size = recv(descriptor, pool->data(id), pool->bytes(), MSG_DONTWAIT);
  int error = errno;
  if (size > 0) {
    auto bytes = static_cast<uint32_t>(size);
    // Less than there was room for: nothing is left, unless the end is.
    in->ready = bytes == pool->bytes() || in->ended;
    return Outcome{Status::kOk, bytes, {pool->data(id), bytes, id}};
  }
  pool->Release(id);
  if (size == 0) {
    return Outcome{Status::kEndOfStream};
  }
  if (error != EAGAIN && error != EINTR) {
    return Outcome{StatusOf(error)};
  }
  in->ready = error == EINTR;
  return std::nullopt;
}

std::optional<Outcome> TryConnect(int descriptor, Out* out) {
  int error = 0;
  if (!out->connecting) {
    sockaddr_storage name;
    uint32_t size = ToKernel(out->peer, &name);
    fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
    error = connect(descriptor, reinterpret_cast<sockaddr*>(&name), size) == 0 ? 0 : errno;
    out->connecting = error == EINPROGRESS;
  } else {
    socklen_t size = sizeof(error);
    getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
    out->connecting = false;
  }
  if (out->connecting) {
    return std::nullopt;
  }
  return Outcome{error == 0 ? Status::kOk : StatusOf(error)};
}

std::optional<Outcome> TrySend(int descriptor, Out* out) {
  msghdr message = {};
  message.msg_iov = out->parts.data();
  message.msg_iovlen = out->count;
  ssize_t size = sendmsg(descriptor, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (size >= 0) {
    return Outcome{Status::kOk, static_cast<uint32_t>(size)};
  }
  if (errno != EAGAIN && errno != EINTR) {
    return Outcome{StatusOf(errno)};
  }
  return std::nullopt;
}

}  // namespace postern::io::epoll
