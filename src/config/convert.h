// From the schema to the struct: every range and cross reference is checked here, whichever road
// the message came by.
#ifndef POSTERN_SRC_CONFIG_CONVERT_H_
#define POSTERN_SRC_CONFIG_CONVERT_H_

#include "src/config/config.h"
#include "src/config/field_reader.h"

namespace postern::config {

// `root` reads a proto::Config. What is wrong goes to its diagnostics; the result is of use only if
// nothing was.
Config Convert(const FieldReader& root);

// The fields that concern the process as a whole: admin, shards, drain, logs, reloads. Sets only
// those that are given, so that flags can be laid over a file.
void ConvertProcess(const FieldReader& root, Config* config);

// One listener; its `hosts` and `default_group_index` refer to `groups`.
ListenerConfig ConvertListener(const FieldReader& reader, const std::vector<GroupConfig>& groups);

// Its client authentication; `reader` reads a proto::ClientAuth.
void ConvertClientAuth(const FieldReader& reader, ClientAuthConfig* out);

// Its dialects of identity headers, and their names; `reader` reads a proto::Listener.
void ConvertIdentity(const FieldReader& reader, ListenerConfig* out);

// Which fields tell how a request has come; `reader` likewise.
void ConvertForwarding(const FieldReader& reader, ForwardingHeaders* out);

// The names of headers that concern all listeners.
void ConvertHeaderNames(const FieldReader& root, Config* config);

GroupConfig ConvertGroup(const FieldReader& reader);

// TLS to a group's servers; `reader` reads a proto::UpstreamTls.
UpstreamTlsConfig ConvertUpstreamTls(const FieldReader& reader);

// A group's health checks; `reader` reads a proto::HealthCheck. `protocol` is the group's.
HealthCheckConfig ConvertHealthCheck(const FieldReader& reader, UpstreamProtocol protocol);

// For every time: a millisecond to an hour. More than that is "never", which no timeout should be.
inline constexpr Range kTimeoutRange = {1, 3'600'000, " milliseconds"};

inline constexpr Range kPortRange = {1, 65'535};

// Requests at once on one HTTP/2 connection. More than the upper end would let one connection hold
// what a shard has for all of them.
inline constexpr Range kStreamsRange = {1, 1'000};

// For lists of files.
inline constexpr int kFilesMax = 100;

}  // namespace postern::config

#endif  // POSTERN_SRC_CONFIG_CONVERT_H_
