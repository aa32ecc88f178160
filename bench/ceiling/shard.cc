// One shard without a kernel, doing one thing over and over: what ceiling.py counts.
//
//   shard SCENARIO OPERATIONS
//
// known       a full mutual handshake (TLS 1.3) with a client whose chain is in the cache
// new         the same with a client that was never seen, of an issuer that is known
// new_issuer  the same where the issuer was never seen either
// resumed     a handshake that resumes a session
// http1       a GET of 1 KiB on a connection that is kept, to a server connection that is kept
// http2       the same, from a client that speaks HTTP/2
//
// Chains are a leaf and an intermediate, ECDSA P-256. A handshake is a whole connection: accepted,
// established, idle for a moment, ended by the client.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/ceiling/client.h"
#include "bench/ceiling/measured_driver.h"
#include "src/base/check.h"
#include "src/tls/cert_test_util.h"
#include "tests/gate/gate.h"
#include "tests/gate/h2_endpoint.h"

namespace postern::ceiling {
namespace {

class Pki {
 public:
  explicit Pki(int64_t now_s) : now_s_(now_s), root_(Make(tls::CaOptions("Root"), nullptr)) {}

  gate::Certificates ForGate() {
    tls::Cert issuer = MakeIssuer();
    tls::CertOptions options = tls::ServerOptions();
    options.subject_alt_name = "DNS:gate.example.test";
    tls::Cert server = Make(options, &issuer);
    gate::Certificates certificates;
    certificates.root_pem = root_.pem();
    certificates.server = {server.pem() + issuer.pem(), server.key_pem()};
    return certificates;
  }
  tls::Cert MakeIssuer() {
    return Make(tls::CaOptions("Issuer " + std::to_string(++count_)), &root_);
  }
  tls::Cert MakeClient(const tls::Cert& issuer) {
    tls::CertOptions options;
    options.cn = "device-" + std::to_string(++count_);
    return Make(options, &issuer);
  }

 private:
  tls::Cert Make(tls::CertOptions options, const tls::Cert* issuer) {
    options.not_before_s = now_s_ - tls::kDay;
    options.not_after_s = now_s_ + 30 * tls::kDay;
    options.serial = 1'000'000 + count_;
    return MakeCert(options, issuer);
  }

  int64_t now_s_;
  uint64_t count_ = 0;
  tls::Cert root_;
};

io::Address ServerAddress() {
  return *io::ParseHost("198.51.100.1", 80);
}

gate::GateOptions Options() {
  gate::GateOptions options;
  options.shards = 1;
  options.servers = {ServerAddress()};
  options.health_check = false;
  options.make_driver = [](sim::World* world, const sim::SimDriverOptions& driver) {
    return std::make_unique<MeasuredDriver>(world, driver);
  };
  return options;
}

class Stage {
 public:
  Stage()
      : world_(1),
        pki_(world_.wall_ms() / 1000),
        issuer_(pki_.MakeIssuer()),
        client_(pki_.MakeClient(issuer_)),
        origin_(&world_, ServerAddress()),
        gate_(&world_, pki_.ForGate(), Options()) {}

  void Known(size_t operations) {
    Handshake(client_, issuer_);
    for (size_t i = 0; i < operations; ++i) {
      Handshake(client_, issuer_);
    }
    CHECK(counters().chains_recalled == operations && counters().chains_verified == 1);
  }

  void New(size_t operations) {
    Handshake(client_, issuer_);
    for (size_t i = 0; i < operations; ++i) {
      Handshake(pki_.MakeClient(issuer_), issuer_);
    }
    CHECK(counters().chains_verified == operations + 1);
    CHECK(counters().issuers_recalled == operations);
  }

  void NewIssuer(size_t operations) {
    for (size_t i = 0; i < operations; ++i) {
      tls::Cert issuer = pki_.MakeIssuer();
      Handshake(pki_.MakeClient(issuer), issuer);
    }
    CHECK(counters().chains_verified == operations && counters().issuers_recalled == 0);
  }

