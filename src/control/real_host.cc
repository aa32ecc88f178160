#include "src/control/real_host.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <initializer_list>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "src/base/check.h"
#include "src/base/regular_file.h"
#include "src/control/names.h"

namespace postern::control {
namespace {

// More than any PEM bundle or CRL that is sensible to hold in memory.
constexpr size_t kFileBytesMax = size_t{256} << 20;

// A reload that waits for name servers keeps others waiting; whoever starts has nothing better to
// do.
constexpr std::chrono::milliseconds kNamesPatience{1'000};
constexpr std::chrono::milliseconds kNamesPatienceAtStart{10'000};

// Wakes the watcher thread when it is to end. From anybody else it means nothing.
constexpr int kEndWatcher = SIGUSR2;

// How often something is tried while there are no descriptors, of all that is read together.
constexpr int kTries = 50;
constexpr int kTryPauseMs = 10;

// Opens something: what clients take beyond their part in a burst is given back in a moment.
template <typename Open>
auto OpenPatiently(int* tries, const Open& open_it) {
  auto opened = open_it();
  for (; *tries > 0 && !opened && (errno == EMFILE || errno == ENFILE); --*tries) {
    poll(nullptr, 0, kTryPauseMs);
    opened = open_it();
  }
  return opened;
}

// As above, of a call that answers -1.
template <typename Open>
int OpenDescriptor(int* tries, const Open& open_it) {
  int descriptor = -1;
  OpenPatiently(tries, [&] { return (descriptor = open_it()) >= 0; });
  return descriptor;
}

sigset_t SetOf(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : signals) {
    sigaddset(&set, signal);
  }
  return set;
}

// Those that ask for something wait until there is somebody to do it.
sigset_t Requests() {
  return SetOf({SIGHUP, SIGUSR1, kEndWatcher});
}

// Those that end the process end one that is only starting as they end any.
sigset_t WatchedSignals() {
  return SetOf({SIGTERM, SIGINT, SIGHUP, SIGUSR1, kEndWatcher});
}

absl::Status FileError(const std::string& path, int error) {
  std::string message = absl::StrCat(path, ": ", std::strerror(error));
  return error == ENOENT ? absl::NotFoundError(message) : absl::PermissionDeniedError(message);
}

}  // namespace

RealHost::RealHost() {
  sigset_t set = Requests();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);  // a log at the limit of its size is full like a disk
}

RealHost::~RealHost() {
  if (watcher_.joinable()) {
    ending_.store(true, std::memory_order_relaxed);
    pthread_kill(watcher_.native_handle(), kEndWatcher);
    watcher_.join();
  }
}

bool RealHost::MayWaitFor(const std::string& path) {
  const int error = errno;
  struct stat about = {};
  bool may = !watching_ && stat(path.c_str(), &about) == 0 && S_ISFIFO(about.st_mode);
  if (may) {
    std::fprintf(stderr, "postern: %s: a pipe; waiting for its other end\n", path.c_str());
  }
  errno = error;
  return may;
}

absl::StatusOr<std::string> RealHost::ReadFile(const std::string& path) {
  int descriptor = OpenDescriptor(&tries_, [&path] { return base::OpenRegularFile(path); });
  if (descriptor < 0 && errno == 0 && MayWaitFor(path)) {
    descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  }
  if (descriptor < 0) {
    return errno == 0
               ? absl::InvalidArgumentError(absl::StrCat(path, ": ", base::RegularFileProblem(0)))
               : FileError(path, errno);
  }
  std::string contents;
  // Large lists are read into memory that has the right size from the start.
  struct stat about;
  if (fstat(descriptor, &about) == 0 && about.st_size > 0) {
    contents.reserve(std::min(static_cast<size_t>(about.st_size), kFileBytesMax) + 1);
  }
  char buffer[16384];
  ssize_t taken = 0;
  while ((taken = read(descriptor, buffer, sizeof(buffer))) > 0 &&
         contents.size() < kFileBytesMax) {
    contents.append(buffer, static_cast<size_t>(taken));
  }
  int error = errno;
  close(descriptor);
  explicit_bzero(buffer, sizeof(buffer));  // it may have been a key
  if (taken < 0) {
    return FileError(path, error);
  }
  if (taken > 0) {
    return absl::ResourceExhaustedError(absl::StrCat(path, ": larger than 256 MiB"));
  }
  return contents;
}

bool RealHost::OthersMayRead(const std::string& path) {
  struct stat about;
  if (stat(path.c_str(), &about) != 0) {
    return false;
  }
  return (about.st_mode & S_IROTH) != 0 || ((about.st_mode & S_IRGRP) != 0 && about.st_uid != 0);
}

int64_t RealHost::WallSeconds() {
  return time(nullptr);
}

absl::StatusOr<std::vector<std::string>> RealHost::ListDirectory(const std::string& path) {
  std::unique_ptr<DIR, int (*)(DIR*)> directory(
      OpenPatiently(&tries_, [&path] { return opendir(path.c_str()); }), closedir);
  if (directory == nullptr) {
    return FileError(path, errno);
  }
  std::vector<std::string> names;
  while (const dirent* entry = readdir(directory.get())) {
    std::string name = entry->d_name;
    if (name != "." && name != "..") {
      names.push_back(std::move(name));
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

Resolved RealHost::ResolveAll(const std::set<std::string>& names) {
  return ResolveNames(names, watching_ ? kNamesPatience : kNamesPatienceAtStart);
}

absl::StatusOr<int> RealHost::OpenLog(const std::string& path) {
  int descriptor = -1;
  if (Syslog::IsName(path)) {
    return syslog_.Open(path);
  }
  if (path == "-" || path == "!") {
    descriptor = fcntl(path == "-" ? STDOUT_FILENO : STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
  } else {
    // Without waiting for somebody who reads, if it is a pipe.
    int flags = O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    int tries = kTries;
    descriptor = OpenDescriptor(&tries, [&] { return open(path.c_str(), flags, 0640); });
    if (descriptor < 0 && errno == ENXIO && MayWaitFor(path)) {
      descriptor = open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
    }
  }
  if (descriptor < 0 && errno == ENXIO) {
    return absl::UnavailableError(
        absl::StrCat(path, ": nobody reads this pipe; start its reader first"));
  }
  if (descriptor < 0) {
    return FileError(path, errno);
  }
  return pipes_.Take(descriptor);
}

absl::Status RealHost::AppendLog(int log, std::string_view* bytes) {
  if (syslog_.Has(log)) {
    return syslog_.Append(log, bytes);
  }
  if (pipes_.Has(log)) {
    return pipes_.Append(log, bytes);
  }
  while (!bytes->empty()) {
    ssize_t written = write(log, bytes->data(), bytes->size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      return absl::UnavailableError(std::strerror(errno));
    }
    bytes->remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

void RealHost::CloseLog(int log) {
  syslog_.Forget(log);
  pipes_.Forget(log);
  close(log);
}

void RealHost::BeginReading() {
  tries_ = kTries;
  poll_.Look();
}

void RealHost::WatchFiles(const std::vector<std::string>& files,
                          const std::vector<std::string>& directories) {
  files_.Watch(files, directories);
  poll_.Watch(files, directories);
}

std::string RealHost::WatchProblem() const {
  return files_.complete() ? ""
                           : "not all changes of files are noticed at once, but within a second or "
                             "two: the system's limits of inotify are used up "
                             "(fs.inotify.max_user_instances, fs.inotify.max_user_watches)";
}

void RealHost::WatchSignals(io::Waker* waker) {
  sigset_t set = WatchedSignals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  watching_ = true;
  int signals = signalfd(-1, &set, SFD_CLOEXEC);
  CHECK(signals >= 0);
  watcher_ = std::thread([this, signals, waker] { WaitForNews(signals, waker); });
  poll_.Start([this, waker] {
    files_changed_.store(true, std::memory_order_relaxed);
    waker->Wake();
  });
}

void RealHost::WaitForNews(int signals, io::Waker* waker) {
  // poll passes over a descriptor of -1.
  pollfd waits[] = {{signals, POLLIN, 0}, {files_.descriptor(), POLLIN, 0}};
  for (bool live = true; live;) {
    if (poll(waits, 2, -1) < 0) {
      continue;
    }
    if ((waits[0].revents & POLLIN) != 0) {
      live = TakeSignal(signals);
    }
    if ((waits[1].revents & POLLIN) != 0) {
      files_.Drain();
      files_changed_.store(true, std::memory_order_relaxed);
    }
    if (live) {
      waker->Wake();
    }
  }
  close(signals);
}

bool RealHost::TakeSignal(int signals) {
  signalfd_siginfo signal;
  if (read(signals, &signal, sizeof(signal)) != sizeof(signal)) {
    return true;
  }
  switch (signal.ssi_signo) {
    case SIGHUP:
      reload_.store(true, std::memory_order_relaxed);
      return true;
    case SIGUSR1:
      reopen_logs_.store(true, std::memory_order_relaxed);
      return true;
    case kEndWatcher:
      return !ending_.load(std::memory_order_relaxed);
    default:
      stop_count_.fetch_add(1, std::memory_order_relaxed);
      return true;
  }
}

Host::Signals RealHost::TakeSignals() {
  Signals signals;
  signals.stop_count = stop_count_.exchange(0, std::memory_order_relaxed);
  signals.reload = reload_.exchange(false, std::memory_order_relaxed);
  signals.reopen_logs = reopen_logs_.exchange(false, std::memory_order_relaxed);
  signals.files_changed = files_changed_.exchange(false, std::memory_order_relaxed);
  return signals;
}

}  // namespace postern::control
