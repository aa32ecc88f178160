// A server's connection in HTTP/1.1, which uses every framing there is.
#ifndef POSTERN_TESTS_GATE_ORIGIN_H1_H_
#define POSTERN_TESTS_GATE_ORIGIN_H1_H_

#include <string>

#include "src/base/blocks_test_util.h"
#include "src/http/h1_body.h"
#include "src/http/h1_parser.h"
#include "tests/gate/origin.h"

namespace postern::gate {

class OriginH1 final : public OriginConnection {
 public:
  OriginH1(Origin* origin, sim::SimStream* stream);

 private:
  void Take(const std::string& plaintext) override;
  void Advance();
  // Reads one request; false when more bytes are needed.
  bool ReadRequest();
  void Respond();
  std::string ResponseText(bool* close);
  void AfterResponse(bool close);

  std::string input_;
  bool in_body_ = false;
  http::HeadScanner scanner_;
  http::RequestHead head_;
  std::string head_bytes_;
  http::BodyDecoder decoder_{base::TestBlocks()};
  std::string body_;
  bool busy_ = false;  // an answer is being prepared
  bool broken_ = false;
};

}  // namespace postern::gate

#endif  // POSTERN_TESTS_GATE_ORIGIN_H1_H_
