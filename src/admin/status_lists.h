// The parts of /status that are lists of what people look up: who vouches for whom and until when,
// and who was refused. Internal to admin/.
#ifndef POSTERN_SRC_ADMIN_STATUS_LISTS_H_
#define POSTERN_SRC_ADMIN_STATUS_LISTS_H_

#include <cstddef>
#include <span>

#include "src/admin/json_writer.h"
#include "src/base/clock.h"
#include "src/config/config.h"
#include "src/control/status_source.h"
#include "src/shard/snapshot.h"

namespace postern::admin {

// Of all shards together.
inline constexpr size_t kRecentRefusalsMax = 64;

// Members of a listener's object: what it speaks and what it asks of clients.
void WriteListenerTerms(const config::ListenerConfig& listener, JsonWriter* out);
// "certificates", "revocation_lists" and "crl_coverage".
void WriteTrust(const control::ReloadStatus& status, const base::Time& now, JsonWriter* out);
// "latency" of the requests of all listeners: percentiles since the start, and the counts that they
// come from, so that who asks again and again can tell what it was in between. Nothing before the
// first request.
void WriteLatency(std::span<const shard::Snapshot> shards, JsonWriter* out);
// "recent_refusals", newest first.
void WriteRefusals(std::span<const shard::Snapshot> shards, JsonWriter* out);

}  // namespace postern::admin

#endif  // POSTERN_SRC_ADMIN_STATUS_LISTS_H_
