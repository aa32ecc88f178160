// The name of a server that we connect to.
#ifndef POSTERN_SRC_TLS_SERVER_NAME_H_
#define POSTERN_SRC_TLS_SERVER_NAME_H_

#include <string>

namespace postern::tls {

// Whom a connection is to reach: the SNI unless it is an address, and what the certificate must
// name.
struct ServerName {
  std::string text;
  bool is_address = false;
};

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_SERVER_NAME_H_
