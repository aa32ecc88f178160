// Families of the metrics page with a sample for each server or each shard. Internal to admin/.
#ifndef POSTERN_SRC_ADMIN_METRICS_TABLES_H_
#define POSTERN_SRC_ADMIN_METRICS_TABLES_H_

#include <span>

#include "src/admin/metrics_writer.h"
#include "src/control/status_source.h"
#include "src/shard/snapshot.h"

namespace postern::admin {

void WriteUpstreamMetrics(control::StatusSource* source, MetricsWriter* out);
void WriteShardMetrics(std::span<const shard::Snapshot> shards, MetricsWriter* out);

}  // namespace postern::admin

#endif  // POSTERN_SRC_ADMIN_METRICS_TABLES_H_
