// Hands out the health table to tools (upstream/table_handout.h), on the control thread.
#ifndef POSTERN_SRC_CONTROL_TABLE_DOOR_H_
#define POSTERN_SRC_CONTROL_TABLE_DOOR_H_

#include "src/base/status_fwd.h"
#include "src/base/timer_wheel.h"
#include "src/control/service.h"
#include "src/control/status_source.h"
#include "src/io/driver.h"
#include "src/proxy/env.h"

namespace postern::control {

class TableDoor : public Service {
 public:
  // `env` needs a driver, timers and the time; it and `source` outlive this. Takes over `listener`,
  // of upstream::ListenForTools.
  TableDoor(proxy::Env* env, StatusSource* source, int listener);
  // Stopped and idle, or never started.
  ~TableDoor() override;
  TableDoor(const TableDoor&) = delete;
  TableDoor& operator=(const TableDoor&) = delete;

  absl::Status Start() override;
  void OnCompletion(const io::Completion& completion) override;
  void OnTimer(io::Token token) override;
  void Advance() override;
  void Stop() override;
  bool idle() const override { return !accepting_ && !listener_.valid(); }

 private:
  void Accept();

  proxy::Env* env_;
  StatusSource* source_;
  io::Socket listener_;
  base::Timer pause_;       // after a failed accept
  bool accepting_ = false;  // the accept is in flight
  bool rearm_ = false;      // the pause is over
  bool stopping_ = false;
};

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_TABLE_DOOR_H_
