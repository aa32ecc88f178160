// One check of one server, on a connection of its own: connect, and for a check by HTTP send the
// request and read the head of the response. What comes after the head is not read.
//
// Completions record facts; Advance decides. A decided probe cancels what is in flight, joins it
// and closes its socket; only then may it be destroyed.
#ifndef POSTERN_SRC_CONTROL_PROBE_H_
#define POSTERN_SRC_CONTROL_PROBE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "src/base/slab.h"
#include "src/http/h1_parser.h"
#include "src/http/message.h"
#include "src/io/address.h"
#include "src/io/driver.h"
#include "src/proxy/env.h"
#include "src/proxy/upstream_transport.h"
#include "src/upstream/health_table.h"

namespace postern::control {

// What every check of one server has in common.
struct ProbePlan {
  io::Address address;
  const tls::ClientContext* tls = nullptr;  // null: plain text
  const tls::ServerName* tls_name = nullptr;
  tls::ClientSessions* tls_sessions = nullptr;
  http::Method method = http::Method::kHead;
  std::string request;  // the whole message; empty: to be connected is enough
  uint8_t success_classes = 0;
};

struct ProbeResult {
  // Nothing was learned about the server: this process had no socket to ask with.
  bool skipped = false;
  upstream::CheckError error = upstream::CheckError::kNone;
  uint16_t status = 0;  // 0: no response head came
};

class Probe {
 public:
  // Begins to connect. Null when no socket is to be had. `env` and `plan` outlive the probe; `id`
  // names it in the tokens of its operations.
  static std::unique_ptr<Probe> Begin(proxy::Env* env, base::SlabId id, const ProbePlan& plan);

  // Facts.
  void OnCompletion(const io::Completion& completion);
  // Decides and submits.
  void Advance();
  // The time is up: the server has failed, unless it is decided otherwise already.
  void Expire() { Decide(upstream::CheckError::kTimeout); }
  // The result is of no interest any more.
  void Cancel();

  uint32_t generation() const { return id_.generation; }
  bool decided() const { return state_ == State::kDecided || state_ == State::kClosed; }
  // Of a decided probe.
  const ProbeResult& result() const { return result_; }
  // Nothing is in flight and nothing is open.
  bool closed() const { return state_ == State::kClosed; }

 private:
  enum class State : uint8_t {
    kConnecting,  // the connection, and TLS on it, is being made
    kExchanging,  // the request is being sent, the response awaited; both may be in flight
    kDecided,     // result_ stands; whatever is in flight has been cancelled and is being joined
    kClosed,      // the socket is closed
  };

  Probe(proxy::Env* env, base::SlabId id, const ProbePlan& plan, io::Socket socket);

  void AdvanceConnect();
  void AdvanceExchange();
  // Looks for a head in what has come, until there is a decision or no more.
  void ReadResponse();
  // A complete head lies at the front.
  void ReadHead(std::string_view bytes);
  void Arm();
  void Decide(upstream::CheckError error);
  void Join();

  proxy::Env* env_;
  base::SlabId id_;
  const ProbePlan& plan_;
  State state_ = State::kConnecting;
  uint32_t interim_heads_ = 0;
  proxy::UpstreamTransport transport_;
  http::HeadScanner scanner_;
  ProbeResult result_;
};

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_PROBE_H_
