// The removal of everything that claims to be an identity; fields.h adds the one that is.
#ifndef POSTERN_SRC_IDENTITY_DIALECTS_H_
#define POSTERN_SRC_IDENTITY_DIALECTS_H_

#include <string_view>

#include "src/config/config.h"

namespace postern::identity {

// Whether a request header of this name could pass for an identity: a name of any known dialect
// (ALB, RFC 9440, XFCC, AWS, Azure, Cloudflare, and what nginx, HAProxy, Traefik, Linkerd, WebLogic
// and WebSphere set-ups use), or one of the listener's own. Underscores count as hyphens and case
// does not count, because the servers behind us may see it that way. Such headers never come from
// outside, on any listener, with client authentication on or off.
bool IsIdentityHeader(std::string_view name, const config::IdentityHeaders& own);

}  // namespace postern::identity

#endif  // POSTERN_SRC_IDENTITY_DIALECTS_H_