  void Resumed(size_t operations) {
    tls::ClientOptions options = OptionsFor(client_, issuer_);
    Client first(&world_, options);
    first.Establish();
    first.Get();  // the ticket comes before the first answer
    bssl::UniquePtr<SSL_SESSION> session = first.tls().TakeSession();
    CHECK(session != nullptr);
    first.End();
    options.session = session.get();
    for (size_t i = 0; i < operations; ++i) {
      Client client(&world_, options);
      client.Establish();
      CHECK(client.tls().resumed());
      client.End();
    }
    CHECK(counters().tickets[static_cast<size_t>(tls::TicketResult::kResumed)] == operations);
  }

  void Http1(size_t operations) {
    Client client(&world_, OptionsFor(client_, issuer_));
    client.Establish();
    for (size_t i = 0; i < operations; ++i) {
      client.Get();
    }
    client.End();
    CHECK(origin_.answered() == operations);
  }

  void Http2(size_t operations) {
    tls::ClientOptions options = OptionsFor(client_, issuer_);
    options.protocols = {"h2"};
    Client client(&world_, options);
    client.Establish();
    gate::H2Endpoint endpoint(false);
    size_t complete = 0;
    endpoint.set_on_message([&complete](int32_t, const gate::H2Endpoint::Message& answer) {
      CHECK(answer.Find(":status") == "200" && answer.body.size() == kBodyBytes);
      ++complete;
    });
    for (size_t i = 0; i < operations; ++i) {
      CHECK(endpoint.Request({{":method", "GET"},
                              {":scheme", "https"},
                              {":authority", "gate.example.test"},
                              {":path", "/articles/17?page=2"},
                              {"user-agent", "ceiling"},
                              {"accept", "*/*"}},
                             "", false) > 0);
      while (complete <= i) {
        std::string bytes = endpoint.Send();
        if (!bytes.empty()) {
          client.Send(bytes);
        }
        client.WaitFor([&client] { return !client.received().empty(); });
        CHECK(endpoint.Receive(client.Take()));
      }
    }
    client.End();
    CHECK(origin_.answered() == operations);
  }

  void End() {
    gate_.Stop();
    world_.Run([this] { return gate_.ended(); }, world_.now_us() + 100'000'000);
    CHECK(gate_.ended());
    gate_.CheckEmpty();
  }

 private:
  static tls::ClientOptions OptionsFor(const tls::Cert& client, const tls::Cert& issuer) {
    tls::ClientOptions options = tls::WithCertificate(client, {issuer.der});
    options.version_min = TLS1_3_VERSION;
    options.server_name = "gate.example.test";
    return options;
  }
  void Handshake(const tls::Cert& certificate, const tls::Cert& issuer) {
    Client client(&world_, OptionsFor(certificate, issuer));
    client.Establish();
    client.End();
  }
  const tls::Counters& counters() const { return gate_.tls_counters(0); }

  sim::World world_;
  Pki pki_;
  tls::Cert issuer_;
  tls::Cert client_;
  Origin origin_;
  gate::Gate gate_;
};

struct Scenario {
  std::string_view name;
  void (Stage::*play)(size_t operations);
};
constexpr Scenario kScenarios[] = {
    {"known", &Stage::Known},     {"new", &Stage::New},     {"new_issuer", &Stage::NewIssuer},
    {"resumed", &Stage::Resumed}, {"http1", &Stage::Http1}, {"http2", &Stage::Http2},
};

}  // namespace
}  // namespace postern::ceiling

int main(int count, char** arguments) {
  using postern::ceiling::kScenarios;
  if (count == 3) {
    size_t operations = std::strtoul(arguments[2], nullptr, 10);
    for (const auto& scenario : kScenarios) {
      if (scenario.name == arguments[1] && operations > 0) {
        postern::ceiling::Stage stage;
        (stage.*scenario.play)(operations);
        stage.End();
        return 0;
      }
    }
  }
  std::fprintf(stderr, "usage: shard known|new|new_issuer|resumed|http1|http2 OPERATIONS\n");
  return 2;
}
