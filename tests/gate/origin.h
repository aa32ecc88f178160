// A server behind the gate: answers /KEY/SIZE with that many bytes of that key's pattern, at its
// own pace, and misbehaves as often as it is told to.
#ifndef POSTERN_TESTS_GATE_ORIGIN_H_
#define POSTERN_TESTS_GATE_ORIGIN_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "tests/gate/certificates.h"
#include "tests/gate/pipe.h"
#include "tests/sim/sim_peer.h"
#include "tests/sim/world.h"

namespace postern::gate {

struct OriginOptions {
  bool http2 = false;
  const Pair* tls = nullptr;  // its certificate; null: plain text
  // How often:
  double cut_before_response = 0;  // ends the connection, or stream, instead of answering
  double cut_in_body = 0;
  double garbage = 0;     // answers with something that is no response
  double close_idle = 0;  // ends the connection some time after a response
  double silent = 0;      // never answers
};

class Origin;

// One connection to it.
class OriginConnection {
 public:
  OriginConnection(Origin* origin, sim::SimStream* stream);
  virtual ~OriginConnection() = default;
  void OnChange();

 protected:
  // What has come, in plaintext, perhaps nothing. More may have come before it was looked at.
  virtual void Take(const std::string& plaintext) = 0;

  // What every request must show, and the answer that it gets.
  struct Answer {
    std::string key;
    std::string hash;  // of the request's body
    std::string body;
  };
  Answer AnswerTo(std::string_view target, std::string_view verify, std::string_view subject,
                  const std::string& request_body) const;

  Origin* origin_;
  sim::SimStream* stream_;
  Pipe pipe_;
};

class Origin {
 public:
  Origin(sim::World* world, const io::Address& address, std::string name,
         const OriginOptions& options);

  // Requests answered in full, health checks apart.
  uint64_t answered() const { return answered_; }

  // For its connections.
  sim::World* world() { return world_; }
  const std::string& name() const { return name_; }
  const OriginOptions& options() const { return options_; }
  void CountAnswered() { ++answered_; }

 private:
  void OnAccept(sim::SimStream* stream);

  sim::World* world_;
  std::string name_;
  OriginOptions options_;
  sim::SimServer server_;
  std::map<sim::SimStream*, std::unique_ptr<OriginConnection>> connections_;
  uint64_t answered_ = 0;
};

}  // namespace postern::gate

#endif  // POSTERN_TESTS_GATE_ORIGIN_H_
