#include "tools/ca/files.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "absl/cleanup/cleanup.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "tools/ca/errors.h"

namespace postern::ca {
namespace {

// A CRL of a million entries has some 40 MB; whatever is larger than this is not one of ours.
constexpr size_t kFileSizeMax = 256u << 20;

absl::Status AlreadyExists(const std::string& path) {
  return absl::AlreadyExistsError(
      absl::StrCat(path, " exists already: choose another name, or replace it with --force"));
}

absl::Status WriteAll(int fd, const OutputFile& file) {
  size_t done = 0;
  while (done < file.contents.size()) {
    const ssize_t n = write(fd, file.contents.data() + done, file.contents.size() - done);
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      return FileError("cannot write", file.path);
    }
    done += static_cast<size_t>(n);
  }
  if (fchmod(fd, file.mode) != 0 || fsync(fd) != 0) {
    return FileError("cannot write", file.path);
  }
  return absl::OkStatus();
}

absl::Status WriteFile(const OutputFile& file, IfExists if_exists) {
  std::string temporary = absl::StrCat(file.path, ".XXXXXX");
  const int fd = mkostemp(temporary.data(), O_CLOEXEC);  // made with mode 0600
  if (fd < 0) {
    return FileError("cannot make", file.path);
  }
  absl::Cleanup remove = [&temporary] { unlink(temporary.c_str()); };
  absl::Status status = WriteAll(fd, file);
  if (close(fd) != 0 && status.ok()) {
    status = FileError("cannot write", file.path);
  }
  CA_RETURN_IF_ERROR(status);
  if (if_exists == IfExists::kReplace) {
    return rename(temporary.c_str(), file.path.c_str()) == 0 ? absl::OkStatus()
                                                             : FileError("cannot make", file.path);
  }
  // Unlike rename(), link() fails if the name is taken, also when it was taken a moment ago.
  if (link(temporary.c_str(), file.path.c_str()) != 0) {
    return errno == EEXIST ? AlreadyExists(file.path) : FileError("cannot make", file.path);
  }
  return absl::OkStatus();
}

}  // namespace

bool FileExists(const std::string& path) {
  struct stat info;
  return lstat(path.c_str(), &info) == 0;
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return FileError("cannot read", path);
  }
  absl::Cleanup closer = [fd] { close(fd); };
  std::string contents;
  char block[1 << 16];
  for (;;) {
    const ssize_t n = read(fd, block, sizeof(block));
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      return FileError("cannot read", path);
    }
    if (n == 0) {
      return contents;
    }
    contents.append(block, static_cast<size_t>(n));
    if (contents.size() > kFileSizeMax) {
      return absl::FailedPreconditionError(absl::StrCat(path, " is larger than 256 MB"));
    }
  }
}

absl::Status CheckWritable(const std::vector<std::string>& paths, IfExists if_exists) {
  for (const std::string& path : paths) {
    const size_t slash = path.rfind('/');
    const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    if (access(directory.c_str(), W_OK | X_OK) != 0) {
      return FileError("cannot write into directory", directory);
    }
    if (if_exists == IfExists::kFail && FileExists(path)) {
      return AlreadyExists(path);
    }
  }
  return absl::OkStatus();
}

absl::Status WriteFiles(const std::vector<OutputFile>& files, IfExists if_exists) {
  for (size_t i = 0; i < files.size(); ++i) {
    const absl::Status status = WriteFile(files[i], if_exists);
    if (!status.ok()) {
      for (size_t made = 0; if_exists == IfExists::kFail && made < i; ++made) {
        unlink(files[made].path.c_str());
      }
      return status;
    }
  }
  return absl::OkStatus();
}

}  // namespace postern::ca
