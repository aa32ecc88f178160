// absl::Status and absl::StatusOr by name only: their own headers take a second to compile, and a
// header that merely declares a function returning one need not make everybody pay. Whoever looks
// into a status includes "absl/status/status.h" or "absl/status/statusor.h".
#ifndef POSTERN_SRC_BASE_STATUS_FWD_H_
#define POSTERN_SRC_BASE_STATUS_FWD_H_

#include "absl/base/config.h"

namespace absl {
ABSL_NAMESPACE_BEGIN

class Status;
template <typename T>
class StatusOr;

ABSL_NAMESPACE_END
}  // namespace absl

#endif  // POSTERN_SRC_BASE_STATUS_FWD_H_
