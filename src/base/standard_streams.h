// Descriptors 0 to 2, which everybody writes to and nobody opens.
#ifndef POSTERN_SRC_BASE_STANDARD_STREAMS_H_
#define POSTERN_SRC_BASE_STANDARD_STREAMS_H_

namespace postern::base {

// Opens /dev/null on those that whoever started the program has closed. Before anything else is
// opened: that would get their numbers, and be written over by messages. False: it cannot.
[[nodiscard]] bool SecureStandardStreams();

}  // namespace postern::base

#endif  // POSTERN_SRC_BASE_STANDARD_STREAMS_H_
