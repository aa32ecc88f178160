// What a process that dies says: which signal, at which address, what its threads were doing, and
// the calls that led there.
#ifndef POSTERN_SRC_CONTROL_CRASH_REPORT_H_
#define POSTERN_SRC_CONTROL_CRASH_REPORT_H_

#include <cstddef>
#include <string_view>

#include "src/base/raw_line.h"

namespace postern::control {

// From here on a fatal signal (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, which a failed CHECK and a
// service manager's watchdog end with) writes a report to standard error before it does what it
// would have done. Addresses of the program are offsets, for `addr2line -f -e postern`. Signals
// that somebody else handles already, a sanitizer for one, are left to them.
//
// The thread that fails reports itself. If the signal comes from outside, as a watchdog's does, any
// thread may be the one that stands still: each ReportedThread is asked in turn, and has a tenth of
// a second to answer.
void ReportCrashes();

// The calling thread in such a report. Ends in the thread that made it. It has a stack of its own
// for the report, for when its own is used up; one that cannot be made, for want of memory, is
// none: the thread goes on without.
class ReportedThread {
 public:
  // Adds to the line what the thread is doing; called in a signal handler.
  using Describe = void (*)(const void* work, base::RawLine* line);

  // `name`: a literal, such as "helper". `work`, which outlives this, is what `describe` is called
  // with; without it nothing but the name is said.
  explicit ReportedThread(std::string_view name, Describe describe = nullptr,
                          const void* work = nullptr);
  ~ReportedThread();
  ReportedThread(const ReportedThread&) = delete;
  ReportedThread& operator=(const ReportedThread&) = delete;

 private:
  void* stack_ = nullptr;
  size_t place_;  // among the threads that are asked
};

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_CRASH_REPORT_H_
