// What a process that dies says: which signal, at which address, and the calls that led there.
#ifndef POSTERN_SRC_CONTROL_CRASH_REPORT_H_
#define POSTERN_SRC_CONTROL_CRASH_REPORT_H_

namespace postern::control {

// From here on a fatal signal (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, which a failed CHECK and a
// service manager's watchdog end with) writes a report to standard error before it does what it
// would have done. Addresses of the program are offsets, for `addr2line -f -e postern`. Signals
// that somebody else handles already, a sanitizer for one, are left to them. A stack that is used
// up gives a report in threads that have an AlternateStack.
void ReportCrashes();

// Where the calling thread writes the report when its own stack is used up. Ends in the thread that
// made it. One that cannot be made, for want of memory, is none: the thread goes on without.
class AlternateStack {
 public:
  AlternateStack();
  ~AlternateStack();
  AlternateStack(const AlternateStack&) = delete;
  AlternateStack& operator=(const AlternateStack&) = delete;

 private:
  void* memory_ = nullptr;
};

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_CRASH_REPORT_H_
