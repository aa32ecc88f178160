// What is said once a process serves: where, and by which drivers.
#ifndef POSTERN_SRC_CONTROL_READY_LINE_H_
#define POSTERN_SRC_CONTROL_READY_LINE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "src/config/config.h"

namespace postern::control {

struct ReadyLine {
  const config::Config* config = nullptr;
  size_t shards = 0;
  std::vector<uint16_t> ports;  // of the listeners, that they really have
  config::AddressPort admin;    // likewise; where the configuration has none it is not said
  config::AddressPort metrics;
  std::string drivers;  // which they are, for people

  std::string Text() const;
};

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_READY_LINE_H_
