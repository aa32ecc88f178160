// A client that speaks HTTP/1.1.
#ifndef POSTERN_TESTS_GATE_CLIENT_H1_H_
#define POSTERN_TESTS_GATE_CLIENT_H1_H_

#include <deque>
#include <string>

#include "src/base/blocks_test_util.h"
#include "src/http/h1_body.h"
#include "src/http/h1_parser.h"
#include "tests/gate/client.h"

namespace postern::gate {

class ClientH1 final : public Client {
 public:
  ClientH1(sim::World* world, const io::Address& gate, const Pair* identity,
           const ClientOptions& options);

 private:
  void Take(const std::string& plaintext) override;
  void SendRequests() override;
  std::string Text(const Ask& ask);
  // False when more bytes are needed.
  bool ReadResponse();
  void JudgeResponse();

  std::string input_;
  std::deque<Ask> asks_;  // under way
  http::HeadScanner scanner_;
  http::ResponseHead head_;
  std::string head_bytes_;
  http::BodyDecoder decoder_{base::TestBlocks()};
  std::string body_;
  bool in_body_ = false;
  bool last_ = false;  // the gate said that it will close
};

}  // namespace postern::gate

#endif  // POSTERN_TESTS_GATE_CLIENT_H1_H_
