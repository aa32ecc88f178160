// A private CA for one run: server, client, and a client of somebody else's.
#ifndef POSTERN_TESTS_GATE_CERTIFICATES_H_
#define POSTERN_TESTS_GATE_CERTIFICATES_H_

#include <cstdint>
#include <string>

namespace postern::gate {

struct Pair {
  std::string certificate_pem;  // leaf first
  std::string key_pem;
};

struct Certificates {
  std::string root_pem;
  std::string other_root_pem;
  Pair server;
  Pair client;
  Pair stranger;
  Pair expired;
};

// Valid for a month around `now_s`.
Certificates MakeCertificates(int64_t now_s);

}  // namespace postern::gate

#endif  // POSTERN_TESTS_GATE_CERTIFICATES_H_
