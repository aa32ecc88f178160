// A program that stays behind when the command that started it has ended.
#ifndef POSTERN_SRC_CONTROL_BACKGROUND_H_
#define POSTERN_SRC_CONTROL_BACKGROUND_H_

#include <functional>

namespace postern::control {

// Runs `run` in a process of a session of its own. Returns in this one, with 0, when that one has
// called `*serving`, which this fills in; or with its status when it ends before. In that one it
// returns what `run` does. Before the first thread.
//
// That process is init's child before `run` begins. A service manager takes one as the main process
// of a service whose parent still lives for somebody else's: it does not wait for its end then, and
// "stop" kills it in the middle of its drain.
int RunInBackground(const std::function<int()>& run, std::function<void()>* serving);

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_BACKGROUND_H_
