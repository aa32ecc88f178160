// Our client against our server: whom it believes, and what it resumes.
#include "src/tls/client_engine.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "src/tls/tls_test_util.h"

namespace postern::tls {
namespace {

constexpr const char* kName = "app.example.test";

Cert ServerCert(CertOptions options = {}) {
  if (options.extended_key_usage == "clientAuth") {
    options.extended_key_usage = "serverAuth";
  }
  if (options.subject_alt_name.empty()) {
    options.subject_alt_name = std::string("DNS:") + kName;
  }
  return MakeCert(options, &TestPki::Get().root);
}

ContextInput ServerInput(const Cert& cert,
                         config::ClientAuth client_auth = config::ClientAuth::kOff) {
  ContextInput input = BasicInput(client_auth);
  input.hosts[0].pairs = {PairOf(cert)};
  return input;
}

ClientContextInput BelievesRoot() {
  ClientContextInput input;
  input.anchors = {{"ca.pem", TestPki::Get().root.pem()}};
  return input;
}

std::unique_ptr<ClientContext> MakeClientContext(const ClientContextInput& input) {
  auto context = ClientContext::Create(input);
  CHECK(context.ok());
  return *std::move(context);
}

// The engine under test with all it needs.
class Client {
 public:
  Client(const ClientContext* context, ServerName name, ClientSessions* sessions,
         int64_t now_s = kNow)
      : name_(std::move(name)) {
    transport_.set_now_s(now_s);
    engine_.emplace(context, &transport_, &name_, sessions);
  }
  ~Client() {
    engine_.reset();
    output_.Clear();
    CHECK(blocks_.used_bytes() == 0);
  }

  // Both to the end of the handshake; what the client has come to.
  Channel::HandshakeStep Connect(TestServer* server) {
    std::string bytes;
    for (int round = 0; round < 5; ++round) {
      std::span<const uint8_t> input = Bytes(bytes);
      step_ = engine_->Handshake(&input, &output_);
      pending_.assign(reinterpret_cast<const char*>(input.data()), input.size());
      server->Handshake(Drain(&output_));
      if (step_ != Channel::HandshakeStep::kNeedInput) {
        pending_ += server->Take();
        break;
      }
      bytes = server->Take();
    }
    return step_;
  }

  std::string Read() {
    std::span<const uint8_t> input = Bytes(pending_);
    std::string plaintext(1 << 14, '\0');
    size_t size = 0;
    read_step_ = engine_->Read(
        &input, {reinterpret_cast<uint8_t*>(plaintext.data()), plaintext.size()}, &size, &output_);
    std::string rest(reinterpret_cast<const char*>(input.data()), input.size());
    pending_ = rest;
    plaintext.resize(size);
    return plaintext;
  }
  void Feed(std::string_view bytes) { pending_ += bytes; }
  Reason reason() const { return transport_.refusal().reason; }
  ClientEngine& engine() { return *engine_; }
  base::ByteQueue& output() { return output_; }
  Channel::ReadStep read_step() const { return read_step_; }

