// Finds a running postern and its health table, in /proc.
#ifndef POSTERN_TOOLS_HEALTHTOP_PROCESS_H_
#define POSTERN_TOOLS_HEALTHTOP_PROCESS_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "src/upstream/health_table.h"

namespace postern::healthtop {

// `proc` is "/proc", here and below. The id of the only process that is called postern; an error
// lists them if there are several.
absl::StatusOr<int> FindProcess(const std::string& proc);

// Its newest table: a reload that brings other servers makes one, and the old one lives until
// nobody needs it. Whoever may not look into the process asks it for the table. Errors are for
// people: no such process, no permission, no table, another layout.
absl::StatusOr<std::unique_ptr<const upstream::HealthTable>> OpenTable(const std::string& proc,
                                                                       int pid);

}  // namespace postern::healthtop

#endif  // POSTERN_TOOLS_HEALTHTOP_PROCESS_H_
