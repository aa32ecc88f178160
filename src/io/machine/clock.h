// Clocks and randomness of the real machine. For drivers: everybody else asks them.
#ifndef POSTERN_SRC_IO_MACHINE_CLOCK_H_
#define POSTERN_SRC_IO_MACHINE_CLOCK_H_

#include <cstdint>
#include <span>

namespace postern::io::machine {

int64_t MonotonicMicroseconds();
int64_t WallMilliseconds();  // since 1970
// Unpredictable bytes from the kernel.
void FillRandom(std::span<uint8_t> out);

}  // namespace postern::io::machine

#endif  // POSTERN_SRC_IO_MACHINE_CLOCK_H_
