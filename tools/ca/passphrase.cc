#include "tools/ca/passphrase.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tools/ca/errors.h"
#include "tools/ca/files.h"

namespace postern::ca {
namespace {

constexpr size_t kPassphraseSizeMax = 1024;

absl::StatusOr<std::string> Ask(int terminal, absl::string_view question) {
  termios before;
  if (tcgetattr(terminal, &before) != 0) {
    return FileError("cannot use", "/dev/tty");
  }
  termios silent = before;
  silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  // Before the question is seen: an answer that came earlier would be shown, and then dropped.
  tcsetattr(terminal, TCSAFLUSH, &silent);
  absl::Cleanup restore = [terminal, &before] { tcsetattr(terminal, TCSAFLUSH, &before); };
  if (write(terminal, question.data(), question.size()) < 0) {
    return FileError("cannot write to", "/dev/tty");
  }
  std::string line;
  char c = 0;
  while (line.size() <= kPassphraseSizeMax && read(terminal, &c, 1) == 1 && c != '\n') {
    line.push_back(c);
  }
  if (write(terminal, "\n", 1) < 0) {
    return FileError("cannot write to", "/dev/tty");
  }
  return line;
}

absl::StatusOr<std::string> Prompt(const PassphraseSource& source, const std::string& what,
                                   PassphrasePrompt prompt) {
  const int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (terminal < 0) {
    return absl::FailedPreconditionError(absl::StrCat("no passphrase for ", what,
                                                      ", and no terminal to ask at: give --",
                                                      source.flag, "_file=FILE"));
  }
  absl::Cleanup closer = [terminal] { close(terminal); };
  CA_ASSIGN_OR_RETURN(std::string first,
                      Ask(terminal, absl::StrCat("Passphrase for ", what, ": ")));
  if (prompt == PassphrasePrompt::kTwice) {
    CA_ASSIGN_OR_RETURN(const std::string second, Ask(terminal, "The same again: "));
    if (first != second) {
      return absl::FailedPreconditionError("the two passphrases differ: start again");
    }
  }
  return first;
}

}  // namespace

absl::StatusOr<std::string> GetPassphrase(const PassphraseSource& source, const std::string& what,
                                          PassphrasePrompt prompt) {
  std::string passphrase;
  if (source.value.has_value() && source.file.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("give either --", source.flag, " or --", source.flag, "_file"));
  }
  if (source.value.has_value()) {
    passphrase = *source.value;
  } else if (source.file.has_value()) {
    CA_ASSIGN_OR_RETURN(passphrase, ReadFile(*source.file == "-" ? "/dev/stdin" : *source.file));
    passphrase.resize(std::min(passphrase.size(), passphrase.find_first_of("\r\n")));
  } else {
    CA_ASSIGN_OR_RETURN(passphrase, Prompt(source, what, prompt));
  }
  if (passphrase.empty() || passphrase.size() > kPassphraseSizeMax) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the passphrase for ", what, " must have 1 to ", kPassphraseSizeMax, " characters"));
  }
  return passphrase;
}

}  // namespace postern::ca
