// Handshakes in every split, what is chosen in them, and what is refused before a certificate
// matters.
#include <gtest/gtest.h>

#include "src/tls/tls_test_util.h"

namespace postern::tls {
namespace {

using config::ClientAuth;
using HandshakeStep = Engine::HandshakeStep;

class Versions : public ::testing::TestWithParam<uint16_t> {
 protected:
  ClientOptions Options() const {
    ClientOptions options = WithCertificate(TestPki::Get().client);
    options.version_min = GetParam();
    options.version_max = GetParam();
    return options;
  }
};
INSTANTIATE_TEST_SUITE_P(All, Versions, ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION));

void ExpectEcho(TestClient* client, TestServer* server) {
  client->Write("hello");
  server->Feed(client->Take());
  EXPECT_EQ(server->Read(), "hello");
  EXPECT_TRUE(server->Write("world"));
  client->Feed(server->Take());
  EXPECT_EQ(client->Read(), "world");
}

TEST_P(Versions, WholeFlights) {
  for (ClientAuth mode : {ClientAuth::kOff, ClientAuth::kRequest, ClientAuth::kRequire}) {
    TestServer server(BasicInput(mode));
    TestClient client(Options());
    ASSERT_EQ(Connect(&client, &server), HandshakeStep::kDone);
    EXPECT_TRUE(client.done());
    EXPECT_EQ(server.identity().verified(), mode != ClientAuth::kOff);
    EXPECT_EQ(server.engine().version(), GetParam() == TLS1_3_VERSION ? "TLSv1.3" : "TLSv1.2");
    EXPECT_NE(server.engine().cipher(), "-");
    ExpectEcho(&client, &server);
  }
}

TEST_P(Versions, ByteByByte) {
  TestServer server(BasicInput(ClientAuth::kRequire));
  TestClient client(Options());
  ASSERT_EQ(Connect(&client, &server, 1), HandshakeStep::kDone);
  ExpectEcho(&client, &server);
}

// The first flight cut in two at every place, and the second one.
TEST_P(Versions, EverySplit) {
  size_t first = SIZE_MAX;
  size_t second = SIZE_MAX;
  for (size_t split = 1; split < std::max(first, second); ++split) {
    TestServer server(BasicInput(ClientAuth::kRequire));
    TestClient client(Options());
    HandshakeStep step = HandshakeStep::kNeedInput;
    for (int flight = 0; step == HandshakeStep::kNeedInput; ++flight) {
      ASSERT_LT(flight, 3);
      client.Handshake();
      std::string bytes = client.Take();
      (flight == 0 ? first : second) = bytes.size();
      std::string_view rest = bytes;
      for (std::string_view piece :
           {rest.substr(0, split), rest.substr(std::min(split, rest.size()))}) {
        if (step == HandshakeStep::kNeedInput && !piece.empty()) {
          step = server.Handshake(piece);
        }
      }
      client.Feed(server.Take());
    }
    ASSERT_EQ(step, HandshakeStep::kDone) << "split at " << split;
    ASSERT_TRUE(client.Handshake());
    ASSERT_TRUE(server.identity().verified());
  }
}

// What follows the client's last flight in the same segment is application data.
TEST_P(Versions, DataBehindTheHandshakeIsKept) {
  TestServer server(BasicInput());
  TestClient client(Options());
  client.Handshake();
  server.Handshake(client.Take());
  client.Feed(server.Take());
  client.Handshake();
  if (client.done()) {  // TLS 1.3: the client may speak at once
    client.Write("GET / HTTP/1.1\r\n\r\n");
    ASSERT_EQ(server.Handshake(client.Take()), HandshakeStep::kDone);
    EXPECT_EQ(server.Read(), "GET / HTTP/1.1\r\n\r\n");
  } else {
    ASSERT_EQ(server.Handshake(client.Take()), HandshakeStep::kDone);
  }
}

TEST_P(Versions, NoResumptionIsOffered) {
  TestServer server(BasicInput(ClientAuth::kRequire));
  TestClient client(Options());
  static int sessions;
  sessions = 0;
  SSL_CTX* context = SSL_get_SSL_CTX(client.ssl());
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT);
  SSL_CTX_sess_set_new_cb(context, [](SSL*, SSL_SESSION*) {
    ++sessions;
    return 0;
  });
  ASSERT_EQ(Connect(&client, &server), HandshakeStep::kDone);
  ExpectEcho(&client, &server);
  // TLS 1.3 would call for each ticket, TLS 1.2 for a session with an id or a ticket.
  EXPECT_EQ(sessions, 0);
  const SSL_SESSION* session = SSL_get_session(client.ssl());
  if (GetParam() == TLS1_2_VERSION) {
    unsigned id_size = 1;
    SSL_SESSION_get_id(session, &id_size);
    EXPECT_EQ(id_size, 0u);
    EXPECT_EQ(SSL_SESSION_has_ticket(session), 0);
  }
  EXPECT_EQ(SSL_session_reused(client.ssl()), 0);
}

