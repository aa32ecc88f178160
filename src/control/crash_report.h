// What a process that dies says: which signal, at which address, and the calls that led there.
#ifndef POSTERN_SRC_CONTROL_CRASH_REPORT_H_
#define POSTERN_SRC_CONTROL_CRASH_REPORT_H_

namespace postern::control {

// From here on a fatal signal (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, which a failed CHECK and a
// service manager's watchdog end with) writes a report to standard error before it does what it
// would have done. Addresses of the program are offsets, for `addr2line -f -e postern`. Signals
// that somebody else handles already, a sanitizer for one, are left to them. A stack that is used
// up gives no report.
void ReportCrashes();

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_CRASH_REPORT_H_