 private:
  base::Arena arena_{size_t{16} << 20};
  base::BlockPool blocks_{&arena_};
  base::ByteQueue output_{&blocks_};
  Transport transport_;
  ServerName name_;
  std::optional<ClientEngine> engine_;
  Channel::HandshakeStep step_ = Channel::HandshakeStep::kNeedInput;
  Channel::ReadStep read_step_ = Channel::ReadStep::kNeedInput;
  std::string pending_;
};

TEST(ClientEngineTest, TalksToTheServerThatIsMeant) {
  auto context = MakeClientContext(BelievesRoot());
  ClientSessions sessions;
  TestServer server(ServerInput(ServerCert()));
  Client client(context.get(), {kName, false}, &sessions);
  ASSERT_EQ(client.Connect(&server), Channel::HandshakeStep::kDone);
  EXPECT_EQ(server.engine().server_name(), kName);
  EXPECT_EQ(client.engine().version(), "TLSv1.3");
  EXPECT_FALSE(client.engine().resumed());
  ASSERT_TRUE(client.engine().Write(Bytes("ping"), &client.output()));
  server.Feed(Drain(&client.output()));
  EXPECT_EQ(server.Read(), "ping");
  ASSERT_TRUE(server.Write("pong"));
  client.Feed(server.Take());
  EXPECT_EQ(client.Read(), "pong");
  server.Shutdown();
  client.Feed(server.Take());
  client.Read();
  EXPECT_EQ(client.read_step(), Channel::ReadStep::kCloseNotify);
}

// Not a broken server: one with a chain that nobody needs.
TEST(ClientEngineTest, AChainThatIsTooLarge) {
  auto context = MakeClientContext(BelievesRoot());
  for (const size_t copies : {size_t{10}, size_t{130}}) {
    ContextInput input = ServerInput(ServerCert());
    for (size_t i = 0; i < copies; ++i) {
      input.hosts[0].pairs[0].certificate_pem += TestPki::Get().sub_ca.pem();
    }
    ClientSessions sessions;
    TestServer server(input);
    Client client(context.get(), {kName, false}, &sessions);
    EXPECT_EQ(client.Connect(&server), Channel::HandshakeStep::kRefused);
    EXPECT_EQ(NameOf(client.reason()),
              NameOf(copies == 10 ? Reason::kChainTooLong : Reason::kCertificateTooLarge));
  }
}

struct Refused {
  const char* what;
  Cert cert;
  ServerName name;
  int64_t now_s;
  Reason reason;
};

TEST(ClientEngineTest, RefusesEverybodyElse) {
  Cert stranger = MakeCert(CaOptions("stranger"));
  CertOptions for_clients;
  for_clients.extended_key_usage = "clientAuth,emailProtection";
  CertOptions named;
  named.subject_alt_name = std::string("DNS:other.example.test,IP:192.0.2.7");
  CertOptions wildcard;
  wildcard.subject_alt_name = "DNS:*.example.test";
  CertOptions by_subject;  // its common name is the right one, its SAN is not
  by_subject.cn = kName;
  by_subject.subject_alt_name = "DNS:other.example.test";
  CertOptions of_stranger;
  of_stranger.extended_key_usage = "serverAuth";
  of_stranger.subject_alt_name = std::string("DNS:") + kName;
  Refused tests[] = {
      {"another CA", MakeCert(of_stranger, &stranger), {kName, false}, kNow, Reason::kUnknownCa},
      {"expired", ServerCert(), {kName, false}, kNow + 31 * kDay, Reason::kExpired},
      {"not yet", ServerCert(), {kName, false}, kNow - 2 * kDay, Reason::kNotYetValid},
      {"no server", ServerCert(for_clients), {kName, false}, kNow, Reason::kWrongPurpose},
      {"another name", ServerCert(named), {kName, false}, kNow, Reason::kWrongName},
      {"another address", ServerCert(named), {"192.0.2.8", true}, kNow, Reason::kWrongName},
      {"an address as a name", ServerCert(), {"192.0.2.7", true}, kNow, Reason::kWrongName},
      {"two labels", ServerCert(wildcard), {"a.b.example.test", false}, kNow, Reason::kWrongName},
      {"common name", ServerCert(by_subject), {kName, false}, kNow, Reason::kWrongName},
  };
  auto context = MakeClientContext(BelievesRoot());
  ClientContextInput trusting;
  trusting.verify = false;
  auto believes_all = MakeClientContext(trusting);
  for (Refused& test : tests) {
    SCOPED_TRACE(test.what);
    ClientSessions sessions;
    {
      TestServer server(ServerInput(test.cert));
      Client client(context.get(), test.name, &sessions, test.now_s);
      EXPECT_EQ(client.Connect(&server), Channel::HandshakeStep::kRefused);
      EXPECT_EQ(client.reason(), test.reason) << NameOf(client.reason());
      EXPECT_EQ(sessions.size(), 0u);
    }
    TestServer server(ServerInput(test.cert));
    Client client(believes_all.get(), test.name, &sessions, test.now_s);
    EXPECT_EQ(client.Connect(&server), Channel::HandshakeStep::kDone);
  }
}

TEST(ClientEngineTest, BelievesAddressesAndWildcards) {
  auto context = MakeClientContext(BelievesRoot());
  CertOptions options;
  options.subject_alt_name = "DNS:*.example.test,IP:192.0.2.7,IP:2001:db8::7";
  for (ServerName name : {ServerName{"any.example.test", false}, ServerName{"192.0.2.7", true},
                          ServerName{"2001:db8::7", true}}) {
    ClientSessions sessions;
    TestServer server(ServerInput(ServerCert(options)));
    Client client(context.get(), name, &sessions);
    EXPECT_EQ(client.Connect(&server), Channel::HandshakeStep::kDone) << name.text;
    // RFC 6066, 3: no address is sent.
    EXPECT_EQ(server.engine().server_name(), name.is_address ? "" : name.text);
  }
}

TEST(ClientEngineTest, ShowsItsOwnCertificate) {
  CertOptions options;
  options.cn = "the gate";
  Cert own = MakeCert(options, &TestPki::Get().root);
  ClientContextInput input = BelievesRoot();
  input.certificate = PairOf(own, "own");
  auto with = MakeClientContext(input);
  auto without = MakeClientContext(BelievesRoot());
  ClientSessions sessions;
  {
    TestServer server(ServerInput(ServerCert(), config::ClientAuth::kRequire));
    Client client(with.get(), {kName, false}, &sessions);
    EXPECT_EQ(client.Connect(&server), Channel::HandshakeStep::kDone);
    EXPECT_EQ(server.identity().parts().subject_dn, "CN=the gate");
  }
  // TLS 1.3: a client learns of its refusal when it reads.
  TestServer server(ServerInput(ServerCert(), config::ClientAuth::kRequire));
  Client client(without.get(), {kName, false}, &sessions);
  client.Connect(&server);
  client.Read();
  EXPECT_EQ(client.read_step(), Channel::ReadStep::kFailed);
  EXPECT_EQ(client.reason(), Reason::kPeerAlert);
}

TEST(ClientEngineTest, SpeaksHttp2OnlyWhenTheServerAgrees) {
  ClientContextInput input = BelievesRoot();
  input.http2 = true;
  auto context = MakeClientContext(input);
  ContextInput both = ServerInput(ServerCert());
  both.http2 = true;
  ClientSessions sessions;
  {
    TestServer server(both);
    Client client(context.get(), {kName, false}, &sessions);
    EXPECT_EQ(client.Connect(&server), Channel::HandshakeStep::kDone);
    EXPECT_TRUE(client.engine().http2());
  }
  TestServer server(ServerInput(ServerCert()));
  Client client(context.get(), {kName, false}, &sessions);
  EXPECT_EQ(client.Connect(&server), Channel::HandshakeStep::kRefused);
}

class ClientResumptionTest : public ::testing::Test {
 protected:
  ClientResumptionTest() {
    input_ = ServerInput(cert_);
    input_.tickets.enabled = true;
  }
  // One more connection; whether it was resumed.
  bool Resumes(const ClientContext& context, Channel::HandshakeStep expected,
               int64_t now_s = kNow) {
    TestServer server(input_, &keys_);
    server.transport().set_now_s(now_s);
    Client client(&context, {kName, false}, &sessions_, now_s);
    EXPECT_EQ(client.Connect(&server), expected);
    if (expected != Channel::HandshakeStep::kDone) {
      return false;
    }
    EXPECT_TRUE(server.Write("data"));  // its ticket comes with it
    client.Feed(server.Take());
    EXPECT_EQ(client.Read(), "data");
    EXPECT_EQ(server.transport().counters().tickets_issued, 1u);
    return client.engine().resumed();
  }

