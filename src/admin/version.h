// The version that the program says it is.
#ifndef POSTERN_SRC_ADMIN_VERSION_H_
#define POSTERN_SRC_ADMIN_VERSION_H_

#include <string_view>

namespace postern::admin {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace postern::admin

#endif  // POSTERN_SRC_ADMIN_VERSION_H_
