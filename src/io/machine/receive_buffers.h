// How many receive buffers a driver has, and of which size. For drivers.
#ifndef POSTERN_SRC_IO_MACHINE_RECEIVE_BUFFERS_H_
#define POSTERN_SRC_IO_MACHINE_RECEIVE_BUFFERS_H_

#include <cstdint>

#include "src/io/driver.h"

namespace postern::io::machine {

// One pool for each io::BufferClass. A kernel's buffer ring needs powers of two.
struct ReceiveBuffers {
  uint32_t small_buffers = 1024;
  uint32_t small_buffer_bytes = kSmallBufferBytes;
  uint32_t large_buffers = 64;
  uint32_t large_buffer_bytes = kLargeBufferBytes;
  uint32_t handshake_buffers = 1024;
  uint32_t handshake_buffer_bytes = kHandshakeBufferBytes;
};

}  // namespace postern::io::machine

#endif  // POSTERN_SRC_IO_MACHINE_RECEIVE_BUFFERS_H_
