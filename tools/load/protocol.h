// What a connection speaks once it stands: HTTP/1.1, HTTP/2, or nothing but TLS.
#ifndef POSTERN_TOOLS_LOAD_PROTOCOL_H_
#define POSTERN_TOOLS_LOAD_PROTOCOL_H_

#include <cstddef>
#include <memory>
#include <optional>

#include "tools/load/connection.h"

namespace postern::load {

class Protocol {
 public:
  virtual ~Protocol() = default;

  // How many requests at once; may change with what the server says.
  virtual size_t room() const = 0;
  // Makes the request. False: the connection takes no more.
  [[nodiscard]] virtual bool Send(Operation* operation) = 0;
  // Takes what has come; answers are told to the connection. A failure: the connection is of no
  // more use, and all that it carries still has failed by that.
  virtual std::optional<Failure> Receive() = 0;
  // The request is of no interest any more. False: nor is the connection.
  [[nodiscard]] virtual bool Abandon(Operation* operation) = 0;
};

std::unique_ptr<Protocol> MakeH1Protocol(Connection* connection);
std::unique_ptr<Protocol> MakeH2Protocol(Connection* connection);
// Says goodbye at once, and takes the server's as proof that it has let us in.
std::unique_ptr<Protocol> MakeHandshakeProtocol(Connection* connection);

}  // namespace postern::load

#endif  // POSTERN_TOOLS_LOAD_PROTOCOL_H_
