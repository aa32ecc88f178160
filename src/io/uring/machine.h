// Clocks and randomness of the real machine. Internal to io/uring: everybody else asks the driver.
#ifndef POSTERN_SRC_IO_URING_MACHINE_H_
#define POSTERN_SRC_IO_URING_MACHINE_H_

#include <cstdint>
#include <span>

namespace postern::io::uring {

int64_t MonotonicMicroseconds();
int64_t WallMilliseconds();  // since 1970
// Unpredictable bytes from the kernel.
void FillRandom(std::span<uint8_t> out);

}  // namespace postern::io::uring

#endif  // POSTERN_SRC_IO_URING_MACHINE_H_
