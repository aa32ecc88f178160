// The contract of io::Driver as a test suite. Every driver runs the same tests: each instantiates
// DriverContract with its own harness (sim_contract_test.cc, uring_contract_test.cc; a new driver
// adds one file).
//
// The tests assume only what src/io/driver.h promises: sends and receives may be short, completions
// come in any order, a cancelled operation may end in any way. Every loop is bounded; nothing is
// measured in time.
#ifndef POSTERN_TESTS_SIM_DRIVER_CONTRACT_H_
#define POSTERN_TESTS_SIM_DRIVER_CONTRACT_H_

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "src/io/driver.h"

namespace postern::sim {

// Makes drivers of one kind and lets time pass for them.
class ContractHarness {
 public:
  virtual ~ContractHarness() = default;
  // Not started. Buffers of 4096 bytes and 32 KiB; the counts are powers of two.
  virtual std::unique_ptr<io::Driver> NewDriver(uint32_t small_buffers, uint32_t large_buffers) = 0;
  // One Wait that returns early or late, but soon: within a few milliseconds, of whatever kind they
  // are.
  virtual size_t WaitBriefly(io::Driver* driver, std::span<io::Completion> out) = 0;
  // Turns without progress after which a test has failed.
  virtual size_t turns_max() const = 0;
};

struct ContractParameter {
  std::string name;
  std::function<std::unique_ptr<ContractHarness>()> make;
};

// A driver and the completions that it has handed out but nobody has asked for.
struct ContractNode {
  std::unique_ptr<io::Driver> driver;
  std::map<io::Token, std::deque<io::Completion>> completions;
  uint32_t next_life = 1;

  io::Token NewToken(io::Operation operation) {
    return io::MakeToken(operation, 3, {7, next_life++});
  }
  size_t Count(io::Token token) { return completions[token].size(); }
};

class DriverContract : public testing::TestWithParam<ContractParameter> {
 protected:
  void SetUp() override { harness_ = GetParam().make(); }
  void TearDown() override;

  // A started driver, of this thread; lives until the test ends.
  ContractNode* NewNode(uint32_t small_buffers = 16, uint32_t large_buffers = 4);

  // One brief Wait for every node.
  void TurnAll();
  // Takes turns until the condition holds; a failure of the test if that never happens.
  bool TurnUntil(const std::function<bool()>& condition);
  // Takes turns until this completion has come, and takes it.
  io::Completion Expect(ContractNode* node, io::Token token);
  // Lets a few turns pass, so that whatever wants to come can come.
  void Settle();

  // A listener on a loopback address with a port of the driver's choice, accepting under `token`.
  struct Listening {
    io::Socket socket;
    io::Address address;
    io::Token token = 0;
  };
  Listening StartListening(ContractNode* node, const char* host = "127.0.0.1");
  // Cancels the accept, closes what was accepted and not taken, and closes the listener.
  void StopListening(ContractNode* node, const Listening& listening);

  // A connection between two nodes (perhaps the same); first the one that connected.
  std::pair<io::Socket, io::Socket> Connect(ContractNode* from, ContractNode* to,
                                            const Listening& listening);
  io::Completion ConnectTo(ContractNode* from, io::Socket socket, const io::Address& address);

  // Sends all of it, in up to four spans at a time; the last status.
  io::Status SendAll(ContractNode* node, io::Socket socket, const std::string& bytes);
  // Receives until this many bytes are there or something else than kOk comes; appends to `bytes`.
  io::Status Receive(ContractNode* node, io::Socket socket, size_t count, std::string* bytes,
                     io::BufferClass buffer_class = io::BufferClass::kSmall);
  // All of `bytes` from one socket to another, both at once; what arrived.
  std::string Transfer(ContractNode* from, io::Socket source, ContractNode* to, io::Socket sink,
                       const std::string& bytes);
  // Sends until a send stays in flight because nobody reads; its token. Counts the bytes that were
  // taken.
  io::Token FillUp(ContractNode* node, io::Socket socket, std::span<const uint8_t> bytes,
                   size_t* taken);

  std::unique_ptr<ContractHarness> harness_;
  std::vector<std::unique_ptr<ContractNode>> nodes_;
};

// A connection between two drivers, for the length of a test.
class StreamContract : public DriverContract {
 protected:
  void SetUp() override;
  void TearDown() override;
  void CloseNear() { client_->driver->Close(std::exchange(near_, io::Socket{})); }
  void CloseFar() { server_->driver->Close(std::exchange(far_, io::Socket{})); }

  ContractNode* server_ = nullptr;
  ContractNode* client_ = nullptr;
  Listening listening_;
  io::Socket near_;  // the client's
  io::Socket far_;   // the server's
};

// Bytes in which every place looks different.
std::string ContractBytes(size_t size);

inline std::span<const uint8_t> AsBytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace postern::sim

#endif  // POSTERN_TESTS_SIM_DRIVER_CONTRACT_H_
