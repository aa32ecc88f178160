#include "src/control/crash_report.h"

#include <execinfo.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "src/base/raw_line.h"

// Where the linker has put the program: its first byte, and the end of its code.
extern "C" const char __executable_start;
extern "C" const char etext;

namespace postern::control {
namespace {

using base::RawLine;

constexpr int kFatalSignals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
constexpr int kFramesMax = 64;
// The unwinder takes some 10 KiB, and the registers of the widest processors 11 KiB.
constexpr size_t kAlternateStackBytes = size_t{64} * 1024;

// More threads than this are not asked: a report is not worth more.
constexpr size_t kThreadsMax = 512;
constexpr int kAskPauseMs = 1;
constexpr int kAskPauses = 100;

// What a thread says of itself. A handler looks for its own by the thread's id.
struct Entry {
  std::atomic<pid_t> thread = 0;  // 0: a free place; set last
  std::string_view name;
  ReportedThread::Describe describe = nullptr;
  const void* work = nullptr;
};

std::array<Entry, kThreadsMax> entries;
std::atomic<uint32_t> answers = 0;

// Asks a thread to report itself. Set once: SIGRTMIN is a call, which a handler does without.
std::atomic<int> ask_signal = 0;

void WriteAddress(const void* address) {
  const auto at = reinterpret_cast<uintptr_t>(address);
  const auto begin = reinterpret_cast<uintptr_t>(&__executable_start);
  const bool is_ours = at >= begin && at < reinterpret_cast<uintptr_t>(&etext);
  RawLine line;
  line.Text(is_ours ? "postern: at program+0x" : "postern: at 0x");
  line.Number(is_ours ? at - begin : at, 16).Write();
}

// What the calling thread does, and the calls that led there.
void ReportMyself() {
  RawLine line;
  line.Text("postern: thread ").Number(static_cast<uint64_t>(gettid())).Text(", ");
  for (const Entry& entry : entries) {
    if (entry.thread.load() == gettid()) {
      line.Text(entry.name);
      if (entry.describe != nullptr) {
        entry.describe(entry.work, &line);
      }
    }
  }
  line.Write();
  std::array<void*, kFramesMax> frames;
  const int count = backtrace(frames.data(), kFramesMax);
  for (int i = 0; i < count; ++i) {
    WriteAddress(frames[static_cast<size_t>(i)]);
  }
}

void OnAsked(int) {
  const int error = errno;
  ReportMyself();
  answers.fetch_add(1);
  errno = error;
}

// One after the other, so that their lines do not mix.
void AskOthers() {
  for (const Entry& entry : entries) {
    const pid_t id = entry.thread.load();
    const uint32_t before = answers.load();
    if (id <= 0 || id == gettid() || tgkill(getpid(), id, ask_signal.load()) != 0) {
      continue;
    }
    int pauses = 0;
    while (answers.load() == before && pauses < kAskPauses) {
      poll(nullptr, 0, kAskPauseMs);
      ++pauses;
    }
    if (pauses == kAskPauses) {
      RawLine()
          .Text("postern: thread ")
          .Number(static_cast<uint64_t>(id))
          .Text(" does not answer")
          .Write();
    }
  }
}

void OnFatalSignal(int signal, siginfo_t* about, void*) {
  RawLine line;
  line.Text("postern: fatal signal ").Number(static_cast<uint64_t>(signal));
  const bool from_outside = about->si_code <= 0 && about->si_pid != getpid();
  if (about->si_code <= 0) {
    line.Text(", sent by process ").Number(static_cast<uint64_t>(about->si_pid));
  } else {
    line.Text(", address 0x").Number(reinterpret_cast<uintptr_t>(about->si_addr), 16);
  }
  line.Write();
  ReportMyself();
  if (from_outside) {
    AskOthers();
  }
  // The handler was for one time (SA_RESETHAND): what happens now is what would have happened.
  raise(signal);
}

// Asks the kernel to answer on a stack of its own. Null: there is none, or somebody else's.
void* MakeStack() {
  stack_t before = {};
  if (sigaltstack(nullptr, &before) != 0 || (before.ss_flags & SS_DISABLE) == 0) {
    return nullptr;  // a sanitizer's
  }
  void* memory = mmap(nullptr, kAlternateStackBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    return nullptr;
  }
  stack_t stack = {};
  stack.ss_sp = memory;
  stack.ss_size = kAlternateStackBytes;
  if (sigaltstack(&stack, nullptr) != 0) {
    munmap(memory, kAlternateStackBytes);
    return nullptr;
  }
  return memory;
}

}  // namespace

void ReportCrashes() {
  // The first call loads a library, which a signal handler may not.
  std::array<void*, 1> frame;
  backtrace(frame.data(), 1);
  ask_signal = SIGRTMIN + 3;
  struct sigaction asked = {};
  asked.sa_handler = OnAsked;
  asked.sa_flags = static_cast<int>(SA_RESTART | SA_ONSTACK);
  sigaction(ask_signal, &asked, nullptr);
  for (const int signal : kFatalSignals) {
    struct sigaction before;
    if (sigaction(signal, nullptr, &before) != 0 || before.sa_handler != SIG_DFL) {
      continue;
    }
    struct sigaction action = {};
    action.sa_sigaction = OnFatalSignal;
    action.sa_flags = static_cast<int>(SA_SIGINFO | SA_RESETHAND | SA_ONSTACK);
    sigaction(signal, &action, nullptr);
  }
}

ReportedThread::ReportedThread(std::string_view name, Describe describe, const void* work)
    : stack_(MakeStack()), place_(0) {
  constexpr pid_t kTaken = -1;
  pid_t free = 0;
  while (place_ < entries.size() && !entries[place_].thread.compare_exchange_strong(free, kTaken)) {
    free = 0;
    ++place_;
  }
  if (place_ < entries.size()) {
    Entry& entry = entries[place_];
    entry.name = name;
    entry.describe = describe;
    entry.work = work;
    entry.thread = gettid();
  }
}

ReportedThread::~ReportedThread() {
  if (place_ < entries.size()) {
    entries[place_].thread = 0;
  }
  if (stack_ != nullptr) {
    stack_t none = {};
    none.ss_flags = SS_DISABLE;
    sigaltstack(&none, nullptr);
    munmap(stack_, kAlternateStackBytes);
  }
}

}  // namespace postern::control
