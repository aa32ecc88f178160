// What TLS costs on our side of a connection. The client is plain BoringSSL and is not part of any
// figure here: the clock stands still while it works, which adds about a microsecond to what is
// measured with it. Chains of clients are a leaf and an intermediate, all keys are P-256.
#include <benchmark/benchmark.h>
#include <openssl/pool.h>
#include <openssl/ssl.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "src/base/arena.h"
#include "src/base/block_pool.h"
#include "src/base/byte_queue.h"
#include "src/base/check.h"
#include "src/tls/chain_cache.h"
#include "src/tls/ticket_keys.h"
#include "src/tls/tls_test_util.h"
#include "src/tls/verifier.h"

namespace postern::tls {
namespace {

constexpr size_t kChainCacheBytes = 1 << 20;

// What is known of a client when it comes.
enum class Known : uint8_t { kChain, kIssuer, kNothing };

ContextInput MutualInput() {
  ContextInput input = BasicInput(config::ClientAuth::kRequire);
  input.tickets.enabled = true;
  return input;
}

ClientOptions ClientOf13() {
  const TestPki& pki = TestPki::Get();
  ClientOptions options = WithCertificate(pki.sub_client, {pki.sub_ca.der});
  options.version_min = TLS1_3_VERSION;
  return options;
}

// What one shard has for TLS. Keeps chains unless it is told not to.
class Shard {
 public:
  explicit Shard(bool keeps_chains) : transport_(keeps_chains ? &chains_ : nullptr) {
    transport_.set_now_s(kNow);
    Renew();
  }

  // Forgets all issuers, as a reload does.
  void Renew() { context_ = MakeContext(MutualInput(), &keys_); }

  Context* context() { return context_.get(); }
  Transport* transport() { return &transport_; }
  base::BlockPool* blocks() { return &blocks_; }
  const Counters& counters() const { return transport_.counters(); }

 private:
  base::Arena arena_{size_t{64} << 20};
  base::BlockPool blocks_{&arena_};
  ChainCache chains_{&arena_, &blocks_, kChainCacheBytes};
  Transport transport_;
  TicketKeys keys_{{TicketSecret{1}}, 7200};
  std::unique_ptr<Context> context_;
};

// Our side of one connection.
class Connection {
 public:
  explicit Connection(Shard* shard)
      : identity_(shard->blocks()),
        output_(shard->blocks()),
        engine_(shard->context(), shard->transport(), &identity_) {}

  Engine::HandshakeStep Handshake(std::string_view bytes) {
    std::span<const uint8_t> input = Bytes(bytes);
    return engine_.Handshake(&input, &output_);
  }
  Engine& engine() { return engine_; }
  base::ByteQueue& output() { return output_; }

