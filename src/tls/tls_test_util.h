// A BoringSSL client and the engine under test, joined in memory.
#ifndef POSTERN_SRC_TLS_TLS_TEST_UTIL_H_
#define POSTERN_SRC_TLS_TLS_TEST_UTIL_H_

#include <openssl/err.h>
#include <openssl/pool.h>
#include <openssl/ssl.h>

#include <algorithm>
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
#include "src/config/config.h"
#include "src/tls/cert_test_util.h"
#include "src/tls/chain_cache.h"
#include "src/tls/context.h"
#include "src/tls/engine.h"
#include "src/tls/identity.h"
#include "src/tls/ticket_keys.h"
#include "src/tls/transport.h"

namespace postern::tls {

inline std::span<const uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

inline std::string Drain(base::ByteQueue* queue) {
  std::string all;
  while (!queue->empty()) {
    std::array<std::span<const uint8_t>, 4> spans;
    size_t count = queue->Peek(0, spans);
    size_t size = 0;
    for (size_t i = 0; i < count; ++i) {
      all.append(reinterpret_cast<const char*>(spans[i].data()), spans[i].size());
      size += spans[i].size();
    }
    queue->Consume(size);
  }
  return all;
}

struct ClientOptions {
  uint16_t version_min = TLS1_VERSION;
  uint16_t version_max = TLS1_3_VERSION;
  std::string ciphers = {};  // empty: the library's
  std::vector<uint16_t> verify_prefs =
      {};  // signature algorithms that it offers; empty: the library's
  std::vector<std::string> protocols = {};  // ALPN
  std::string server_name = {};
  std::vector<std::string> chain = {};  // DER, leaf first
  EVP_PKEY* key = nullptr;
  bool sign_badly = false;  // CertificateVerify does not match (needs no key)
  uint16_t sign_badly_algorithm = SSL_SIGN_ECDSA_SECP256R1_SHA256;
  size_t sign_badly_size = 72;
  std::string curves = {};
  SSL_SESSION* session = nullptr;         // to resume
  void (*configure)(SSL_CTX*) = nullptr;  // what nothing above covers
};

inline ClientOptions WithCertificate(const Cert& leaf, std::vector<std::string> others = {}) {
  ClientOptions options;
  options.chain = {leaf.der};
  options.chain.insert(options.chain.end(), others.begin(), others.end());
  options.key = leaf.key.get();
  return options;
}

class TestClient {
 public:
  explicit TestClient(const ClientOptions& options) : options_(options) {
    context_.reset(SSL_CTX_new(TLS_with_buffers_method()));
    SSL_CTX_set_min_proto_version(context_.get(), options.version_min);
    SSL_CTX_set_max_proto_version(context_.get(), options.version_max);
    SSL_CTX_set_custom_verify(context_.get(), SSL_VERIFY_PEER,
                              [](SSL*, uint8_t*) { return ssl_verify_ok; });
    if (!options.ciphers.empty()) {
      CHECK(SSL_CTX_set_strict_cipher_list(context_.get(), options.ciphers.c_str()) == 1);
    }
    if (!options.curves.empty()) {
      CHECK(SSL_CTX_set1_curves_list(context_.get(), options.curves.c_str()) == 1);
    }
    if (!options.verify_prefs.empty()) {
      CHECK(SSL_CTX_set_verify_algorithm_prefs(context_.get(), options.verify_prefs.data(),
                                               options.verify_prefs.size()) == 1);
    }
    if (options.configure != nullptr) {
      options.configure(context_.get());
    }
    SSL_CTX_set_session_cache_mode(context_.get(),
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context_.get(), [](SSL* ssl, SSL_SESSION* session) {
      static_cast<TestClient*>(SSL_get_app_data(ssl))->session_.reset(session);
      return 1;
    });
    ssl_.reset(SSL_new(context_.get()));
    if (options.session != nullptr) {
      CHECK(SSL_set_session(ssl_.get(), options.session) == 1);
    }
    SSL_set_app_data(ssl_.get(), this);
    SSL_set_connect_state(ssl_.get());
    SetProtocols();
    if (!options.server_name.empty()) {
      CHECK(SSL_set_tlsext_host_name(ssl_.get(), options.server_name.c_str()) == 1);
    }
    SetCertificate();
    SSL_set0_rbio(ssl_.get(), BIO_new(BIO_s_mem()));
    SSL_set0_wbio(ssl_.get(), BIO_new(BIO_s_mem()));
    BIO_set_mem_eof_return(SSL_get_rbio(ssl_.get()), -1);
  }

  void Feed(std::string_view bytes) {
    if (!bytes.empty()) {
      CHECK(BIO_write(SSL_get_rbio(ssl_.get()), bytes.data(), static_cast<int>(bytes.size())) > 0);
    }
  }
  // Ciphertext for the server.
  std::string Take() {
    std::string all = Cert::Contents(SSL_get_wbio(ssl_.get()));
    CHECK(BIO_reset(SSL_get_wbio(ssl_.get())) == 1);
    return all;
  }

