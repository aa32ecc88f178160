// Clients in front of the gate: TLS with or without a certificate, then requests one after the
// other or several at once, in either version of HTTP; they judge every answer.
#ifndef POSTERN_TESTS_GATE_CLIENT_H_
#define POSTERN_TESTS_GATE_CLIENT_H_

#include <cstdint>
#include <memory>
#include <string>

#include "tests/gate/certificates.h"
#include "tests/gate/pipe.h"
#include "tests/sim/sim_peer.h"
#include "tests/sim/world.h"

namespace postern::gate {

struct ClientOptions {
  uint64_t key = 0;  // tells this client's requests from all others; requests count on from it
  size_t requests = 3;
  size_t pipeline = 1;  // requests under way at once
  size_t body_bytes_max = 20'000;
  size_t response_bytes_max = 60'000;
  bool tls12 = false;
  bool http2 = false;
  double leave = 0;                // per request: goes away in the middle
  bool stay = false;               // after the last answer, until the gate ends it
  SSL_SESSION* session = nullptr;  // to resume
};

class Client {
 public:
  // Null `identity`: no certificate. Connects at once.
  static std::unique_ptr<Client> Make(sim::World* world, const io::Address& gate,
                                      const Pair* identity, const ClientOptions& options);
  virtual ~Client() = default;

  size_t complete() const { return complete_; }  // right answers, status 200
  size_t refused() const { return refused_; }    // whole answers of another status
  bool established() const { return pipe_.established(); }
  // Of the ticket that it was given; null without one. The client's.
  SSL_SESSION* session() const { return pipe_.session(); }
  // Nothing more will come: all answers are there, or the connection has ended.
  bool finished() const { return finished_; }

 protected:
  // A request, and what its answer must show.
  struct Ask {
    uint64_t key = 0;
    size_t size = 0;  // of the answer
    bool post = false;
    std::string body;
    std::string target() const { return "/" + std::to_string(key) + "/" + std::to_string(size); }
  };

  Client(sim::World* world, const io::Address& gate, const Pair* identity,
         const ClientOptions& options);

  // What has come, in plaintext, perhaps nothing.
  virtual void Take(const std::string& plaintext) = 0;
  virtual void SendRequests() = 0;

  Ask NextAsk();
  bool asked_all() const { return sent_ == options_.requests; }
  // A whole answer with status 200: it is the one that was asked for, to the last byte.
  void Judge(const Ask& ask, const std::string& key, const std::string& hash,
             const std::string& body);
  void CountRefused() { ++refused_; }
  void FinishIfAnswered(size_t unanswered);
  // Goes away in the middle of something.
  void Leave();
  void Finish();

  sim::World* world_;
  ClientOptions options_;
  sim::SimStream stream_;
  Pipe pipe_;

 private:
  void OnChange();

  bool finished_ = false;
  size_t sent_ = 0;
  size_t complete_ = 0;
  size_t refused_ = 0;
};

}  // namespace postern::gate

#endif  // POSTERN_TESTS_GATE_CLIENT_H_
