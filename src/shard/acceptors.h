// The listening sockets of one shard: accepts from them, opens those that a new generation needs,
// and closes those that it no longer has.
#ifndef POSTERN_SRC_SHARD_ACCEPTORS_H_
#define POSTERN_SRC_SHARD_ACCEPTORS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "src/base/status_fwd.h"
#include "src/base/timer_wheel.h"
#include "src/proxy/env.h"
#include "src/shard/hand_off.h"
#include "src/shard/mailbox.h"

namespace postern::shard {

class Acceptors {
 public:
  // Both outlive this. `hand_off` may be null.
  Acceptors(proxy::Env* env, HandOff* hand_off, size_t shard_index)
      : env_(env), hand_off_(hand_off), spread_(hand_off, shard_index) {}
  ~Acceptors();

  // Accepts for every listener of the current generation, whose sockets are open already.
  void Start();

  // Facts.
  void OnAccept(const io::Completion& completion);
  void OnTimer(size_t index);

  // Connections that other shards have accepted for this one.
  void WelcomeHanded(std::unique_ptr<Handed> handed);

  // Opens sockets for those listeners of `next` that the current generation has no socket for.
  // `ports` tells where listeners of port 0 listen on other shards. On failure nothing stays open.
  absl::Status Prepare(proxy::Serving* next, const std::vector<uint16_t>& ports);
  void Abort(proxy::Serving* next);
  // Hands the current generation's sockets over to `next` and accepts for it; what it has no
  // listener for is closed.
  void Switch(proxy::Serving* current, proxy::Serving* next);

  // Duplicates of all sockets, for another process.
  std::vector<ExportedSocket> Export() const;

  // Stops accepting for good; whom the accepts have taken by then is still served, and so is
  // whoever waits in the backlogs.
  void Close();
  // After Close: they are not, either.
  void Cut();
  // Nothing is in flight.
  bool idle() const;

 private:
  struct Slot {
    proxy::Listener* listener = nullptr;  // null: to be closed as soon as nothing is in flight
    // At the end of the process: serves whoever comes until the accept is cancelled and the socket
    // closed. One of its generation's users.
    proxy::Listener* last = nullptr;
    io::Socket socket;
    std::unique_ptr<base::Timer> pause;
    bool armed = false;
  };
  io::Token token(size_t index, io::Operation operation) const;
  void Add(proxy::Listener* listener);
  void AddSocket(proxy::Listener* listener, io::Socket socket);
  void Arm(size_t index);
  void Retire(size_t index);
  void TakeWaiting(io::Socket socket, proxy::Listener* listener);
  void Welcome(proxy::Listener* listener, io::Socket socket);
  bool GiveAway(const proxy::Listener& listener, io::Socket* socket);
  void Serve(proxy::Listener* listener, io::Socket socket);
  void CloseIfIdle(Slot* slot);
  static void ForgetLast(Slot* slot);

  proxy::Env* env_;
  HandOff* hand_off_;
  Spread spread_;
  std::vector<Slot> slots_;
};

}  // namespace postern::shard

#endif  // POSTERN_SRC_SHARD_ACCEPTORS_H_