 private:
  PeerIdentity identity_;
  base::ByteQueue output_;
  Engine engine_;
};

// Establishes a connection between the two; with the clock of `state`, unless that is null, running
// in our steps only.
void Establish(benchmark::State* state, Shard* shard, TestClient* client,
               std::optional<Connection>* connection) {
  client->Handshake();
  std::string flight = client->Take();
  if (state != nullptr) {
    state->ResumeTiming();
  }
  connection->emplace(shard);
  CHECK((*connection)->Handshake(flight) == Engine::HandshakeStep::kNeedInput);
  if (state != nullptr) {
    state->PauseTiming();
  }
  client->Feed(Drain(&(*connection)->output()));
  CHECK(client->Handshake());
  flight = client->Take();
  if (state != nullptr) {
    state->ResumeTiming();
  }
  CHECK((*connection)->Handshake(flight) == Engine::HandshakeStep::kDone);
  if (state != nullptr) {
    state->PauseTiming();
  }
}

// Handshakes of clients with these options: building the engine, both of its steps (the hello up to
// our flight; the client's flight, with its chain and signature, up to a sealed ticket), and the
// end of the engine.
void Handshakes(benchmark::State& state, Shard* shard, const ClientOptions& options, bool renew) {
  for (auto _ : state) {
    state.PauseTiming();
    if (renew) {
      shard->Renew();
    }
    TestClient client(options);
    std::optional<Connection> connection;
    Establish(&state, shard, &client, &connection);
    CHECK(connection->engine().resumed() == (options.session != nullptr));
    state.ResumeTiming();
    connection.reset();
  }
}

void BM_FullHandshake(benchmark::State& state, Known known) {
  Shard shard(known == Known::kChain);
  TestClient first(ClientOf13());
  std::optional<Connection> connection;
  Establish(nullptr, &shard, &first, &connection);
  connection.reset();
  Handshakes(state, &shard, ClientOf13(), known == Known::kNothing);
  const Counters& counters = shard.counters();
  auto handshakes = static_cast<uint64_t>(state.iterations());
  CHECK(counters.chains_recalled == (known == Known::kChain ? handshakes : 0));
  CHECK(counters.issuers_recalled == (known == Known::kIssuer ? handshakes : 0));
}
BENCHMARK_CAPTURE(BM_FullHandshake, known_chain, Known::kChain)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(BM_FullHandshake, known_issuer, Known::kIssuer)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(BM_FullHandshake, nothing_known, Known::kNothing)->Unit(benchmark::kMicrosecond);

// The ticket of one session, again and again.
void BM_ResumedHandshake(benchmark::State& state) {
  Shard shard(true);
  ClientOptions options = ClientOf13();
  TestClient first(options);
  std::optional<Connection> connection;
  Establish(nullptr, &shard, &first, &connection);
  // The library keeps the ticket back until there is something else to send.
  CHECK(connection->engine().Write(Bytes("x"), &connection->output()));
  first.Feed(Drain(&connection->output()));
  first.Read();
  bssl::UniquePtr<SSL_SESSION> session = first.TakeSession();
  CHECK(session != nullptr);
  connection.reset();
  options.session = session.get();
  Handshakes(state, &shard, options, false);
}
BENCHMARK(BM_ResumedHandshake)->Unit(benchmark::kMicrosecond);

// Only who the client is, without its signature: parsing, path, facts and texts; the end of the
// identity too.
void BM_Verify(benchmark::State& state, Known known) {
  const TestPki& pki = TestPki::Get();
  TrustInput trust;
  trust.anchors = {{"ca.pem", pki.root.pem()}};
  auto verifier = Verifier::Create(trust);
  CHECK(verifier.ok());
  base::Arena arena(size_t{64} << 20);
  base::BlockPool blocks(&arena);
  ChainCache chains(&arena, &blocks, kChainCacheBytes);
  Counters counters;
  Verifier::Desk desk = {
      .now_s = kNow, .chains = known == Known::kChain ? &chains : nullptr, .counters = &counters};
  bssl::UniquePtr<STACK_OF(CRYPTO_BUFFER)> chain(sk_CRYPTO_BUFFER_new_null());
  for (const std::string& der : {pki.sub_client.der, pki.sub_ca.der}) {
    bssl::PushToStack(chain.get(), bssl::UniquePtr<CRYPTO_BUFFER>(
                                       CRYPTO_BUFFER_new(Bytes(der).data(), der.size(), nullptr)));
  }
  auto verify = [&] {
    PeerIdentity identity(&blocks);
    Refusal refusal;
    CHECK((*verifier)->Verify(chain.get(), desk, {}, &identity, &refusal) == Reason::kNone);
  };
  verify();
  for (auto _ : state) {
    if (known == Known::kNothing) {
      state.PauseTiming();
      verifier = Verifier::Create(trust);
      CHECK(verifier.ok());
      state.ResumeTiming();
    }
    verify();
  }
  auto count = static_cast<uint64_t>(state.iterations());
  CHECK(counters.chains_recalled == (known == Known::kChain ? count : 0));
  CHECK(counters.issuers_recalled == (known == Known::kIssuer ? count : 0));
}
BENCHMARK_CAPTURE(BM_Verify, known_chain, Known::kChain)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(BM_Verify, known_issuer, Known::kIssuer)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(BM_Verify, nothing_known, Known::kNothing)->Unit(benchmark::kMicrosecond);

// As large as a ticket of TLS 1.3 with an ordinary identity.
constexpr size_t kSessionBytes = 160;
constexpr size_t kRecordBytes = 320;

void BM_SealTicket(benchmark::State& state) {
  TicketKeys keys({TicketSecret{1}}, 7200);
  std::array<uint8_t, kSessionBytes> session = {};
  std::array<uint8_t, kRecordBytes> record = {};
  std::array<std::span<const uint8_t>, 2> parts = {session, record};
  std::array<uint8_t, 1024> ticket;
  for (auto _ : state) {
    CHECK(keys.Seal(parts, kNow, ticket) > 0);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(BM_SealTicket);

void BM_OpenTicket(benchmark::State& state) {
  TicketKeys keys({TicketSecret{1}}, 7200);
  std::array<uint8_t, kSessionBytes + kRecordBytes> text = {};
  std::array<std::span<const uint8_t>, 1> parts = {text};
  std::array<uint8_t, 1024> ticket;
  size_t size = keys.Seal(parts, kNow, ticket);
  std::array<uint8_t, 1024> opened;
  for (auto _ : state) {
    size_t opened_size = 0;
    CHECK(keys.Open({ticket.data(), size}, kNow, opened, &opened_size) ==
          TicketKeys::Result::kOpened);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(BM_OpenTicket);

// Records of so many bytes, encrypted into the queue that is sent from, and taken off it.
void BM_Encrypt(benchmark::State& state) {
  Shard shard(true);
  TestClient client(ClientOf13());
  std::optional<Connection> connection;
  Establish(nullptr, &shard, &client, &connection);
  std::string plaintext(static_cast<size_t>(state.range(0)), 'x');
  for (auto _ : state) {
    CHECK(connection->engine().Write(Bytes(plaintext), &connection->output()));
    connection->output().Clear();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
  state.SetLabel(std::string(connection->engine().cipher()));
}
BENCHMARK(BM_Encrypt)->Arg(1024)->Arg(16 * 1024);

// Records of so many bytes, decrypted into one buffer. The client makes them a few at a time.
void BM_Decrypt(benchmark::State& state) {
  constexpr int64_t kBatch = 64;
  Shard shard(true);
  TestClient client(ClientOf13());
  std::optional<Connection> connection;
  Establish(nullptr, &shard, &client, &connection);
  std::string plaintext(static_cast<size_t>(state.range(0)), 'x');
  std::vector<uint8_t> room(16 * 1024);
  while (state.KeepRunningBatch(kBatch)) {
    state.PauseTiming();
    for (int64_t i = 0; i < kBatch; ++i) {
      client.Write(plaintext);
    }
    std::string ciphertext = client.Take();
    std::span<const uint8_t> input = Bytes(ciphertext);
    state.ResumeTiming();
    for (int64_t i = 0; i < kBatch; ++i) {
      size_t size = 0;
      CHECK(connection->engine().Read(&input, room, &size, &connection->output()) ==
            Engine::ReadStep::kData);
      CHECK(size == plaintext.size());
    }
    CHECK(input.empty());
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
  state.SetLabel(std::string(connection->engine().cipher()));
}
BENCHMARK(BM_Decrypt)->Arg(1024)->Arg(16 * 1024);

}  // namespace
}  // namespace postern::tls
