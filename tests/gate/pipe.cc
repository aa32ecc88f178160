#include "tests/gate/pipe.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <cstdint>

#include "src/base/check.h"

namespace postern::gate {
namespace {

bssl::UniquePtr<BIO> Reader(const std::string& text) {
  return bssl::UniquePtr<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

void Use(SSL_CTX* context, const Pair& pair) {
  bssl::UniquePtr<X509> certificate(
      PEM_read_bio_X509(Reader(pair.certificate_pem).get(), nullptr, nullptr, nullptr));
  bssl::UniquePtr<EVP_PKEY> key(
      PEM_read_bio_PrivateKey(Reader(pair.key_pem).get(), nullptr, nullptr, nullptr));
  CHECK(SSL_CTX_use_certificate(context, certificate.get()) == 1);
  CHECK(SSL_CTX_use_PrivateKey(context, key.get()) == 1);
}

constexpr uint8_t kHttp2[] = {2, 'h', '2'};

int SelectHttp2(SSL*, const uint8_t** out, uint8_t* out_size, const uint8_t*, unsigned, void*) {
  *out = kHttp2 + 1;
  *out_size = 2;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

Pipe::Pipe(sim::SimStream* stream, const TlsTerms& terms)
    : stream_(stream), context_(SSL_CTX_new(TLS_method())), established_(false) {
  int version = terms.tls12 ? TLS1_2_VERSION : TLS1_3_VERSION;
  CHECK(SSL_CTX_set_max_proto_version(context_.get(), static_cast<uint16_t>(version)) == 1);
  if (terms.identity != nullptr) {
    Use(context_.get(), *terms.identity);
  }
  if (terms.http2 && terms.server) {
    SSL_CTX_set_alpn_select_cb(context_.get(), SelectHttp2, nullptr);
  }
  SSL_CTX_set_session_cache_mode(context_.get(),
                                 SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context_.get(), [](SSL* ssl, SSL_SESSION* session) {
    static_cast<Pipe*>(SSL_get_app_data(ssl))->session_.reset(session);
    return 1;
  });
  ssl_.reset(SSL_new(context_.get()));
  SSL_set_app_data(ssl_.get(), this);
  incoming_ = BIO_new(BIO_s_mem());
  outgoing_ = BIO_new(BIO_s_mem());
  BIO_set_mem_eof_return(incoming_, -1);
  SSL_set_bio(ssl_.get(), incoming_, outgoing_);
  if (terms.server) {
    SSL_set_accept_state(ssl_.get());
    return;
  }
  SSL_set_connect_state(ssl_.get());
  CHECK(terms.session == nullptr || SSL_set_session(ssl_.get(), terms.session) == 1);
  SSL_set_tlsext_host_name(ssl_.get(), terms.server_name.c_str());
  if (terms.http2) {
    CHECK(SSL_set_alpn_protos(ssl_.get(), kHttp2, sizeof(kHttp2)) == 0);
  }
}

void Pipe::Flush() {
  const uint8_t* bytes = nullptr;
  size_t size = 0;
  CHECK(BIO_mem_contents(outgoing_, &bytes, &size) == 1);
  if (size > 0) {
    stream_->Write({reinterpret_cast<const char*>(bytes), size});
    BIO_reset(outgoing_);
  }
}

// What the library thinks of what came.
void Pipe::Note() {
  uint32_t error = ERR_peek_error();
  if (error != 0) {
    int reason = ERR_GET_REASON(error);
    alert_ = reason > SSL_AD_REASON_OFFSET ? reason - SSL_AD_REASON_OFFSET : alert_;
    failed_ = true;
  }
  ERR_clear_error();
}

void Pipe::Advance() {
  if (ssl_ != nullptr && !established_ && !failed_) {
    ERR_clear_error();
    established_ = SSL_do_handshake(ssl_.get()) == 1;
    Note();
    Flush();
  }
}

std::string Pipe::Read() {
  std::string bytes = stream_->Read();
  if (ssl_ == nullptr) {
    return bytes;
  }
  BIO_write(incoming_, bytes.data(), static_cast<int>(bytes.size()));
  Advance();
  std::string plaintext;
  char buffer[16384];
  while (established_ && !failed_) {
    ERR_clear_error();
    int size = SSL_read(ssl_.get(), buffer, sizeof(buffer));
    if (size <= 0) {
      close_notified_ = SSL_get_error(ssl_.get(), size) == SSL_ERROR_ZERO_RETURN;
      Note();
      break;
    }
    plaintext.append(buffer, static_cast<size_t>(size));
  }
  Flush();
  return plaintext;
}

void Pipe::Write(std::string_view plaintext) {
  if (plaintext.empty() || output_ended_) {
    return;  // a stream takes even nothing for news
  }
  if (ssl_ == nullptr) {
    stream_->Write(plaintext);
    return;
  }
  while (!plaintext.empty() && !failed_) {
    size_t size = std::min<size_t>(plaintext.size(), 16384);
    int written = SSL_write(ssl_.get(), plaintext.data(), static_cast<int>(size));
    CHECK(written > 0);
    plaintext.remove_prefix(static_cast<size_t>(written));
  }
  Flush();
}

void Pipe::End() {
  output_ended_ = true;
  if (ssl_ != nullptr && established_ && !failed_) {
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
    Flush();
  }
  stream_->ShutdownWrite();
}

}  // namespace postern::gate
