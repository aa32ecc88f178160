// A client in front of the gate: TLS with or without a certificate, then requests one after the
// other or several at once; judges every answer.
#ifndef POSTERN_TESTS_GATE_CLIENT_H_
#define POSTERN_TESTS_GATE_CLIENT_H_

#include <openssl/base.h>
#include <openssl/ssl.h>

#include <cstdint>
#include <deque>
#include <string>

#include "src/base/blocks_test_util.h"
#include "src/http/h1_body.h"
#include "src/http/h1_parser.h"
#include "tests/gate/certificates.h"
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
  double leave = 0;  // per request: goes away in the middle
  bool slow_reader = false;
};

class Client {
 public:
  // Null `identity`: no certificate.
  Client(sim::World* world, const io::Address& gate, const Pair* identity,
         const ClientOptions& options);

  size_t complete() const { return complete_; }  // right answers, status 200
  size_t refused() const { return refused_; }    // whole answers of another status
  bool established() const { return established_; }
  // Nothing more will come: all answers are there, or the connection has ended.
  bool finished() const { return finished_; }
  // The alert that ended the handshake, or 0.
  int alert() const { return alert_; }

 private:
  struct Expected {
    uint64_t key = 0;
    size_t size = 0;
    uint64_t body_hash = 0;
  };
  void OnChange();
  void Flush();
  void SendRequests();
  void ReadResponses();
  // False when more bytes are needed.
  bool ReadResponse();
  void Judge();
  void Finish();

  sim::World* world_;
  ClientOptions options_;
  bssl::UniquePtr<SSL_CTX> context_;
  bssl::UniquePtr<SSL> ssl_;
  BIO* from_gate_ = nullptr;  // the SSL's
  BIO* to_gate_ = nullptr;
  sim::SimStream stream_;
  std::string input_;
  std::deque<Expected> expected_;
  http::HeadScanner scanner_;
  http::ResponseHead head_;
  std::string head_bytes_;
  http::BodyDecoder decoder_{base::TestBlocks()};
  std::string body_;
  bool in_body_ = false;
  bool established_ = false;
  bool closed_by_gate_ = false;  // a close_notify came
  bool finished_ = false;
  bool last_ = false;  // the gate said that it will close
  size_t sent_ = 0;
  size_t complete_ = 0;
  size_t refused_ = 0;
  int alert_ = 0;
};

}  // namespace postern::gate

#endif  // POSTERN_TESTS_GATE_CLIENT_H_
