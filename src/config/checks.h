// What a single value must look like. Each function returns what is wrong with it and what to do,
// as the end of a sentence that begins with the value ("is longer than ..."); an empty string:
// nothing.
#ifndef POSTERN_SRC_CONFIG_CHECKS_H_
#define POSTERN_SRC_CONFIG_CHECKS_H_

#include <string>

#include "src/config/config.h"

namespace postern::config {

// Listeners, server groups, servers: 1 to 256 bytes.
std::string NameProblem(const std::string& name);

// "a.example.com" or "*.example.com", in lower case.
std::string HostRuleProblem(const std::string& host);

// The same without addresses, which no client sends as a server name.
std::string ServerNameProblem(const std::string& name);

// "dns:*.example.com", "uri:spiffe://example.com/*", "email:*@example.com". `*out` is set if
// nothing is wrong.
std::string ParseSanPattern(const std::string& text, SanPattern* out);

// Where a server is: an IP address or a host name.
std::string ServerHostProblem(const std::string& host);

// In lower case, with hyphens: servers that read an underscore as one see a single header where two
// names differ in that only.
std::string FoldedHeader(const std::string& name);

// The name of an identity header: empty, or a token of 1 to 40 characters, and none that HTTP or
// the proxy itself uses.
std::string IdentityHeaderProblem(const std::string& header);

// A name of remove_request_headers: a token, or the beginning of one (3 characters at least) and
// "*"; none that a request cannot do without.
std::string RemovedHeaderProblem(const std::string& name);

// What the proxy calls itself in Via: a token of 1 to 64 characters.
std::string ViaNameProblem(const std::string& name);

// The path that a health check asks for.
std::string HealthPathProblem(const std::string& path);

// The Host header field of a health check.
std::string HealthHostProblem(const std::string& host);

}  // namespace postern::config

#endif  // POSTERN_SRC_CONFIG_CHECKS_H_
