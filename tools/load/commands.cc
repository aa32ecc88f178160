#include "tools/load/commands.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

extern char** environ;

namespace postern::load {
namespace {

// What a shell says of a command that it cannot run.
constexpr int kNotRun = 127;

pid_t Spawn(const std::string& command) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  // Standard output is for the summary.
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  const char* words[] = {"sh", "-c", command.c_str(), nullptr};
  pid_t process = 0;
  int error = posix_spawn(&process, "/bin/sh", &actions, &attributes,
                          const_cast<char* const*>(words), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return error == 0 ? process : 0;
}

}  // namespace

Commands::Commands(std::vector<TimedCommand> commands) : commands_(std::move(commands)) {
  std::stable_sort(commands_.begin(), commands_.end(),
                   [](const TimedCommand& a, const TimedCommand& b) { return a.at_s < b.at_s; });
}

Commands::~Commands() {
  for (pid_t process : processes_) {
    if (process != 0) {
      kill(-process, SIGKILL);
      waitpid(process, nullptr, 0);
    }
  }
}

void Commands::Advance(double now_s) {
  while (begun_ < commands_.size() && commands_[begun_].at_s <= now_s) {
    Begin(commands_[begun_++], now_s);
  }
  for (size_t i = 0; i < processes_.size(); ++i) {
    int status = 0;
    if (processes_[i] != 0 && waitpid(processes_[i], &status, WNOHANG) == processes_[i]) {
      processes_[i] = 0;
      outcomes_[i].ended_s = now_s;
      outcomes_[i].exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
  }
}

void Commands::Begin(const TimedCommand& command, double now_s) {
  CommandOutcome outcome;
  outcome.command = command.command;
  outcome.began_s = now_s;
  pid_t process = Spawn(command.command);
  if (process == 0) {
    outcome.ended_s = now_s;
    outcome.exit_code = kNotRun;
  }
  outcomes_.push_back(std::move(outcome));
  processes_.push_back(process);
}

bool Commands::running() const {
  return std::any_of(processes_.begin(), processes_.end(), [](pid_t p) { return p != 0; });
}

}  // namespace postern::load
