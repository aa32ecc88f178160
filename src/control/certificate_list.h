// Which certificates a configuration uses, and until when: collected once, when it is loaded.
#ifndef POSTERN_SRC_CONTROL_CERTIFICATE_LIST_H_
#define POSTERN_SRC_CONTROL_CERTIFICATE_LIST_H_

#include <vector>

#include "src/control/service.h"
#include "src/tls/client_context.h"
#include "src/tls/context.h"

namespace postern::control {

// Sorted by expiry, the first to expire first; each file once for each role.
CertificateList ListCertificates(
    const std::vector<tls::ContextInput>& contexts,
    const std::vector<std::optional<tls::ClientContextInput>>& upstream_tls);

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_CERTIFICATE_LIST_H_
