// What a running process gives to its successor, and how it travels: a text and descriptors over a
// Unix socket. Other versions may be at the other end: lines that are not known are passed over.
#ifndef POSTERN_SRC_CONTROL_HANDOVER_H_
#define POSTERN_SRC_CONTROL_HANDOVER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "src/base/secret.h"
#include "src/config/config.h"
#include "src/control/patience.h"
#include "src/tls/ticket_keys.h"

namespace postern::control {

// Descriptors are owned by whoever holds it, and closed by CloseAll.
struct Handover {
  struct Listening {
    std::string name;             // of the listener
    config::AddressPort address;  // with the port that it really has
    int descriptor = -1;

    // Says what the kernel knows of a listening socket.
    static absl::StatusOr<Listening> Of(int descriptor);
  };
  std::string io;  // the driver's kind: sockets are set up as it needs them
  // What a service manager said in its environment; empty: it said nothing.
  std::string notify_socket;
  std::string watchdog_us;
  tls::TicketSecret secret = {};
  std::vector<Listening> listeners;  // several of the same address if they share the port
  std::vector<Listening> admin;      // one, or none
  std::string servers;               // their health (control/known_servers.h)
  std::string lists;                 // control/list_history.h

  void CloseAll();
};

// The text, without descriptors: "listener" and "admin" lines name them in this order. What a line
// begins with that this version does not know is passed over.
base::Secret EncodeHandover(const Handover& handover);
// The other way; `descriptors` are taken over, those that nothing names are closed.
absl::StatusOr<Handover> DecodeHandover(absl::string_view text, std::vector<int> descriptors);

// Over a connected stream socket, within the patience.
absl::Status SendHandover(int socket, const Handover& handover, const Patience& patience);
// In place of a handover, one line for people: receiving fails with it.
absl::Status SendRefusal(int socket, const std::string& why, const Patience& patience);
absl::StatusOr<Handover> ReceiveHandover(int socket, const Patience& patience);

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_HANDOVER_H_
