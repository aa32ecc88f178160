#include "tools/ca/revocation.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/cleanup/cleanup.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "tools/ca/certificate.h"
#include "tools/ca/errors.h"
#include "tools/ca/files.h"
#include "tools/ca/time_text.h"

namespace postern::ca {
namespace {

struct Reason {
  absl::string_view name;
  int code;
};

constexpr Reason kReasonCodes[] = {
    {"unspecified", 0},        {"keyCompromise", 1},      {"cACompromise", 2},
    {"affiliationChanged", 3}, {"superseded", 4},         {"cessationOfOperation", 5},
    {"certificateHold", 6},    {"privilegeWithdrawn", 9}, {"aACompromise", 10},
};

absl::StatusOr<Revocation> ParseRevoked(absl::string_view line) {
  const std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits(' ', 4));
  if (parts.size() < 4) {
    return absl::InvalidArgumentError("write 'revoked SERIAL TIME REASON'");
  }
  Revocation result;
  CA_ASSIGN_OR_RETURN(result.serial, NormalizeSerial(parts[1]));
  CA_ASSIGN_OR_RETURN(result.time, ParseTime(parts[2], 0));
  CA_RETURN_IF_ERROR(ReasonCode(parts[3]).status());
  result.reason = parts[3];
  result.comment = parts.size() > 4 ? parts[4] : "";
  return result;
}

absl::Status ParseLine(absl::string_view line, RevocationDatabase* database,
                       absl::flat_hash_set<std::string>* seen) {
  if (line.empty() || line[0] == '#') {
    return absl::OkStatus();
  }
  if (absl::ConsumePrefix(&line, "crl_number ")) {
    if (!absl::SimpleAtoi(line, &database->crl_number) || database->crl_number < 1) {
      return absl::InvalidArgumentError("write 'crl_number N'");
    }
    return absl::OkStatus();
  }
  if (line.substr(0, 8) != "revoked ") {
    return absl::InvalidArgumentError("it begins with neither 'revoked' nor 'crl_number'");
  }
  CA_ASSIGN_OR_RETURN(Revocation revocation, ParseRevoked(line));
  if (!seen->insert(revocation.serial).second) {
    return absl::InvalidArgumentError("the serial is in an earlier line already");
  }
  database->entries.push_back(std::move(revocation));
  return absl::OkStatus();
}

// Opens the database for appending and holds its lock until the descriptor is closed.
absl::StatusOr<int> OpenLocked(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, kPublicMode);
  if (fd < 0) {
    return FileError("cannot write", path);
  }
  while (flock(fd, LOCK_EX) != 0) {
    if (errno != EINTR) {
      const absl::Status status = FileError("cannot lock", path);
      close(fd);
      return status;
    }
  }
  return fd;
}

absl::Status AppendLine(int fd, const std::string& path, const std::string& line) {
  // One write, so that a line is there as a whole or, if the disk is full, is refused by the next
  // reader.
  if (write(fd, line.data(), line.size()) != static_cast<ssize_t>(line.size()) || fsync(fd) != 0) {
    return FileError("cannot write", path);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<int> ReasonCode(absl::string_view reason) {
  for (const Reason& known : kReasonCodes) {
    if (known.name == reason) {
      return known.code;
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("'", reason, "' is no reason: choose one of ", kReasons));
}

absl::StatusOr<RevocationDatabase> ParseRevocations(absl::string_view text,
                                                    absl::string_view path) {
  RevocationDatabase database;
  absl::flat_hash_set<std::string> seen;
  size_t number = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    const absl::Status status = ParseLine(absl::StripSuffix(line, "\r"), &database, &seen);
    if (!status.ok()) {
      return absl::DataLossError(absl::StrCat(path, ":", number, ": ", status.message()));
    }
  }
  return database;
}

absl::StatusOr<RevocationDatabase> ReadRevocations(const std::string& path) {
  if (!FileExists(path)) {
    return RevocationDatabase();
  }
  CA_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  return ParseRevocations(text, path);
}

absl::StatusOr<bool> AppendRevocation(const std::string& path, const Revocation& revocation) {
  CA_ASSIGN_OR_RETURN(const int fd, OpenLocked(path));
  absl::Cleanup closer = [fd] { close(fd); };
  CA_ASSIGN_OR_RETURN(const RevocationDatabase database, ReadRevocations(path));
  const bool known =
      std::any_of(database.entries.begin(), database.entries.end(),
                  [&revocation](const Revocation& r) { return r.serial == revocation.serial; });
  if (known) {
    return false;
  }
  CA_RETURN_IF_ERROR(
      AppendLine(fd, path,
                 absl::StrCat("revoked ", revocation.serial, " ", FormatTime(revocation.time), " ",
                              revocation.reason, revocation.comment.empty() ? "" : " ",
                              revocation.comment, "\n")));
  return true;
}

absl::Status AppendCrlNumber(const std::string& path, int64_t number) {
  CA_ASSIGN_OR_RETURN(const int fd, OpenLocked(path));
  absl::Cleanup closer = [fd] { close(fd); };
  return AppendLine(fd, path, absl::StrCat("crl_number ", number, "\n"));
}

}  // namespace postern::ca
