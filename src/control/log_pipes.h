// Logs that somebody reads at the other end: a pipe, standard output as a terminal or a service
// manager's socket. Whoever does not read does not stop this process.
#ifndef POSTERN_SRC_CONTROL_LOG_PIPES_H_
#define POSTERN_SRC_CONTROL_LOG_PIPES_H_

#include <sys/types.h>

#include <string_view>
#include <vector>

#include "src/base/status_fwd.h"

namespace postern::control {

class LogPipes {
 public:
  // Takes over a log's descriptor: the one to use from here on. If it can fill up it is one of
  // these.
  int Take(int descriptor);
  bool Has(int descriptor) const;
  // Takes off what was written. When nobody reads for a second the rest is lost, with an error, and
  // the next are not waited with before something has been read again.
  absl::Status Append(int descriptor, std::string_view* bytes);
  // Forgets a descriptor that is closed.
  void Forget(int descriptor);

 private:
  struct Pipe {
    int descriptor;
    bool socket;
    bool patient = true;  // the last line was taken
    bool torn = false;    // the rest of a line was lost
  };
  static ssize_t Write(const Pipe& pipe, std::string_view piece);
  Pipe* Find(int descriptor);

  std::vector<Pipe> pipes_;
};

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_LOG_PIPES_H_
