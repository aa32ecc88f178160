// The smallest participant: a server that sends back what it receives, written against io::Driver
// as a shard would be.
#ifndef POSTERN_TESTS_SIM_ECHO_TEST_UTIL_H_
#define POSTERN_TESTS_SIM_ECHO_TEST_UTIL_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "src/io/driver.h"

namespace postern::sim {

class EchoServer {
 public:
  explicit EchoServer(io::Driver* driver) : driver_(driver) {}

  absl::Status Start(const io::Address& address, bool share_port = false);
  io::Address address() { return driver_->LocalAddress(listener_); }
  void Turn();
  // Stops accepting and ends all connections; finished() once that is done.
  void Stop();
  bool finished() const { return stopping_ && connections_.empty() && !listening_; }
  size_t accepted() const { return accepted_; }
  size_t no_buffers() const { return no_buffers_; }

 private:
  struct Connection {
    io::Socket socket;
    std::string pending;  // received, not sent; its front may be in flight
    bool receiving = false;
    bool sending = false;
    bool ended = false;
    bool broken = false;
  };
  io::Token TokenOf(io::Operation operation, uint32_t connection) const {
    return io::MakeToken(operation, 1, {connection, 1});
  }
  void OnCompletion(const io::Completion& completion);
  void OnAccept(const io::Completion& completion);
  void Advance(uint32_t id);
  void Arm();

  io::Driver* driver_;
  io::Socket listener_;
  bool listening_ = false;
  bool stopping_ = false;
  int64_t rearm_us_ = 0;
  uint32_t next_id_ = 1;
  size_t accepted_ = 0;
  size_t no_buffers_ = 0;
  std::map<uint32_t, Connection> connections_;
};

}  // namespace postern::sim

#endif  // POSTERN_TESTS_SIM_ECHO_TEST_UTIL_H_
