// How urgent a message for the operator is, and how much of them is written.
#ifndef POSTERN_SRC_CONFIG_LOG_LEVEL_H_
#define POSTERN_SRC_CONFIG_LOG_LEVEL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace postern::config {

// A log of a level holds what is at most this.
enum class LogLevel : uint8_t {
  kError,    // somebody has to mend something
  kWarning,  // somebody should look at it
  kInfo,     // what has changed, who was refused
  kDebug,    // every connection and every health check
};

inline constexpr std::array<std::pair<const char*, LogLevel>, 4> kLogLevels = {{
    {"error", LogLevel::kError},
    {"warning", LogLevel::kWarning},
    {"info", LogLevel::kInfo},
    {"debug", LogLevel::kDebug},
}};

constexpr std::string_view NameOf(LogLevel level) {
  return kLogLevels[static_cast<size_t>(level)].first;
}

}  // namespace postern::config

#endif  // POSTERN_SRC_CONFIG_LOG_LEVEL_H_
