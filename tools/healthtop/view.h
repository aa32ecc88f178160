// The health table as text.
#ifndef POSTERN_TOOLS_HEALTHTOP_VIEW_H_
#define POSTERN_TOOLS_HEALTHTOP_VIEW_H_

#include <cstdint>
#include <string>

#include "src/upstream/health_table.h"

namespace postern::healthtop {

// A line about all of it, a line of headings, then one line a server, columns separated by two
// spaces or more. A column without a value has "-". `now_ms` is wall time. What another process
// changes meanwhile is shown as it was before or after.
std::string Describe(const upstream::HealthTable& table, int pid, int64_t now_ms);

// "0s", "59s", "3m07s", "2h05m", "3d04h"; for times that lie ahead "0s".
std::string AgeText(int64_t ms);

}  // namespace postern::healthtop

#endif  // POSTERN_TOOLS_HEALTHTOP_VIEW_H_
