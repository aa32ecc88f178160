#include "src/shard/rollout.h"

#include <utility>

#include "absl/status/statusor.h"
#include "src/base/check.h"
#include "src/base/limits.h"
#include "src/proxy/downstream_connection.h"
#include "src/proxy/upstream_attach.h"

namespace postern::shard {
namespace {

// Where those who are still here have come in.
void KeepPorts(const proxy::Serving& before, proxy::Serving* next) {
  for (const auto& listener : next->listeners) {
    if (const proxy::Listener* same = before.Find(listener->config.name); same != nullptr) {
      listener->port = same->port;
      listener->port_text = same->port_text;
    }
  }
}

}  // namespace

absl::Status Rollout::Prepare(proxy::Serving* next, const std::vector<uint16_t>& ports) {
  CHECK(prepared_ == nullptr);
  // One that drains accepts nobody: it only learns whom it may go on serving.
  absl::Status status = env_->draining ? absl::OkStatus() : acceptors_->Prepare(next, ports);
  if (status.ok()) {
    prepared_ = next;
    for (const auto& listener : next->listeners) {
      listener->rows = env_->request_counts.RowsOf(listener->config.name, listener->config.hosts);
    }
  }
  return status;
}

void Rollout::Abort() {
  if (prepared_ != nullptr) {
    acceptors_->Abort(prepared_);
    prepared_ = nullptr;
  }
}

void Rollout::Commit() {
  if (prepared_ == nullptr) {
    return;  // a drain has begun in between: what runs ends as it is
  }
  proxy::Serving* before = env_->serving;
  proxy::Serving* next = std::exchange(prepared_, nullptr);
  if (env_->draining) {
    KeepPorts(*before, next);
  } else {
    acceptors_->Switch(before, next);
  }
  if (next->upstreams == nullptr) {
    next->upstreams = std::move(before->upstreams);
  } else {
    before->upstreams->retired = true;
    proxy::CloseIdle(before->upstreams.get());
  }
  env_->serving = next;
  retired_.push_back(before);
  cursor_ = 0;
}

void Rollout::Advance() {
  if (cursor_ != kDone) {
    cursor_ = env_->downstreams->VisitFrom(
        cursor_, base::limits::kReconsideredPerTurn,
        [](proxy::DownstreamConnection* connection) { connection->Reconsider(); });
  }
}

uint64_t Rollout::TakeReleased() {
  for (size_t i = 0; i < retired_.size(); ++i) {
    if (retired_[i]->unused()) {
      uint64_t generation = retired_[i]->generation;
      retired_.erase(retired_.begin() + static_cast<ptrdiff_t>(i));
      return generation;
    }
  }
  return 0;
}

}  // namespace postern::shard