  // True when established.
  bool Handshake() {
    if (failed_ || done_) {
      return done_;
    }
    ERR_clear_error();
    int result = SSL_do_handshake(ssl_.get());
    done_ = result == 1;
    if (!done_) {
      Note(result);
    }
    return done_;
  }

  // Takes every byte of plaintext that has come.
  std::string Read() {
    std::string all;
    std::array<uint8_t, 16 * 1024> piece;
    for (;;) {
      ERR_clear_error();
      int result = SSL_read(ssl_.get(), piece.data(), static_cast<int>(piece.size()));
      if (result <= 0) {
        Note(result);
        return all;
      }
      all.append(reinterpret_cast<const char*>(piece.data()), static_cast<size_t>(result));
    }
  }
  void Write(std::string_view plaintext) {
    while (!plaintext.empty()) {
      size_t size = std::min<size_t>(plaintext.size(), 16 * 1024);
      int result = SSL_write(ssl_.get(), plaintext.data(), static_cast<int>(size));
      CHECK(result > 0);
      plaintext.remove_prefix(static_cast<size_t>(result));
    }
  }
  void Shutdown() { SSL_shutdown(ssl_.get()); }

  SSL* ssl() { return ssl_.get(); }
  // The last session that the server gave a ticket for; null without one.
  bssl::UniquePtr<SSL_SESSION> TakeSession() { return std::move(session_); }
  bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
  bool done() const { return done_; }
  bool failed() const { return failed_; }
  // The server has ended the TLS stream properly.
  bool close_notified() const { return close_notified_; }
  // The fatal alert received, or 0.
  int alert() const { return alert_; }
  const std::string& error_text() const { return error_text_; }
  std::string protocol() const {
    const uint8_t* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &name, &size);
    return std::string(reinterpret_cast<const char*>(name), size);
  }

 private:
  void SetProtocols() {
    std::string wire;
    for (const std::string& protocol : options_.protocols) {
      wire += static_cast<char>(protocol.size());
      wire += protocol;
    }
    if (!wire.empty()) {
      CHECK(SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const uint8_t*>(wire.data()),
                                static_cast<unsigned>(wire.size())) == 0);
    }
  }

  void SetCertificate() {
    if (options_.chain.empty()) {
      return;
    }
    std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> owned;
    std::vector<CRYPTO_BUFFER*> buffers;
    for (const std::string& der : options_.chain) {
      owned.emplace_back(
          CRYPTO_BUFFER_new(reinterpret_cast<const uint8_t*>(der.data()), der.size(), nullptr));
      buffers.push_back(owned.back().get());
    }
    static const SSL_PRIVATE_KEY_METHOD kBadSigner = {SignBadly, nullptr, nullptr};
    bool bad = options_.sign_badly;
    CHECK(SSL_set_chain_and_key(ssl_.get(), buffers.data(), buffers.size(),
                                bad ? nullptr : options_.key, bad ? &kBadSigner : nullptr) == 1);
    if (bad) {
      CHECK(SSL_set_signing_algorithm_prefs(ssl_.get(), &options_.sign_badly_algorithm, 1) == 1);
    }
  }

  static ssl_private_key_result_t SignBadly(SSL* ssl, uint8_t* out, size_t* out_size,
                                            size_t size_max, uint16_t, const uint8_t*, size_t) {
    const auto* client = static_cast<const TestClient*>(SSL_get_app_data(ssl));
    *out_size = std::min(client->options_.sign_badly_size, size_max);
    std::fill_n(out, *out_size, uint8_t{0x5a});
    return ssl_private_key_success;
  }

  void Note(int result) {
    int error = SSL_get_error(ssl_.get(), result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
      return;
    }
    if (error == SSL_ERROR_ZERO_RETURN) {
      close_notified_ = true;
      return;
    }
    failed_ = true;
    uint32_t code = ERR_peek_error();
    int reason = ERR_GET_REASON(code);
    if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason >= SSL_AD_REASON_OFFSET && alert_ == 0) {
      alert_ = reason - SSL_AD_REASON_OFFSET;
    }
    const char* text = ERR_reason_error_string(code);
    error_text_ = text == nullptr ? "" : text;
    ERR_clear_error();
  }

  ClientOptions options_;
  bssl::UniquePtr<SSL_CTX> context_;
  bssl::UniquePtr<SSL> ssl_;
  bssl::UniquePtr<SSL_SESSION> session_;
  bool done_ = false;
  bool failed_ = false;
  bool close_notified_ = false;
  int alert_ = 0;
  std::string error_text_;
};

inline KeyPair PairOf(const Cert& cert, const std::string& name = "server") {
  return {cert.pem(), cert.key_pem(), name + ".crt", name + ".key"};
}

// Client authentication off, one P-256 certificate.
inline ContextInput BasicInput(config::ClientAuth client_auth = config::ClientAuth::kOff) {
  ContextInput input;
  input.tickets.enabled = false;
  input.hosts[0].pairs.push_back(PairOf(TestPki::Get().server));
  input.hosts[0].client_auth = client_auth;
  if (client_auth != config::ClientAuth::kOff) {
    input.hosts[0].trust.anchors = {{"ca.pem", TestPki::Get().root.pem()}};
  }
  return input;
}

