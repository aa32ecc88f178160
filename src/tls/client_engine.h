// TLS for one connection to a server: verifies the server, resumes its sessions, and is the record
// layer under what follows (channel.h).
#ifndef POSTERN_SRC_TLS_CLIENT_ENGINE_H_
#define POSTERN_SRC_TLS_CLIENT_ENGINE_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "src/base/byte_queue.h"
#include "src/tls/channel.h"
#include "src/tls/client_context.h"
#include "src/tls/reason.h"

namespace postern::tls {

class ClientEngine : public Channel {
 public:
  // All of these outlive the engine. `sessions` are offered to the server, and added to.
  ClientEngine(const ClientContext* context, Transport* transport, const ServerName* name,
               ClientSessions* sessions);

  // Advances the handshake with the bytes at the front of `*input`, taking them off; the first call
  // has none.
  HandshakeStep Handshake(std::span<const uint8_t>* input, base::ByteQueue* output);
  // Decrypts at most one record into `plaintext`. `output` may grow too (key updates, alerts).
  ReadStep Read(std::span<const uint8_t>* input, std::span<uint8_t> plaintext, size_t* size,
                base::ByteQueue* output);

 private:
  friend struct ClientCallbacks;

  void RecordFailure();

  const ClientContext* context_;
  const ServerName* name_;
  ClientSessions* sessions_;
};

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_CLIENT_ENGINE_H_
