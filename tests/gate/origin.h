// A server behind the gate: answers /KEY/SIZE with that many bytes of that key's pattern, in every
// framing there is, at its own pace, and misbehaves as often as it is told to.
#ifndef POSTERN_TESTS_GATE_ORIGIN_H_
#define POSTERN_TESTS_GATE_ORIGIN_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "src/base/blocks_test_util.h"
#include "src/http/h1_body.h"
#include "src/http/h1_parser.h"
#include "tests/sim/sim_peer.h"
#include "tests/sim/world.h"

namespace postern::gate {

struct OriginFaults {
  double cut_before_response = 0;  // ends the connection instead of answering
  double cut_in_body = 0;
  double garbage = 0;     // answers with something that is no response
  double close_idle = 0;  // ends the connection some time after a response
  double silent = 0;      // never answers
};

class Origin {
 public:
  Origin(sim::World* world, const io::Address& address, std::string name,
         const OriginFaults& faults);

  // Requests answered in full, health checks apart.
  uint64_t answered() const { return answered_; }
  uint64_t checked() const { return checked_; }

 private:
  struct Session {
    std::string input;
    bool in_body = false;
    http::HeadScanner scanner;
    http::RequestHead head;
    std::string head_bytes;
    http::BodyDecoder decoder{base::TestBlocks()};
    uint64_t body_hash = 0;
    std::string body;
    bool busy = false;  // an answer is being prepared
    bool broken = false;
  };

  void OnAccept(sim::SimStream* stream);
  void OnChange(sim::SimStream* stream);
  // Reads one request; false when more bytes are needed.
  bool ReadRequest(Session* session);
  void Answer(sim::SimStream* stream, Session* session);
  std::string Respond(const Session& session, bool* close);

  sim::World* world_;
  std::string name_;
  OriginFaults faults_;
  sim::SimServer server_;
  std::map<sim::SimStream*, std::unique_ptr<Session>> sessions_;
  uint64_t answered_ = 0;
  uint64_t checked_ = 0;
};

}  // namespace postern::gate

#endif  // POSTERN_TESTS_GATE_ORIGIN_H_
