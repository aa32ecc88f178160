// One connection of one client: connects, shakes hands, carries requests, leaves.
//
//   kConnecting -> kUp -> kClosing (join) -> gone
//
// What happens to requests is told to the ConnectionUser from within Advance and Abandon. It
// records that and starts nothing.
#ifndef POSTERN_TOOLS_LOAD_CONNECTION_H_
#define POSTERN_TOOLS_LOAD_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "src/base/intrusive_list.h"
#include "src/base/slab.h"
#include "src/proxy/env.h"
#include "src/proxy/upstream_transport.h"
#include "src/tls/client_context.h"
#include "tools/load/identity.h"
#include "tools/load/request.h"
#include "tools/load/tally.h"

namespace postern::load {

class Connection;
class Protocol;

struct CarryTag {};  // on a connection, or waiting for one
struct AgeTag {};    // all that are not answered, oldest first
struct RoomTag {};   // connections that can carry one more
struct OpenTag {};   // connections that are not leaving, oldest first

// One request that is due.
struct Operation : base::ListNode<CarryTag>, base::ListNode<AgeTag> {
  Operation(base::SlabId, Kind wanted, int64_t due) : kind(wanted), due_us(due) {}
  Kind kind;
  int64_t due_us;
  Connection* connection = nullptr;
};

class ConnectionUser {
 public:
  virtual ~ConnectionUser() = default;
  // `offered`: a session of before.
  virtual void OnHandshake(bool offered, bool resumed, int64_t duration_us) = 0;
  // `status`: 0 for a handshake without a request. `at_us`: when its last bytes came.
  virtual void OnAnswer(Operation* operation, uint16_t status, int64_t at_us) = 0;
  virtual void OnFailure(Operation* operation, Failure failure) = 0;
  // The server has ended TLS by this alert, with requests on the connection or without.
  virtual void OnRefused(Identity* identity, uint8_t alert) = 0;
  virtual void OnBody(size_t bytes) = 0;
  // It is on its way out: no longer in any list of connections to use.
  virtual void OnLeaving(Connection* connection) = 0;
  // It has work to do.
  virtual void OnNews(Connection* connection) = 0;
  virtual void OnStarved(Connection* connection) = 0;
};

// What the connections of one worker have in common.
struct Terms {
  proxy::Env* env = nullptr;
  ConnectionUser* user = nullptr;
  io::Address address;
  tls::ServerName name;
  const Request* request = nullptr;
  bool tls = true;
  bool http2 = false;
  bool handshakes_only = false;
  size_t streams = 1;
};

class Connection final : public base::ListNode<proxy::RunTag>,
                         public base::ListNode<proxy::StarvedTag>,
                         public base::ListNode<RoomTag>,
                         public base::ListNode<OpenTag> {
 public:
  // For Slab::Acquire. The socket is open and not connected; connecting begins.
  Connection(base::SlabId id, const Terms* terms, Identity* identity, bool resume,
             io::Socket socket);
  ~Connection();

  // Facts.
  void OnConnect(const io::Completion& completion);
  void OnReceive(const io::Completion& completion);
  void OnSend(const io::Completion& completion);
  void OnBuffersAvailable();

  // False: it is gone, and to be released.
  [[nodiscard]] bool Advance();

  // For one more request.
  bool HasRoom() const;
  void Carry(Operation* operation);
  // It has taken too long.
  void Abandon(Operation* operation);
  // Carries no further request, and closes with the last one.
  void Leave();

  Identity* identity() const { return identity_; }

  // For its protocol.
  proxy::UpstreamTransport& transport() { return transport_; }
  const Terms& terms() const { return *terms_; }
  void Answered(Operation* operation, uint16_t status);
  void Failed(Operation* operation, Failure failure);
  // How the connection ended, seen from above TLS.
  Failure HowItEnded();

 private:
  enum class Phase : uint8_t { kConnecting, kUp, kClosing };

  proxy::UpstreamPeer PeerOf();
  void Establish();
  void BecomeUp();
  // The connection is gone, and with it every request.
  void Lose(Failure failure);
  void BeginClose();
  void News() { terms_->user->OnNews(this); }

  const Terms* terms_;
  Identity* identity_;
  Phase phase_ = Phase::kConnecting;
  bool resume_;
  bool leaving_ = false;
  int64_t began_us_;
  int64_t received_us_ = 0;
  std::unique_ptr<tls::ClientSessions> sessions_;
  bool offered_;  // one of them; the transport takes it out
  proxy::UpstreamTransport transport_;
  std::unique_ptr<Protocol> protocol_;
  base::IntrusiveList<Operation, CarryTag> carried_;
};

}  // namespace postern::load

#endif  // POSTERN_TOOLS_LOAD_CONNECTION_H_
