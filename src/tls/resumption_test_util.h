// A server that is built anew for every connection, as on another host or after a reload, and
// clients that come back to it.
#ifndef POSTERN_SRC_TLS_RESUMPTION_TEST_UTIL_H_
#define POSTERN_SRC_TLS_RESUMPTION_TEST_UTIL_H_

#include <gtest/gtest.h>
#include <openssl/sha.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "src/tls/tls_test_util.h"

namespace postern::tls {

inline std::string VersionName(const ::testing::TestParamInfo<int>& info) {
  return info.param == TLS1_3_VERSION ? "Tls13" : "Tls12";
}

// The parameter is the TLS version.
class ResumptionTest : public ::testing::TestWithParam<int> {
 protected:
  struct Outcome {
    bool done = false;
    bool resumed = false;
    bool verified = false;
    Reason reason = Reason::kNone;
    TicketResult ticket = TicketResult::kNotOffered;
    std::string subject;
    std::string record;
    Counters counters;
    size_t hello_bytes = 0;
    bssl::UniquePtr<SSL_SESSION> session;
  };

  ResumptionTest() {
    input_.tickets.enabled = true;
    UseSecrets({1});
  }

  static const TestPki& Pki() { return TestPki::Get(); }

  static std::vector<TicketSecret> Secrets(const std::vector<uint8_t>& fillers) {
    std::vector<TicketSecret> secrets;
    for (uint8_t filler : fillers) {
      secrets.emplace_back();
      secrets.back().fill(filler);
    }
    return secrets;
  }
  void UseSecrets(const std::vector<uint8_t>& fillers) {
    keys_ = std::make_unique<TicketKeys>(Secrets(fillers), input_.tickets.lifetime_s);
  }

  Outcome Run(ClientOptions options, SSL_SESSION* session = nullptr) {
    options.version_min = options.version_max = static_cast<uint16_t>(GetParam());
    options.session = session;
    TestServer server(input_, keys_.get());
    server.transport().set_now_s(now_s_);
    server.transport().set_resumed_only(resumed_only_);
    TestClient client(options);
    Outcome outcome;
    client.Handshake();
    std::string hello = client.Take();
    outcome.hello_bytes = hello.size();
    HandshakeStep step = server.Handshake(hello);
    client.Feed(server.Take());
    if (step == HandshakeStep::kNeedInput) {
      step = Connect(&client, &server);
    } else if (client.Handshake()) {
      // TLS 1.2, resumed: the client's last flight.
      client.Read();
    }
    outcome.done = step == HandshakeStep::kDone;
    if (outcome.done) {
      // TLS 1.3: the library keeps the ticket back until there is something else to send.
      server.Write("x");
      client.Feed(server.Take());
      client.Read();
    }
    outcome.resumed = outcome.done && server.engine().resumed();
    outcome.reason = outcome.done ? Reason::kNone : server.refusal().reason;
    outcome.ticket = server.engine().ticket_result();
    outcome.verified = server.identity().verified();
    outcome.subject = server.identity().parts().subject_dn;
    std::span<const uint8_t> record = server.identity().record();
    outcome.record.assign(record.begin(), record.end());
    outcome.counters = server.transport().counters();
    outcome.session = client.TakeSession();
    return outcome;
  }
  // The same client again, with its certificate at hand should the ticket be ignored.
  Outcome Resume(const Outcome& before, ClientOptions options) {
    return Run(std::move(options), before.session.get());
  }
  Outcome Resume(const Outcome& before) { return Resume(before, ClientOf(before)); }

  void ExpectPolicyChanged(const Outcome& outcome) {
    EXPECT_TRUE(outcome.done);
    EXPECT_FALSE(outcome.resumed);
    EXPECT_EQ(outcome.ticket, TicketResult::kPolicyChanged);
  }

  // The session with one byte of its ticket changed.
  static bssl::UniquePtr<SSL_SESSION> WithTicketByteChanged(const Outcome& outcome, size_t at) {
    const uint8_t* ticket = nullptr;
    size_t size = 0;
    SSL_SESSION_get0_ticket(outcome.session.get(), &ticket, &size);
    std::string wanted(reinterpret_cast<const char*>(ticket), size);
    return Changed(outcome.session.get(), wanted, at);
  }
  // The session as a thief has it who saw only the ticket.
  static bssl::UniquePtr<SSL_SESSION> WithOtherSecret(const Outcome& outcome) {
    std::string secret(SSL_MAX_MASTER_KEY_LENGTH, '\0');
    secret.resize(SSL_SESSION_get_master_key(
        outcome.session.get(), reinterpret_cast<uint8_t*>(secret.data()), secret.size()));
    return Changed(outcome.session.get(), secret, 0);
  }

  ContextInput input_ = BasicInput(config::ClientAuth::kRequire);
  std::unique_ptr<TicketKeys> keys_;
  int64_t now_s_ = kNow;
  bool resumed_only_ = false;
  // Whose certificate Resume shows, by subject; what is not here is TestPki's.
  std::vector<const Cert*> clients_;

 private:
  using HandshakeStep = Engine::HandshakeStep;

  ClientOptions ClientOf(const Outcome& outcome) const {
    std::vector<const Cert*> known = clients_;
    for (const Cert* cert : {&Pki().client, &Pki().stranger}) {
      known.push_back(cert);
    }
    for (const Cert* cert : known) {
      if (outcome.record.find(Sha256Of(cert->der)) != std::string::npos) {
        return WithCertificate(*cert);
      }
    }
    if (outcome.subject == "CN=device-18") {
      return WithCertificate(Pki().sub_client, {Pki().sub_ca.der});
    }
    return {};
  }
  static std::string Sha256Of(const std::string& der) {
    std::string hash(SHA256_DIGEST_LENGTH, '\0');
    SHA256(reinterpret_cast<const uint8_t*>(der.data()), der.size(),
           reinterpret_cast<uint8_t*>(hash.data()));
    return hash;
  }

  static bssl::UniquePtr<SSL_SESSION> Changed(SSL_SESSION* session, const std::string& part,
                                              size_t at) {
    uint8_t* bytes = nullptr;
    size_t size = 0;
    CHECK(SSL_SESSION_to_bytes(session, &bytes, &size) == 1);
    bssl::UniquePtr<uint8_t> owned(bytes);
    std::string text(reinterpret_cast<const char*>(bytes), size);
    size_t found = text.find(part);
    CHECK(found != std::string::npos);
    text[found + at] = static_cast<char>(text[found + at] ^ 0x55);
    bssl::UniquePtr<SSL_CTX> context(SSL_CTX_new(TLS_with_buffers_method()));
    bssl::UniquePtr<SSL_SESSION> changed(SSL_SESSION_from_bytes(
        reinterpret_cast<const uint8_t*>(text.data()), text.size(), context.get()));
    CHECK(changed != nullptr);
    return changed;
  }
};

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_RESUMPTION_TEST_UTIL_H_
