// Log lines to syslog's local socket, which journald listens on as well.
#ifndef POSTERN_SRC_CONTROL_SYSLOG_H_
#define POSTERN_SRC_CONTROL_SYSLOG_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace postern::control {

class Syslog {
 public:
  // "<30>/dev/log": the priority of lines that name no level, and the path of the socket.
  static bool IsName(std::string_view name) { return name.starts_with('<'); }

  // A descriptor for Append and Close.
  absl::StatusOr<int> Open(const std::string& name);
  bool Has(int descriptor) const;
  // A datagram for each line; takes off those that went. If one is not taken for a tenth of a
  // second it and the rest are lost, with an error, and the next are not waited with before one is
  // taken again.
  absl::Status Append(int descriptor, std::string_view* lines);
  // Forgets a descriptor that is closed.
  void Forget(int descriptor);

 private:
  struct Socket {
    int descriptor;
    std::string path;
    std::string priority;  // "<30>"
    std::string tag;       // "postern[4711]: "
    bool patient = true;   // the last line was taken
  };
  std::vector<Socket> sockets_;
};

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_SYSLOG_H_
