#include "tools/healthtop/process.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/upstream/table_handout.h"

namespace postern::healthtop {
namespace {

namespace fs = std::filesystem;

// The names in a directory that are numbers, sorted.
std::vector<int> NumbersIn(const std::string& path, std::error_code* error) {
  std::vector<int> numbers;
  fs::directory_iterator at(path, *error);
  for (; !*error && at != fs::directory_iterator(); at.increment(*error)) {
    int number = 0;
    if (absl::SimpleAtoi(at->path().filename().string(), &number)) {
      numbers.push_back(number);
    }
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

absl::Status ErrorOf(int pid, const std::error_code& error) {
  if (error.value() == ENOENT || error.value() == ESRCH) {
    return absl::NotFoundError(absl::StrCat("there is no process ", pid));
  }
  if (error.value() == EACCES || error.value() == EPERM) {
    return absl::PermissionDeniedError(absl::StrCat("process ", pid, " may not be looked into"));
  }
  return absl::UnavailableError(absl::StrCat("process ", pid, ": ", error.message()));
}

absl::Status Unreadable(int pid, const absl::Status& why) {
  return absl::FailedPreconditionError(
      absl::StrCat("the table of process ", pid, " ", why.message()));
}

// Among the process's descriptors.
absl::StatusOr<std::unique_ptr<const upstream::HealthTable>> FindTable(const std::string& proc,
                                                                       int pid) {
  const std::string folder = absl::StrCat(proc, "/", pid, "/fd");
  const std::string target =
      absl::StrCat("/memfd:", upstream::HealthTable::kMemfdName, " (deleted)");
  std::error_code error;
  std::unique_ptr<const upstream::HealthTable> newest;
  absl::Status problem = absl::NotFoundError(
      absl::StrCat("process ", pid, " has no health table; is it a postern that serves?"));
  for (int number : NumbersIn(folder, &error)) {
    const std::string path = absl::StrCat(folder, "/", number);
    std::error_code unread;
    const std::string leads_to = fs::read_symlink(path, unread).string();
    // Others have gone meanwhile: descriptors come and go.
    if (unread == std::errc::permission_denied) {
      return ErrorOf(pid, unread);
    }
    if (leads_to != target) {
      continue;
    }
    int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
      problem = ErrorOf(pid, std::error_code(errno, std::generic_category()));
      continue;
    }
    auto table = upstream::HealthTable::Open(descriptor);
    if (!table.ok()) {
      problem = Unreadable(pid, table.status());
    } else if (newest == nullptr || (*table)->generation() >= newest->generation()) {
      newest = *std::move(table);
    }
  }
  if (newest != nullptr) {
    return newest;
  }
  return error ? ErrorOf(pid, error) : problem;
}

}  // namespace

absl::StatusOr<int> FindProcess(const std::string& proc) {
  std::error_code error;
  std::vector<int> found;
  for (int pid : NumbersIn(proc, &error)) {
    std::ifstream file(absl::StrCat(proc, "/", pid, "/comm"));
    std::string name;
    if (std::getline(file, name) && name == "postern") {
      found.push_back(pid);
    }
  }
  if (error) {
    return absl::UnavailableError(absl::StrCat(proc, ": ", error.message()));
  }
  if (found.empty()) {
    return absl::NotFoundError("no postern is running here; name a process with --pid");
  }
  if (found.size() > 1) {
    return absl::FailedPreconditionError(
        absl::StrCat("several are running; choose one with --pid: ", absl::StrJoin(found, ", ")));
  }
  return found[0];
}

absl::StatusOr<std::unique_ptr<const upstream::HealthTable>> OpenTable(const std::string& proc,
                                                                       int pid) {
  auto found = FindTable(proc, pid);
  if (!absl::IsPermissionDenied(found.status())) {
    return found;
  }
  absl::StatusOr<int> given = upstream::AskForTable(pid);
  if (!given.ok()) {
    return absl::PermissionDeniedError(
        absl::StrCat("process ", pid, " ", given.status().message(),
                     "; run this as its user, or as root with CAP_SYS_PTRACE"));
  }
  auto table = upstream::HealthTable::Open(*given);
  return table.ok() ? std::move(table) : Unreadable(pid, table.status());
}

}  // namespace postern::healthtop
