// A client that speaks HTTP/2.
#ifndef POSTERN_TESTS_GATE_CLIENT_H2_H_
#define POSTERN_TESTS_GATE_CLIENT_H2_H_

#include <cstdint>
#include <map>
#include <string>

#include "tests/gate/client.h"
#include "tests/gate/h2_endpoint.h"

namespace postern::gate {

class ClientH2 final : public Client {
 public:
  ClientH2(sim::World* world, const io::Address& gate, const Pair* identity,
           const ClientOptions& options);

 private:
  void Take(const std::string& plaintext) override;
  void SendRequests() override;
  void OnAnswer(int32_t stream, const H2Endpoint::Message& answer);

  H2Endpoint endpoint_{false};
  std::map<int32_t, Ask> asks_;  // under way, by stream
};

}  // namespace postern::gate

#endif  // POSTERN_TESTS_GATE_CLIENT_H2_H_