inline std::unique_ptr<Context> MakeContext(const ContextInput& input,
                                            TicketKeys* ticket_keys = nullptr) {
  auto context = Context::Create(input, ticket_keys);
  CHECK(context.ok());
  return *std::move(context);
}

// One engine with all it needs.
class TestServer {
 public:
  explicit TestServer(const ContextInput& input) : TestServer(MakeContext(input)) {}
  TestServer(const ContextInput& input, TicketKeys* ticket_keys)
      : TestServer(MakeContext(input, ticket_keys)) {}
  explicit TestServer(std::unique_ptr<Context> context) : TestServer(context.get()) {
    owned_context_ = std::move(context);
  }
  // All outlive this; identities that `chains` keeps are of `pool`.
  explicit TestServer(Context* context, ChainCache* chains = nullptr,
                      base::BlockPool* pool = nullptr)
      : identity_(pool == nullptr ? &blocks_ : pool),
        transport_(chains),
        engine_(std::in_place, context, &transport_, &identity_) {
    transport_.set_now_s(kNow);
  }
  ~TestServer() {
    engine_.reset();
    identity_.Clear();
    output_.Clear();
    CHECK(blocks_.used_bytes() == 0);
  }

  // Feeds ciphertext in pieces of `piece` bytes; what is behind the handshake is kept for Read.
  Engine::HandshakeStep Handshake(std::string_view bytes, size_t piece = SIZE_MAX) {
    step_ = Engine::HandshakeStep::kNeedInput;
    while (!bytes.empty() && step_ == Engine::HandshakeStep::kNeedInput) {
      std::span<const uint8_t> input = Bytes(bytes.substr(0, piece));
      size_t size = input.size();
      step_ = engine_->Handshake(&input, &output_);
      CHECK(step_ != Engine::HandshakeStep::kNeedInput || input.empty());
      bytes.remove_prefix(size - input.size());
    }
    if (step_ == Engine::HandshakeStep::kDone) {
      pending_.append(bytes);
    }
    return step_;
  }

  void Feed(std::string_view bytes) { pending_.append(bytes); }
  // Decrypts what has been fed, in pieces of at most `piece` bytes of ciphertext, into a buffer of
  // `room` bytes.
  std::string Read(size_t piece = SIZE_MAX, size_t room = 16 * 1024) {
    std::string all;
    std::string plaintext(room, '\0');
    std::string taken = std::exchange(pending_, "");
    std::string_view rest = taken;
    std::span<const uint8_t> input;
    for (;;) {
      if (input.empty()) {
        input = Bytes(rest.substr(0, piece));
        rest.remove_prefix(input.size());
      }
      size_t size = 0;
      read_step_ =
          engine_->Read(&input, {reinterpret_cast<uint8_t*>(plaintext.data()), plaintext.size()},
                        &size, &output_);
      all.append(plaintext, 0, size);
      bool more = read_step_ == Engine::ReadStep::kData ||
                  (read_step_ == Engine::ReadStep::kNeedInput && !rest.empty());
      if (!more) {
        return all;
      }
    }
  }
  bool Write(std::string_view plaintext) { return engine_->Write(Bytes(plaintext), &output_); }
  void Shutdown() { engine_->Shutdown(&output_); }
  std::string Take() { return Drain(&output_); }

  Engine& engine() { return *engine_; }
  Transport& transport() { return transport_; }
  const Refusal& refusal() const { return transport_.refusal(); }
  PeerIdentity& identity() { return identity_; }
  base::ByteQueue& output() { return output_; }
  Engine::ReadStep read_step() const { return read_step_; }

 private:
  base::Arena arena_{size_t{64} << 20};
  base::BlockPool blocks_{&arena_};
  base::ByteQueue output_{&blocks_};
  PeerIdentity identity_;
  Transport transport_;
  std::unique_ptr<Context> owned_context_;
  std::optional<Engine> engine_;
  Engine::HandshakeStep step_ = Engine::HandshakeStep::kNeedInput;
  Engine::ReadStep read_step_ = Engine::ReadStep::kNeedInput;
  std::string pending_;
};

// Runs both to the end of the handshake. The server's verdict; an alert has been read by the
// client.
inline Engine::HandshakeStep Connect(TestClient* client, TestServer* server,
                                     size_t piece = SIZE_MAX) {
  Engine::HandshakeStep step = Engine::HandshakeStep::kNeedInput;
  for (int round = 0; round < 10 && step == Engine::HandshakeStep::kNeedInput; ++round) {
    client->Handshake();
    step = server->Handshake(client->Take(), piece);
    client->Feed(server->Take());
  }
  if (client->Handshake()) {
    client->Read();  // TLS 1.3: a refusal comes after the client has finished
  }
  return step;
}

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_TLS_TEST_UTIL_H_
