// The admin interface: plain HTTP/1.1 on a loopback address. /healthz for whoever decides whether
// to send traffic here, /status for tools, / for people. Read only, unless --admin_write says more.
// A second one may answer /healthz and /metrics on any address.
#ifndef POSTERN_SRC_ADMIN_ADMIN_SERVER_H_
#define POSTERN_SRC_ADMIN_ADMIN_SERVER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "src/admin/admin_connection.h"
#include "src/admin/commands.h"
#include "src/admin/pages.h"
#include "src/admin/state_texts.h"
#include "src/base/status_fwd.h"
#include "src/base/timer_wheel.h"
#include "src/control/service.h"
#include "src/control/status_source.h"
#include "src/io/driver.h"
#include "src/proxy/env.h"

namespace postern::admin {

class AdminServer : public control::Service {
 public:
  // A further connection takes the place of the least valuable one.
  static constexpr size_t kConnectionsMax = 64;
  // Those that have been cut are joined in these.
  static constexpr size_t kSlots = 2 * kConnectionsMax;

  // Owns `listener`, a socket of env's driver. `env` needs a driver, blocks, timers and the time;
  // it and `source` outlive this. `scope`: of what it answers; one server of each at most.
  AdminServer(proxy::Env* env, control::StatusSource* source, io::Socket listener, Scope scope);
  // Stopped and idle, or never started.
  ~AdminServer() override;
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  absl::Status Start() override;
  void OnCompletion(const io::Completion& completion) override;
  void OnTimer(io::Token token) override;
  void Advance() override;
  void StopAccepting() override;
  void Stop() override;
  bool idle() const override { return open_ == 0 && !accepting_ && !listener_.valid(); }

  size_t open_connections() const { return open_; }

 private:
  // Tokens of connections have slots below kSlots and generations from 1 on.
  struct Slot {
    std::unique_ptr<AdminConnection> connection;
    uint32_t generation = 0;
  };

  void OnAccept(const io::Completion& completion);
  void Admit(io::Socket socket);
  // Makes room: the network with the most connections loses the one that is worth least.
  void CutLeastValuable();
  void ArmAccept();
  void CloseListener();

  proxy::Env* env_;
  control::StatusSource* source_;
  Scope scope_;
  io::Token accept_token_;
  io::Token pause_token_;
  Commands commands_;
  StateTexts texts_;
  io::Socket listener_;
  base::Timer pause_;  // after a failed accept
  std::array<Slot, kSlots> slots_;
  size_t open_ = 0;         // those that are being joined included
  bool accepting_ = false;  // the accept is in flight
  bool rearm_ = false;      // the pause is over
  bool closing_listener_ = false;
  bool stopping_ = false;
};

}  // namespace postern::admin

#endif  // POSTERN_SRC_ADMIN_ADMIN_SERVER_H_
