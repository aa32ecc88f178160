// Commands of the user's that run at their time in mid-run.
#ifndef POSTERN_TOOLS_LOAD_COMMANDS_H_
#define POSTERN_TOOLS_LOAD_COMMANDS_H_

#include <sys/types.h>

#include <cstddef>
#include <vector>

#include "tools/load/options.h"
#include "tools/load/results.h"

namespace postern::load {

class Commands {
 public:
  explicit Commands(std::vector<TimedCommand> commands);
  // Ends those that still run.
  ~Commands();
  Commands(const Commands&) = delete;
  Commands& operator=(const Commands&) = delete;

  // Starts what is due, and takes note of what has ended. Seconds since the start of the load.
  void Advance(double now_s);
  bool running() const;
  const std::vector<CommandOutcome>& outcomes() const { return outcomes_; }

 private:
  void Begin(const TimedCommand& command, double now_s);

  std::vector<TimedCommand> commands_;  // in their order of time
  size_t begun_ = 0;
  std::vector<CommandOutcome> outcomes_;
  std::vector<pid_t> processes_;  // of outcomes_, each the leader of its group; 0: ended
};

}  // namespace postern::load

#endif  // POSTERN_TOOLS_LOAD_COMMANDS_H_
