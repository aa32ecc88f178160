// RFC 8879, with clients that take our chain in fewer bytes and such that do not.
#include <brotli/decode.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "src/tls/tls_test_util.h"

namespace postern::tls {
namespace {

using HandshakeStep = Engine::HandshakeStep;

// ECDSA signatures differ in length by a few bytes.
void ExpectNear(size_t one, size_t other) {
  EXPECT_LE(one, other + 8);
  EXPECT_LE(other, one + 8);
}

// How often each has been used by this thread's clients.
thread_local int t_brotli = 0;
thread_local int t_zlib = 0;

int TakeBrotli(SSL*, CRYPTO_BUFFER** out, size_t plain_size, const uint8_t* in, size_t size) {
  ++t_brotli;
  uint8_t* data = nullptr;
  *out = CRYPTO_BUFFER_alloc(&data, plain_size);
  size_t decoded = plain_size;
  return BrotliDecoderDecompress(size, in, &decoded, data) == BROTLI_DECODER_RESULT_SUCCESS &&
         decoded == plain_size;
}

int TakeZlib(SSL*, CRYPTO_BUFFER** out, size_t plain_size, const uint8_t* in, size_t size) {
  ++t_zlib;
  uint8_t* data = nullptr;
  *out = CRYPTO_BUFFER_alloc(&data, plain_size);
  uLongf decoded = plain_size;
  return uncompress(data, &decoded, in, size) == Z_OK && decoded == plain_size;
}

void WithBrotli(SSL_CTX* context) {
  SSL_CTX_add_cert_compression_alg(context, 2, nullptr, TakeBrotli);
}
void WithZlib(SSL_CTX* context) {
  SSL_CTX_add_cert_compression_alg(context, 1, nullptr, TakeZlib);
}
void WithBoth(SSL_CTX* context) {
  WithZlib(context);
  WithBrotli(context);
}
// Zstandard, which we do not speak.
void WithAnother(SSL_CTX* context) {
  SSL_CTX_add_cert_compression_alg(context, 3, nullptr, TakeBrotli);
}

class Compression : public ::testing::Test {
 protected:
  Compression() {
    t_brotli = 0;
    t_zlib = 0;
    ContextInput input = BasicInput(config::ClientAuth::kRequire);
    KeyPair& pair = input.hosts[0].pairs[0];
    short_ = MakeContext(input);
    // Whose names repeat, as in real chains.
    std::string leaf = pair.certificate_pem;
    pair.certificate_pem += leaf + leaf;
    context_ = MakeContext(input);
  }

  // Bytes that the server sent until the handshake was over; 0: it was not.
  size_t Visit(void (*configure)(SSL_CTX*), uint16_t version = TLS1_3_VERSION) {
    TestServer server(context_.get());
    ClientOptions options = WithCertificate(TestPki::Get().client);
    options.version_min = version;
    options.version_max = version;
    options.configure = configure;
    TestClient client(options);
    size_t sent = 0;
    HandshakeStep step = HandshakeStep::kNeedInput;
    for (int round = 0; round < 10 && step == HandshakeStep::kNeedInput; ++round) {
      client.Handshake();
      step = server.Handshake(client.Take());
      std::string flight = server.Take();
      sent += flight.size();
      client.Feed(flight);
    }
    client.Handshake();
    return client.done() && server.identity().verified() ? sent : 0;
  }

  std::unique_ptr<Context> context_;
  std::unique_ptr<Context> short_;
};

TEST_F(Compression, IsGivenToWhoeverTakesIt) {
  size_t plain = Visit(nullptr);
  ASSERT_GT(plain, 0u);
  size_t brotli = Visit(WithBrotli);
  size_t zlib = Visit(WithZlib);
  EXPECT_EQ(t_brotli, 1);
  EXPECT_EQ(t_zlib, 1);
  EXPECT_GT(brotli, 0u);
  EXPECT_LT(brotli + 20, plain);
  EXPECT_GT(zlib, 0u);
  EXPECT_LT(zlib + 20, plain);
}

TEST_F(Compression, IsNotDoneWhereItDoesNotPay) {
  context_.swap(short_);
  size_t plain = Visit(nullptr);
  ExpectNear(Visit(WithBoth), plain);
  EXPECT_EQ(t_brotli + t_zlib, 0);
}

TEST_F(Compression, BrotliIsPreferred) {
  EXPECT_GT(Visit(WithBoth), 0u);
  EXPECT_EQ(t_brotli, 1);
  EXPECT_EQ(t_zlib, 0);
}

TEST_F(Compression, TheSecondClientGetsTheSame) {
  ExpectNear(Visit(WithBrotli), Visit(WithBrotli));
  ExpectNear(Visit(WithZlib), Visit(WithZlib));
  EXPECT_EQ(t_brotli, 2);
  EXPECT_EQ(t_zlib, 2);
}

TEST_F(Compression, IsForTls13AndKnownAlgorithmsOnly) {
  size_t plain = Visit(nullptr);
  ExpectNear(Visit(WithAnother), plain);
  EXPECT_GT(Visit(WithBoth, TLS1_2_VERSION), 0u);
  EXPECT_EQ(t_brotli + t_zlib, 0);
}

}  // namespace
}  // namespace postern::tls
