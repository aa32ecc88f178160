// The control thread's part in being replaced.
#include <unistd.h>

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/control/control.h"
#include "src/control/known_servers.h"

namespace postern::control {
namespace {

void CloseEach(const std::vector<shard::ExportedSocket>& sockets) {
  for (const shard::ExportedSocket& socket : sockets) {
    close(socket.descriptor);
  }
}

}  // namespace

void Control::SetDoor(UpgradeDoor* door) {
  door_ = door;
  door_->Start(options_.driver->waker());
}

void Control::Stop() {
  // A service manager that stops the service signals all of its processes, and those that outlive
  // the main one a second time: requests that run here go on all the same. If the successor has
  // died, nobody serves before this process has ended.
  constexpr uint32_t kFromManager = 2;
  if (handed_over_ && stops_passed_over_ < kFromManager &&
      (stops_passed_over_ > 0 || door_->SuccessorLives())) {
    ++stops_passed_over_;
    return;
  }
  if (draining()) {
    StopNow();
  } else {
    Drain();
  }
}

void Control::ReadDoor() {
  if (door_ == nullptr) {
    return;
  }
  switch (door_->TakeEvent()) {
    case UpgradeDoor::Event::kNone:
      break;
    case UpgradeDoor::Event::kWanted:
      handover_wanted_ = true;
      break;
    case UpgradeDoor::Event::kHandedOver:
      LetGo();
      break;
  }
  // Whoever asked during a long reload may have been turned away meanwhile.
  handover_wanted_ = handover_wanted_ && door_->awaits();
  if (handover_wanted_) {
    BeginHandover();
  }
}

void Control::BeginHandover() {
  // A reload may be opening sockets, and another successor may still be waiting for its answer.
  // Both pass: who has changed a file and then asks for a successor need not know that the change
  // has been noticed.
  if (serving() && (reloader_.loading() || exports_awaited_ > 0)) {
    return;
  }
  handover_wanted_ = false;
  if (!serving()) {
    door_->Provide(std::nullopt);
    return;
  }
  handover_ = options_.begin_handover();
  handover_.servers = EncodeServers(health());
  handover_.lists = reloader_.current().materials.lists.Encode();
  exports_awaited_ = options_.shards.size();
  abandoned_ = false;
  exported_.assign(options_.shards.size(), {});
  Broadcast(shard::ToShard::Kind::kExport);
}

void Control::AbandonHandover() {
  if (exports_awaited_ == 0 || abandoned_) {
    return;
  }
  abandoned_ = true;
  for (std::vector<shard::ExportedSocket>& of_shard : exported_) {
    CloseEach(std::exchange(of_shard, {}));
  }
  handover_.CloseAll();
  door_->Provide(std::nullopt);
}

void Control::LetGo() {
  if (!draining()) {
    handed_over_ = true;
    Log(config::LogLevel::kInfo, absl::StrCat("process ", door_->successor(), " has taken over"));
    notifier_.MainPid(door_->successor());
    // The service is the successor's from here on: also in what is said of it.
    notifier_ = Notifier();
    for (Registered& registered : services_) {
      registered.service->StopAccepting();
      if (registered.owner == proxy::Owner::kHealthCheck) {
        registered.service->Stop();
      }
    }
    Drain();
  }
  door_->Provide(std::nullopt);
}

// By shards, in whatever order they answer: with steering by core the place of a socket means
// something.
void Control::OnExported(size_t shard, std::vector<shard::ExportedSocket> sockets) {
  --exports_awaited_;
  if (abandoned_) {
    CloseEach(sockets);
    return;
  }
  exported_[shard] = std::move(sockets);
  if (exports_awaited_ > 0) {
    return;
  }
  for (std::vector<shard::ExportedSocket>& of_shard : exported_) {
    for (shard::ExportedSocket& socket : of_shard) {
      handover_.listeners.push_back(
          {std::move(socket.name), {std::move(socket.address), socket.port}, socket.descriptor});
    }
  }
  exported_.clear();
  door_->Provide(std::exchange(handover_, {}));
}

}  // namespace postern::control
