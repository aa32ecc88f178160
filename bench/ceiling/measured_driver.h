// A simulated driver whose own work is not counted: callgrind collects within Shard::Turn, and
// stops while the shard is inside its driver, where a kernel would work.
#ifndef POSTERN_BENCH_CEILING_MEASURED_DRIVER_H_
#define POSTERN_BENCH_CEILING_MEASURED_DRIVER_H_

#include <valgrind/callgrind.h>

#include <cstdint>
#include <span>

#include "tests/sim/sim_driver.h"

namespace postern::ceiling {

class MeasuredDriver final : public sim::SimDriver {
 public:
  using SimDriver::SimDriver;

  io::Address LocalAddress(io::Socket socket) override {
    Pause pause(in_turns());
    return SimDriver::LocalAddress(socket);
  }
  io::Address PeerAddress(io::Socket socket) override {
    Pause pause(in_turns());
    return SimDriver::PeerAddress(socket);
  }
  void SubmitAccept(io::Socket listener, io::Token token) override {
    Pause pause(in_turns());
    SimDriver::SubmitAccept(listener, token);
  }
  bool TakeWaiting(io::Socket listener, io::Socket* socket) override {
    Pause pause(in_turns());
    return SimDriver::TakeWaiting(listener, socket);
  }
  io::Status Open(bool ipv6, io::Socket* socket) override {
    Pause pause(in_turns());
    return SimDriver::Open(ipv6, socket);
  }
  void SubmitConnect(io::Socket socket, const io::Address& peer, io::Token token) override {
    Pause pause(in_turns());
    SimDriver::SubmitConnect(socket, peer, token);
  }
  void SubmitReceive(io::Socket socket, io::BufferClass buffer_class, io::Token token) override {
    Pause pause(in_turns());
    SimDriver::SubmitReceive(socket, buffer_class, token);
  }
  void ReleaseBuffer(const io::Buffer& buffer) override {
    Pause pause(in_turns());
    SimDriver::ReleaseBuffer(buffer);
  }
  void SubmitSend(io::Socket socket, std::span<const std::span<const uint8_t>> spans,
                  io::Token token) override {
    Pause pause(in_turns());
    SimDriver::SubmitSend(socket, spans, token);
  }
  void SubmitCancel(io::Token target) override {
    Pause pause(in_turns());
    SimDriver::SubmitCancel(target);
  }
  void Shutdown(io::Socket socket, io::ShutdownSide side) override {
    Pause pause(in_turns());
    SimDriver::Shutdown(socket, side);
  }
  void Close(io::Socket socket) override {
    Pause pause(in_turns());
    SimDriver::Close(socket);
  }
  void Submit() override {
    Pause pause(in_turns());
    SimDriver::Submit();
  }
  Turn Wait(std::span<io::Completion> out, int64_t deadline_us) override {
    Pause pause(true);
    return SimDriver::Wait(out, deadline_us);
  }
  int64_t MonotonicUs() override {
    Pause pause(in_turns());
    return SimDriver::MonotonicUs();
  }
  void RandomBytes(std::span<uint8_t> out) override {
    Pause pause(in_turns());
    SimDriver::RandomBytes(out);
  }

 private:
  // Callgrind knows only "the other state": a pause outside a turn would begin to collect.
  class Pause {
   public:
    explicit Pause(bool in_turn) : in_turn_(in_turn) {
      if (in_turn_) {
        CALLGRIND_TOGGLE_COLLECT;
      }
    }
    ~Pause() {
      if (in_turn_) {
        CALLGRIND_TOGGLE_COLLECT;
      }
    }
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;

   private:
    bool in_turn_;
  };

  // A shard's first turn begins with its driver's first Wait; what comes before is its start, and
  // between turns nobody calls.
  bool in_turns() const { return turns() > 0; }
};

}  // namespace postern::ceiling

#endif  // POSTERN_BENCH_CEILING_MEASURED_DRIVER_H_
