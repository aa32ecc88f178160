// The control thread's part in being replaced.
#include <fcntl.h>

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/control/control.h"

namespace postern::control {

void Control::SetDoor(UpgradeDoor* door) {
  door_ = door;
  door_->Start(options_.driver->waker());
}

void Control::ReadDoor() {
  if (door_ == nullptr) {
    return;
  }
  switch (door_->TakeEvent()) {
    case UpgradeDoor::Event::kNone:
      break;
    case UpgradeDoor::Event::kWanted:
      // A reload may be opening sockets, and another successor may still be waiting for its answer.
      if (!serving() || reloader_.busy() || exports_awaited_ > 0) {
        door_->Provide(std::nullopt);
        break;
      }
      handover_ = options_.begin_handover();
      handover_.health = fcntl(health().descriptor(), F_DUPFD_CLOEXEC, 0);
      exports_awaited_ = options_.shards.size();
      exported_.assign(options_.shards.size(), {});
      Broadcast(shard::ToShard::Kind::kExport);
      break;
    case UpgradeDoor::Event::kHandedOver:
      if (draining()) {
        break;
      }
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
      Drain(true);
      break;
  }
}

// By shards, in whatever order they answer: with steering by core the place of a socket means
// something.
void Control::OnExported(size_t shard, std::vector<shard::ExportedSocket> sockets) {
  exported_[shard] = std::move(sockets);
  if (--exports_awaited_ > 0) {
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
