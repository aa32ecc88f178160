// The words of the schema and what they mean; read in one direction by the conversion from a file,
// in the other when a configuration is printed.
#ifndef POSTERN_SRC_CONFIG_WORDS_H_
#define POSTERN_SRC_CONFIG_WORDS_H_

#include "src/config/config.h"
#include "src/config/field_enum.h"

namespace postern::config {

inline constexpr Words<Io, 3> kIos = {{
    {"auto", Io::kAuto},
    {"uring", Io::kUring},
    {"epoll", Io::kEpoll},
}};

inline constexpr Words<ListenerProtocol, 2> kListenerProtocols = {{
    {"https", ListenerProtocol::kHttps},
    {"http", ListenerProtocol::kHttp},
}};

inline constexpr Words<TlsPolicy, 6> kTlsPolicies = {{
    {"tls_cipher_policy_1_0", TlsPolicy::k1_0},
    {"tls_cipher_policy_1_1", TlsPolicy::k1_1},
    {"tls_cipher_policy_1_2", TlsPolicy::k1_2},
    {"tls_cipher_policy_1_2_strict", TlsPolicy::k1_2Strict},
    {"tls_cipher_policy_1_2_strict_with_1_3", TlsPolicy::k1_2StrictWith1_3},
    {"tls_cipher_policy_1_0_to_1_3", TlsPolicy::k1_0To1_3},
}};

inline constexpr Words<ClientAuth, 4> kClientAuthModes = {{
    {"off", ClientAuth::kOff},
    {"request", ClientAuth::kRequest},
    {"require", ClientAuth::kRequire},
    {"passthrough", ClientAuth::kPassthrough},
}};

inline constexpr Words<CrlScope, 2> kCrlScopes = {{
    {"chain", CrlScope::kChain},
    {"leaf", CrlScope::kLeaf},
}};

inline constexpr Words<StaleCrl, 2> kStaleCrls = {{
    {"warn", StaleCrl::kWarn},
    {"refuse", StaleCrl::kRefuse},
}};

inline constexpr Words<MissingCrl, 3> kMissingCrls = {{
    {"warn", MissingCrl::kWarn},
    {"refuse", MissingCrl::kRefuse},
    {"serve", MissingCrl::kServe},
}};

inline constexpr Words<UpstreamProtocol, 3> kUpstreamProtocols = {{
    {"http1", UpstreamProtocol::kHttp1},
    {"http2", UpstreamProtocol::kHttp2},
    {"grpc", UpstreamProtocol::kGrpc},
}};

inline constexpr Words<CheckProtocol, 2> kCheckProtocols = {{
    {"http", CheckProtocol::kHttp},
    {"tcp", CheckProtocol::kTcp},
}};

// The words of forwarding_headers; "none" has no member.
inline constexpr Words<bool ForwardingHeaders::*, 7> kForwardingHeaders = {{
    {"x_forwarded_for", &ForwardingHeaders::x_forwarded_for},
    {"x_forwarded_proto", &ForwardingHeaders::x_forwarded_proto},
    {"x_forwarded_port", &ForwardingHeaders::x_forwarded_port},
    {"x_forwarded_host", &ForwardingHeaders::x_forwarded_host},
    {"x_real_ip", &ForwardingHeaders::x_real_ip},
    {"forwarded", &ForwardingHeaders::forwarded},
    {"none", nullptr},
}};

}  // namespace postern::config

#endif  // POSTERN_SRC_CONFIG_WORDS_H_
