// A program that stays behind when the command that started it has ended.
#ifndef POSTERN_SRC_CONTROL_BACKGROUND_H_
#define POSTERN_SRC_CONTROL_BACKGROUND_H_

#include <functional>

namespace postern::control {

// Runs `run` in a child in a session of its own. Returns in this process, with 0, when the child
// has called `*serving`, which this fills in; or with the child's status when it ends before. In
// the child it returns what `run` does. Before the first thread.
int RunInBackground(const std::function<int()>& run, std::function<void()>* serving);

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_BACKGROUND_H_
