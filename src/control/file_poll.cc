#include "src/control/file_poll.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "src/control/crash_report.h"
#include "src/io/machine/clock.h"

namespace postern::control {
namespace {

constexpr std::chrono::milliseconds kPause{1'000};
// Of very many files, or slow ones: one hundredth of the time is spent on looking, or more if the
// pause would get long.
constexpr int kPausePerLook = 100;
constexpr std::chrono::seconds kPauseMax{30};

template <typename Value>
void Append(const Value& value, std::string* to) {
  to->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

void AppendFile(const std::string& path, std::string* to) {
  struct stat about = {};
  const int error = stat(path.c_str(), &about) == 0 ? 0 : errno;
  Append(error, to);
  if (error == 0) {
    Append(about.st_dev, to);
    Append(about.st_ino, to);
    Append(about.st_size, to);
    Append(about.st_mtim.tv_sec, to);
    Append(about.st_mtim.tv_nsec, to);
    Append(about.st_ctim.tv_sec, to);
    Append(about.st_ctim.tv_nsec, to);
  }
}

}  // namespace

FilePoll::Sight FilePoll::SightOf(const std::string& path, bool is_directory) {
  Sight sight;
  AppendFile(path, &sight);
  if (!is_directory) {
    return sight;
  }
  std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(path.c_str()), closedir);
  std::vector<std::string> names;
  while (directory != nullptr) {
    const dirent* entry = readdir(directory.get());
    if (entry == nullptr) {
      break;
    }
    // A name with a dot is nobody's file, and the directory above changes without us.
    if (entry->d_name[0] != '.') {
      names.emplace_back(entry->d_name);
    }
  }
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    sight.append(name).push_back('\0');
    AppendFile(path + "/" + name, &sight);
  }
  return sight;
}

FilePoll::~FilePoll() {
  if (thread_.joinable()) {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
}

void FilePoll::Watch(const std::vector<std::string>& files,
                     const std::vector<std::string>& directories) {
  std::map<std::string, Entry> entries;
  for (const auto* paths : {&files, &directories}) {
    for (const std::string& path : *paths) {
      const bool is_directory = paths == &directories;
      entries[path] = {is_directory, SightOf(path, is_directory)};
    }
  }
  std::lock_guard lock(mutex_);
  for (auto& [path, entry] : entries) {
    // What has changed since the last look is still to be told.
    if (const auto known = entries_.find(path); known != entries_.end()) {
      entry = std::move(known->second);
    }
  }
  entries_ = std::move(entries);
}

bool FilePoll::Look() {
  std::map<std::string, Entry> seen;
  {
    std::lock_guard lock(mutex_);
    seen = entries_;
  }
  for (auto& [path, entry] : seen) {
    entry.sight = SightOf(path, entry.is_directory);
  }
  bool is_other = false;
  std::lock_guard lock(mutex_);
  for (auto& [path, entry] : entries_) {
    const auto now = seen.find(path);
    if (now != seen.end() && now->second.sight != entry.sight) {
      entry.sight = std::move(now->second.sight);
      is_other = true;
    }
  }
  return is_other;
}

void FilePoll::Start(std::function<void()> changed) {
  on_change_ = std::move(changed);
  thread_ = std::thread([this] { Run(); });
}

void FilePoll::Run() {
  const ReportedThread reported("files");
  std::unique_lock lock(mutex_);
  std::chrono::microseconds pause = kPause;
  while (!changed_.wait_for(lock, pause, [this] { return stopping_; })) {
    lock.unlock();
    const int64_t begin_us = io::machine::MonotonicMicroseconds();
    if (Look()) {
      on_change_();
    }
    const std::chrono::microseconds taken(io::machine::MonotonicMicroseconds() - begin_us);
    pause = std::clamp<std::chrono::microseconds>(taken * kPausePerLook, kPause, kPauseMax);
    lock.lock();
  }
  ended_.release();
}

bool FilePoll::Stop(std::chrono::milliseconds patience) {
  if (!thread_.joinable()) {
    return true;
  }
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (!ended_.try_acquire_for(patience)) {
    return false;
  }
  thread_.join();
  return true;
}

}  // namespace postern::control
