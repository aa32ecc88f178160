// What a process knows of its servers, as text for its successor: whatever either of them keeps in
// its health table, and in which layout.
#ifndef POSTERN_SRC_CONTROL_KNOWN_SERVERS_H_
#define POSTERN_SRC_CONTROL_KNOWN_SERVERS_H_

#include <string>

#include "src/upstream/health_table.h"

namespace postern::control {

// A line for each: "server <key in hexadecimal> <name>=<value> ...".
std::string EncodeServers(const upstream::HealthTable& table);

// Takes over into `table` what the lines say of servers that it has too. Names that this version
// does not know are passed over, those that are missing keep their value; a line that cannot be
// read says nothing.
void TakeServers(const std::string& lines, upstream::HealthTable* table);

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_KNOWN_SERVERS_H_
