// BoringSSL's numbers turned into reasons. Internal to tls/.
#ifndef POSTERN_SRC_TLS_ERRORS_H_
#define POSTERN_SRC_TLS_ERRORS_H_

#include <cstdint>
#include <string>

#include "src/tls/reason.h"

namespace postern::tls {

// The reason behind the first error of TLS itself in this thread's queue; clears the queue.
// `peer_alert` is set for kPeerAlert.
Reason TakeReason(uint8_t* peer_alert);
// The text of this thread's queue for an operator; clears the queue.
std::string TakeErrorText();
// The reason behind an X509_V_ERR_... code.
Reason ReasonOfVerifyError(int error);

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_ERRORS_H_