  Cert cert_ = ServerCert();
  ContextInput input_;
  TicketKeys keys_{{TicketSecret{}}, 7200};
  ClientSessions sessions_;
};

TEST_F(ClientResumptionTest, UsesEachTicketOnce) {
  auto context = MakeClientContext(BelievesRoot());
  EXPECT_FALSE(Resumes(*context, Channel::HandshakeStep::kDone));
  EXPECT_EQ(sessions_.size(), 1u);
  EXPECT_TRUE(Resumes(*context, Channel::HandshakeStep::kDone));
  EXPECT_EQ(sessions_.size(), 1u);  // the one was used up, and another one came
  EXPECT_TRUE(Resumes(*context, Channel::HandshakeStep::kDone));
}

TEST_F(ClientResumptionTest, JudgesTheServerAgain) {
  auto context = MakeClientContext(BelievesRoot());
  EXPECT_FALSE(Resumes(*context, Channel::HandshakeStep::kDone));
  // Another CA is believed now: what the ticket stands for does not count.
  ClientContextInput other;
  other.anchors = {{"other.pem", MakeCert(CaOptions("other")).pem()}};
  auto distrusting = MakeClientContext(other);
  EXPECT_FALSE(Resumes(*distrusting, Channel::HandshakeStep::kRefused));
}

TEST(ClientContextTest, SaysWhatIsWrong) {
  ClientContextInput input;
  input.anchors = {{"ca.pem", std::string("nothing")}};
  auto context = ClientContext::Create(input);
  ASSERT_FALSE(context.ok());
  EXPECT_NE(context.status().message().find("ca.pem"), std::string::npos);
  input = BelievesRoot();
  input.certificate = PairOf(ServerCert(), "own");
  input.certificate->key_pem = ServerCert().key_pem();
  context = ClientContext::Create(input);
  ASSERT_FALSE(context.ok());
  EXPECT_NE(context.status().message().find("own.key"), std::string::npos);
}

}  // namespace
}  // namespace postern::tls