TEST_P(Versions, Alpn) {
  struct Case {
    std::vector<std::string> offered;
    std::string chosen;
    bool accepted;
  };
  for (const Case& c :
       {Case{{}, "", true}, Case{{"http/1.1"}, "http/1.1", true},
        Case{{"h2", "http/1.1"}, "http/1.1", true}, Case{{"http/1.0"}, "http/1.0", true},
        Case{{"h2"}, "", false}, Case{{"h2", "spdy/3"}, "", false}}) {
    TestServer server(BasicInput());
    ClientOptions options = Options();
    options.protocols = c.offered;
    TestClient client(options);
    HandshakeStep step = Connect(&client, &server);
    EXPECT_EQ(step, c.accepted ? HandshakeStep::kDone : HandshakeStep::kRefused);
    EXPECT_EQ(client.protocol(), c.chosen);
    if (!c.accepted) {
      EXPECT_EQ(server.refusal().reason, Reason::kNoApplicationProtocol);
      EXPECT_EQ(client.alert(), SSL_AD_NO_APPLICATION_PROTOCOL);
      EXPECT_EQ(client.alert(), 120);
    }
  }
}

TEST_P(Versions, ServerName) {
  for (const char* name : {"", "a.example.test"}) {
    TestServer server(BasicInput());
    ClientOptions options = Options();
    options.server_name = name;
    TestClient client(options);
    ASSERT_EQ(Connect(&client, &server), HandshakeStep::kDone);
    EXPECT_EQ(server.engine().server_name(), name);
  }
}

std::string LeafOf(TestClient* client) {
  const STACK_OF(CRYPTO_BUFFER)* chain = SSL_get0_peer_certificates(client->ssl());
  const CRYPTO_BUFFER* leaf = sk_CRYPTO_BUFFER_value(chain, 0);
  return std::string(reinterpret_cast<const char*>(CRYPTO_BUFFER_data(leaf)),
                     CRYPTO_BUFFER_len(leaf));
}

ContextInput DualInput() {
  ContextInput input;
  input.tickets.enabled = false;
  // RSA first in the configuration: the order must not matter.
  input.hosts[0].pairs = {PairOf(TestPki::Get().server_rsa), PairOf(TestPki::Get().server)};
  return input;
}

TEST_P(Versions, EcdsaIsPreferred) {
  TestServer server(DualInput());
  TestClient client(Options());
  ASSERT_EQ(Connect(&client, &server), HandshakeStep::kDone);
  EXPECT_EQ(LeafOf(&client), TestPki::Get().server.der);
}

TEST_P(Versions, RsaForClientsWithoutEcdsaSignatures) {
  TestServer server(DualInput());
  ClientOptions options = Options();
  options.verify_prefs = {SSL_SIGN_RSA_PSS_RSAE_SHA256, SSL_SIGN_RSA_PKCS1_SHA256};
  TestClient client(options);
  ASSERT_EQ(Connect(&client, &server), HandshakeStep::kDone);
  EXPECT_EQ(LeafOf(&client), TestPki::Get().server_rsa.der);
}

TEST(Dual, RsaForClientsWithoutEcdsaSuites) {
  TestServer server(DualInput());
  ClientOptions options;
  options.version_max = TLS1_2_VERSION;
  options.ciphers = "ECDHE-RSA-AES128-GCM-SHA256";
  TestClient client(options);
  ASSERT_EQ(Connect(&client, &server), HandshakeStep::kDone);
  EXPECT_EQ(LeafOf(&client), TestPki::Get().server_rsa.der);
  EXPECT_EQ(server.engine().cipher(), "ECDHE-RSA-AES128-GCM-SHA256");
}

