// Opens files that an operator has named, without waiting for whoever may be at the other end; for
// a lease on a regular file only as long as the kernel grants it.
#ifndef POSTERN_SRC_BASE_REGULAR_FILE_H_
#define POSTERN_SRC_BASE_REGULAR_FILE_H_

#include <string>

namespace postern::base {

// A descriptor of a regular file, to be read and owned by the caller; or -1, and errno says why. It
// is EISDIR for a directory and 0 for what is no file at all: a pipe that nobody writes to would be
// waited for without end, and what is read from one is gone at the next reload.
int OpenRegularFile(const std::string& path);

// What errno says after a failed OpenRegularFile.
std::string RegularFileProblem(int error);

}  // namespace postern::base

#endif  // POSTERN_SRC_BASE_REGULAR_FILE_H_
