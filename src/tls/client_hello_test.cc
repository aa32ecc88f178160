#include "src/tls/client_hello.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <string>

#include "src/tls/resumption_test_util.h"

namespace postern::tls {
namespace {

class ClientHelloTest : public ResumptionTest {
 protected:
  static std::string HelloOf(SSL_SESSION* session) {
    ClientOptions options = WithCertificate(Pki().client);
    options.version_min = options.version_max = static_cast<uint16_t>(GetParam());
    options.session = session;
    TestClient client(options);
    client.Handshake();
    return client.Take();
  }
};

INSTANTIATE_TEST_SUITE_P(Versions, ClientHelloTest,
                         ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION), VersionName);

TEST_P(ClientHelloTest, TellsAResumptionFromAFullHandshake) {
  Outcome first = Run(WithCertificate(Pki().client));
  ASSERT_TRUE(first.done);
  ASSERT_NE(first.session, nullptr);
  EXPECT_TRUE(OffersSession(Bytes(HelloOf(first.session.get()))));
  EXPECT_FALSE(OffersSession(Bytes(HelloOf(nullptr))));
}

// A part of a hello, and a hello with any byte changed: an answer, and no byte read beyond the end.
TEST_P(ClientHelloTest, SurvivesWhatIsNoHello) {
  Outcome first = Run(WithCertificate(Pki().client));
  std::string hello = HelloOf(first.session.get());
  for (size_t size = 0; size < hello.size(); ++size) {
    std::string part(hello, 0, size);
    part.shrink_to_fit();
    EXPECT_FALSE(OffersSession(Bytes(part))) << size;
  }
  for (size_t at = 0; at < hello.size(); ++at) {
    for (int change : {0x01, 0x80, 0xff}) {
      std::string other = hello;
      other[at] = static_cast<char>(other[at] ^ change);
      OffersSession(Bytes(other));
    }
  }
  EXPECT_FALSE(OffersSession(Bytes("GET / HTTP/1.1\r\nHost: gate.test\r\n\r\n")));
}

}  // namespace
}  // namespace postern::tls
