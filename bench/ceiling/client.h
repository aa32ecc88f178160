// A TLS client and the server at the other end of the gate, always with the same few messages: what
// the proxy has to do must not vary.
#ifndef POSTERN_BENCH_CEILING_CLIENT_H_
#define POSTERN_BENCH_CEILING_CLIENT_H_

#include <functional>
#include <map>
#include <string>

#include "src/io/address.h"
#include "src/tls/tls_test_util.h"
#include "tests/sim/sim_peer.h"
#include "tests/sim/world.h"

namespace postern::ceiling {

inline constexpr size_t kBodyBytes = 1024;

// One connection. Its functions let the world run until they are done, and CHECK that it succeeds.
class Client {
 public:
  Client(sim::World* world, const tls::ClientOptions& options);

  void Establish();
  void Send(const std::string& plaintext);
  // Plaintext that has come and was not taken.
  std::string Take() { return std::exchange(received_, ""); }
  const std::string& received() const { return received_; }
  void WaitFor(const std::function<bool()>& condition);
  // A GET over HTTP/1.1, with its answer.
  void Get();
  // Ends the connection in the proper way.
  void End();

  tls::TestClient& tls() { return tls_; }

 private:
  void OnChange();
  void Flush();

  sim::World* world_;
  tls::TestClient tls_;
  sim::SimStream stream_;
  std::string received_;
};

// Answers every GET over HTTP/1.1 with kBodyBytes, at once, and lets connections live.
class Origin {
 public:
  Origin(sim::World* world, const io::Address& address);

  uint64_t answered() const { return answered_; }

 private:
  void OnChange(sim::SimStream* stream);

  sim::SimServer server_;
  std::map<sim::SimStream*, std::string> input_;
  uint64_t answered_ = 0;
};

}  // namespace postern::ceiling

#endif  // POSTERN_BENCH_CEILING_CLIENT_H_
