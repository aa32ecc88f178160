#include "src/control/crash_report.h"

#include <execinfo.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

// Where the linker has put the program: its first byte, and the end of its code.
extern "C" const char __executable_start;
extern "C" const char etext;

namespace postern::control {
namespace {

constexpr int kFatalSignals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
constexpr int kFramesMax = 64;
// The unwinder takes some 10 KiB, and the registers of the widest processors 11 KiB.
constexpr size_t kAlternateStackBytes = size_t{64} * 1024;

// One line, written without anything that is not allowed in a signal handler: no allocation, no
// lock, no stdio.
class Line {
 public:
  Line& Text(std::string_view text) {
    const size_t size = std::min(text.size(), bytes_.size() - size_);
    std::copy_n(text.begin(), size, bytes_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += size;
    return *this;
  }
  Line& Number(uint64_t number, unsigned base) {
    std::array<char, 20> digits;
    size_t at = digits.size();
    do {
      digits[--at] = "0123456789abcdef"[number % base];
      number /= base;
    } while (number != 0);
    return Text({digits.data() + at, digits.size() - at});
  }
  void Write() {
    Text("\n");
    [[maybe_unused]] ssize_t written = write(STDERR_FILENO, bytes_.data(), size_);
  }

 private:
  std::array<char, 200> bytes_;
  size_t size_ = 0;
};

void WriteAddress(const void* address) {
  const auto at = reinterpret_cast<uintptr_t>(address);
  const auto begin = reinterpret_cast<uintptr_t>(&__executable_start);
  const bool is_ours = at >= begin && at < reinterpret_cast<uintptr_t>(&etext);
  Line line;
  line.Text(is_ours ? "postern: at program+0x" : "postern: at 0x");
  line.Number(is_ours ? at - begin : at, 16).Write();
}

void OnFatalSignal(int signal, siginfo_t* about, void*) {
  Line line;
  line.Text("postern: fatal signal ").Number(static_cast<uint64_t>(signal), 10);
  if (about->si_code <= 0) {
    line.Text(", sent by process ").Number(static_cast<uint64_t>(about->si_pid), 10);
  } else {
    line.Text(", address 0x").Number(reinterpret_cast<uintptr_t>(about->si_addr), 16);
  }
  line.Text(", thread ").Number(static_cast<uint64_t>(gettid()), 10).Write();
  std::array<void*, kFramesMax> frames;
  const int count = backtrace(frames.data(), kFramesMax);
  for (int i = 0; i < count; ++i) {
    WriteAddress(frames[static_cast<size_t>(i)]);
  }
  // The handler was for one time (SA_RESETHAND): what happens now is what would have happened.
  raise(signal);
}

}  // namespace

void ReportCrashes() {
  // The first call loads a library, which a signal handler may not.
  std::array<void*, 1> frame;
  backtrace(frame.data(), 1);
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

AlternateStack::AlternateStack() {
  stack_t before = {};
  if (sigaltstack(nullptr, &before) != 0 || (before.ss_flags & SS_DISABLE) == 0) {
    return;  // a sanitizer's
  }
  void* memory = mmap(nullptr, kAlternateStackBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    return;
  }
  stack_t stack = {};
  stack.ss_sp = memory;
  stack.ss_size = kAlternateStackBytes;
  if (sigaltstack(&stack, nullptr) == 0) {
    memory_ = memory;
  } else {
    munmap(memory, kAlternateStackBytes);
  }
}

AlternateStack::~AlternateStack() {
  if (memory_ != nullptr) {
    stack_t none = {};
    none.ss_flags = SS_DISABLE;
    sigaltstack(&none, nullptr);
    munmap(memory_, kAlternateStackBytes);
  }
}

}  // namespace postern::control