TEST(Dual, EcdsaForClientsWithoutRsaSuites) {
  TestServer server(DualInput());
  ClientOptions options;
  options.version_max = TLS1_2_VERSION;
  options.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256";
  TestClient client(options);
  ASSERT_EQ(Connect(&client, &server), HandshakeStep::kDone);
  EXPECT_EQ(LeafOf(&client), TestPki::Get().server.der);
}

// The callback that moves to the second context must not lose the client authentication of the
// first.
TEST_P(Versions, SecondCertificateAsksForClientCertificateToo) {
  ContextInput input = DualInput();
  input.hosts[0].client_auth = ClientAuth::kRequire;
  input.hosts[0].trust.anchors = {{"ca.pem", TestPki::Get().root.pem()}};
  ClientOptions options = Options();
  options.verify_prefs = {SSL_SIGN_RSA_PSS_RSAE_SHA256, SSL_SIGN_RSA_PKCS1_SHA256};
  {
    TestServer server(input);
    TestClient client(options);
    ASSERT_EQ(Connect(&client, &server), HandshakeStep::kDone);
    EXPECT_TRUE(server.identity().verified());
  }
  options.chain.clear();
  TestServer server(input);
  TestClient client(options);
  EXPECT_EQ(Connect(&client, &server), HandshakeStep::kRefused);
  EXPECT_EQ(server.refusal().reason, Reason::kNoCertificate);
}

TEST(Refused, PlainHttp) {
  for (const char* text : {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST /x HTTP/1.0\r\n\r\n",
                           "HEAD / HTTP/1.1\r\n\r\n", "PUT / HTTP/1.1\r\n\r\n"}) {
    TestServer server(BasicInput());
    EXPECT_EQ(server.Handshake(text), HandshakeStep::kRefused) << text;
    EXPECT_EQ(server.refusal().reason, Reason::kPlainHttp) << text;
  }
}

TEST(Refused, PlainHttpByteByByte) {
  TestServer server(BasicInput());
  EXPECT_EQ(server.Handshake("GET / HTTP/1.1\r\n", 1), HandshakeStep::kRefused);
  EXPECT_EQ(server.refusal().reason, Reason::kPlainHttp);
}

