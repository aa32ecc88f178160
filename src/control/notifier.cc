#include "src/control/notifier.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "src/base/clock.h"

namespace postern::control {

// A message is lines: text from elsewhere (an error of a reload) must not add any.
std::string Notifier::StatusLine(std::string_view status) {
  status_ = std::string(status);
  return absl::StrCat("STATUS=", absl::StrReplaceAll(status_, {{"\n", "; "}}), "\n");
}

void Notifier::Send(const std::string& message) {
  if (!options_.send) {
    return;
  }
  absl::Status status = options_.send(message);
  if (!status.ok() && !complained_ && options_.complain) {
    complained_ = true;
    options_.complain(std::string(status.message()));
  }
}

void Notifier::Ready(std::string_view status, int64_t now_ms) {
  Send(absl::StrCat("READY=1\n", StatusLine(status)));
  if (options_.send && options_.watchdog_ms > 0 && ask_ms_ == base::kNever) {
    ask_ms_ = now_ms;
  }
}

void Notifier::Reloading(int64_t now_us) {
  Send(absl::StrCat("RELOADING=1\nMONOTONIC_USEC=", now_us, "\n", StatusLine("reloading")));
}

void Notifier::Stopping(std::string_view status, int64_t patience_ms) {
  Send(absl::StrCat("STOPPING=1\n", StatusLine(status), "EXTEND_TIMEOUT_USEC=", patience_ms * 1000,
                    "\n"));
}

void Notifier::Status(std::string_view status) {
  if (options_.send && status != status_) {
    Send(StatusLine(status));
  }
}

void Notifier::MainPid(int64_t pid) {
  Send(absl::StrCat("MAINPID=", pid, "\n"));
}

void Notifier::Asked(uint64_t round, int64_t now_ms) {
  round_ = round;
  // Half of the manager's patience, as sd_watchdog_enabled(3) recommends.
  ask_ms_ = now_ms + std::max<int64_t>(options_.watchdog_ms / 2, 1);
}

void Notifier::Answered(uint64_t round) {
  if (round_ != 0 && round >= round_) {
    round_ = 0;
    Send("WATCHDOG=1\n");
  }
}

int64_t Notifier::DeadlineMs() const {
  return round_ == 0 ? ask_ms_ : base::kNever;
}

}  // namespace postern::control
