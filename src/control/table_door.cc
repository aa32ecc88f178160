#include "src/control/table_door.h"

#include "absl/status/status.h"
#include "src/base/check.h"
#include "src/base/limits.h"
#include "src/upstream/table_handout.h"

namespace postern::control {
namespace {

constexpr base::SlabId kId = {0, 1};

io::Token AcceptToken() {
  return proxy::TokenOf(io::Operation::kAccept, proxy::Owner::kTableDoor, kId);
}

}  // namespace

TableDoor::TableDoor(proxy::Env* env, StatusSource* source, int listener)
    : env_(env),
      source_(source),
      listener_(env->driver->Adopt(listener)),
      pause_(proxy::TokenOf(io::Operation::kTimer, proxy::Owner::kTableDoor, kId)) {}

TableDoor::~TableDoor() {
  CHECK(!accepting_);
  env_->timers->Cancel(&pause_);
}

absl::Status TableDoor::Start() {
  Accept();
  return absl::OkStatus();
}

void TableDoor::Accept() {
  accepting_ = true;
  env_->driver->SubmitAccept(listener_, AcceptToken());
}

void TableDoor::OnCompletion(const io::Completion& completion) {
  accepting_ = completion.more;
  if (completion.status == io::Status::kOk) {
    upstream::HandOut(env_->driver->Export(completion.socket), source_->health().descriptor());
  }
  if (!accepting_ && !stopping_) {
    env_->timers->Schedule(&pause_, env_->now.monotonic_ms() + base::limits::kAcceptPauseMs);
  }
}

void TableDoor::OnTimer(io::Token) {
  rearm_ = true;
}

void TableDoor::Advance() {
  if (stopping_) {
    if (!accepting_ && listener_.valid()) {
      env_->driver->Close(listener_);
      listener_ = {};
    }
  } else if (rearm_) {
    rearm_ = false;
    Accept();
  }
}

void TableDoor::Stop() {
  if (!stopping_) {
    stopping_ = true;
    env_->timers->Cancel(&pause_);
    if (accepting_) {
      env_->driver->SubmitCancel(AcceptToken());
    }
  }
  Advance();
}

}  // namespace postern::control