TEST(Refused, Garbage) {
  for (std::string_view text :
       {std::string_view("SSH-2.0-OpenSSH_9.2\r\n"), std::string_view("\0\0\0\0\0\0\0\0", 8),
        std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff")}) {
    TestServer server(BasicInput());
    EXPECT_EQ(server.Handshake(text), HandshakeStep::kRefused) << text;
    EXPECT_EQ(server.refusal().reason, Reason::kNotTls) << text;
    EXPECT_FALSE(server.identity().verified());
  }
}

// A TLS record with nonsense in it, and one of a kind that cannot come first.
TEST(Refused, NonsenseInRecords) {
  for (std::string_view text :
       {std::string_view("\x16\x03\x01\x00\x04\x63\x00\x00\x00", 9),
        std::string_view("\x17\x03\x03\x00\x02hi", 7),
        std::string_view("\x16\x03\x01\x00\x06\x01\x00\x00\x02\x03\x03", 11)}) {
    TestServer server(BasicInput());
    EXPECT_EQ(server.Handshake(text), HandshakeStep::kRefused);
    EXPECT_EQ(server.refusal().reason, Reason::kProtocol);
    EXPECT_FALSE(server.output().empty()) << "no alert";
  }
}

TEST(Refused, OversizedHelloIsNotBufferedWithoutEnd) {
  TestServer server(BasicInput());
  // A handshake message that claims 16 MB.
  std::string claim("\x16\x03\x01\x40\x00\x01\xff\xff\xff", 9);
  claim.append(16 * 1024 - 4, 'x');
  EXPECT_EQ(server.Handshake(claim), HandshakeStep::kRefused);
  EXPECT_EQ(server.refusal().reason, Reason::kProtocol);
}

TEST(Refused, EmptyInputNeedsInput) {
  TestServer server(BasicInput());
  std::span<const uint8_t> nothing;
  EXPECT_EQ(server.engine().Handshake(&nothing, &server.output()), HandshakeStep::kNeedInput);
}

TEST(Refused, OldVersionOnly) {
  ContextInput input = BasicInput();
  input.policy = config::TlsPolicy::k1_2StrictWith1_3;
  ClientOptions options;
  options.version_max = TLS1_1_VERSION;
  TestServer server(input);
  TestClient client(options);
  EXPECT_EQ(Connect(&client, &server), HandshakeStep::kRefused);
  EXPECT_EQ(server.refusal().reason, Reason::kUnsupportedVersion);
  EXPECT_EQ(client.alert(), SSL_AD_PROTOCOL_VERSION);
}

TEST(Refused, NoCommonSuite) {
  ClientOptions options;
  options.version_max = TLS1_2_VERSION;
  options.ciphers = "ECDHE-RSA-AES128-GCM-SHA256";  // and the server's key is ECDSA
  TestServer server(BasicInput());
  TestClient client(options);
  EXPECT_EQ(Connect(&client, &server), HandshakeStep::kRefused);
  EXPECT_EQ(server.refusal().reason, Reason::kNoSharedCipher);
  EXPECT_EQ(client.alert(), SSL_AD_HANDSHAKE_FAILURE);
}

TEST(Refused, NoCommonGroup) {
  ClientOptions options;
  options.version_min = TLS1_3_VERSION;
  options.curves = "P-521";
  TestServer server(BasicInput());
  TestClient client(options);
  EXPECT_EQ(Connect(&client, &server), HandshakeStep::kRefused);
  EXPECT_EQ(server.refusal().reason, Reason::kNoSharedCipher);
}

TEST(Refused, ClientWhoDoesNotTrustUs) {
  for (uint16_t version : {uint16_t{TLS1_2_VERSION}, uint16_t{TLS1_3_VERSION}}) {
    ClientOptions options;
    options.version_min = options.version_max = version;
    TestServer server(BasicInput());
    TestClient client(options);
    SSL_set_custom_verify(client.ssl(), SSL_VERIFY_PEER, [](SSL*, uint8_t* alert) {
      *alert = SSL_AD_UNKNOWN_CA;
      return ssl_verify_invalid;
    });
    EXPECT_EQ(Connect(&client, &server), HandshakeStep::kRefused);
    EXPECT_EQ(server.refusal().reason, Reason::kPeerAlert);
    EXPECT_EQ(server.refusal().peer_alert, SSL_AD_UNKNOWN_CA);
  }
}

// A second group in the client's list costs a HelloRetryRequest, not the connection.
TEST(Handshake, HelloRetryRequest) {
  ClientOptions options;
  options.version_min = TLS1_3_VERSION;
  options.curves = "P-521:P-384";
  TestServer server(BasicInput());
  TestClient client(options);
  EXPECT_EQ(Connect(&client, &server, 1), HandshakeStep::kDone);
}

TEST(Handshake, TwoEnginesOfOneTransportDoNotMix) {
  // One transport serves all connections of a shard: refusals of one must not stay for the next.
  auto context = MakeContext(BasicInput(ClientAuth::kRequire));
  base::Arena arena(size_t{16} << 20);
  base::BlockPool blocks(&arena);
  Transport transport;
  transport.set_now_s(kNow);
  PeerIdentity first_identity(&blocks);
  PeerIdentity second_identity(&blocks);
  base::ByteQueue output(&blocks);
  Engine first(context.get(), &transport, &first_identity);
  Engine second(context.get(), &transport, &second_identity);
  TestClient bad(WithCertificate(TestPki::Get().stranger));
  TestClient good(WithCertificate(TestPki::Get().client));
  auto run = [&output](Engine* engine, TestClient* client) {
    client->Handshake();
    std::string bytes = client->Take();
    std::span<const uint8_t> input = Bytes(bytes);
    Engine::HandshakeStep step = engine->Handshake(&input, &output);
    client->Feed(Drain(&output));
    return step;
  };
  EXPECT_EQ(run(&first, &bad), HandshakeStep::kNeedInput);
  EXPECT_EQ(run(&second, &good), HandshakeStep::kNeedInput);
  EXPECT_EQ(run(&first, &bad), HandshakeStep::kRefused);
  EXPECT_EQ(transport.refusal().reason, Reason::kUnknownCa);
  EXPECT_EQ(run(&second, &good), HandshakeStep::kDone);
  EXPECT_EQ(transport.refusal().reason, Reason::kNone);
  EXPECT_FALSE(first_identity.verified());
  EXPECT_TRUE(second_identity.verified());
}

}  // namespace
}  // namespace postern::tls
