// A server's connection in HTTP/2.
#ifndef POSTERN_TESTS_GATE_ORIGIN_H2_H_
#define POSTERN_TESTS_GATE_ORIGIN_H2_H_

#include <cstdint>
#include <string>

#include "tests/gate/h2_endpoint.h"
#include "tests/gate/origin.h"

namespace postern::gate {

class OriginH2 final : public OriginConnection {
 public:
  OriginH2(Origin* origin, sim::SimStream* stream);

 private:
  void Take(const std::string& plaintext) override;
  void OnRequest(int32_t stream, const H2Endpoint::Message& request);
  void Respond(int32_t stream, const H2Endpoint::Message& request);
  void Cut(int32_t stream);
  void Flush();

  H2Endpoint endpoint_{true};
};

}  // namespace postern::gate

#endif  // POSTERN_TESTS_GATE_ORIGIN_H2_H_
