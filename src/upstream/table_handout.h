// Where a process hands out its health table to tools: an abstract Unix socket that bears its pid.
// Each who connects, and is of the process's user or root, is given one descriptor of the table, to
// read from; then the process hangs up. So a tool needs no right to look into the process, which
// has keys in its memory.
#ifndef POSTERN_SRC_UPSTREAM_TABLE_HANDOUT_H_
#define POSTERN_SRC_UPSTREAM_TABLE_HANDOUT_H_

#include "absl/status/statusor.h"

namespace postern::upstream {

// Listens as the calling process: a descriptor that does not block. Names are those of one network
// namespace.
absl::StatusOr<int> ListenForTools();

// Takes over `peer`, which has connected, and never waits for it. `table`: HealthTable's
// descriptor, which stays.
void HandOut(int peer, int table);

// The tool's side: a descriptor of the table of process `pid`, for HealthTable::Open. Waits for up
// to 5 s.
absl::StatusOr<int> AskForTable(int pid);

}  // namespace postern::upstream

#endif  // POSTERN_SRC_UPSTREAM_TABLE_HANDOUT_H_
