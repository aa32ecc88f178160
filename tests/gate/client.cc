#include "tests/gate/client.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <string_view>

#include "src/base/check.h"
#include "tests/gate/pattern.h"

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

}  // namespace

Client::Client(sim::World* world, const io::Address& gate, const Pair* identity,
               const ClientOptions& options)
    : world_(world), options_(options), context_(SSL_CTX_new(TLS_method())), stream_(world) {
  int version = options.tls12 ? TLS1_2_VERSION : TLS1_3_VERSION;
  CHECK(SSL_CTX_set_max_proto_version(context_.get(), static_cast<uint16_t>(version)) == 1);
  if (identity != nullptr) {
    Use(context_.get(), *identity);
  }
  ssl_.reset(SSL_new(context_.get()));
  from_gate_ = BIO_new(BIO_s_mem());
  to_gate_ = BIO_new(BIO_s_mem());
  BIO_set_mem_eof_return(from_gate_, -1);
  SSL_set_bio(ssl_.get(), from_gate_, to_gate_);
  SSL_set_connect_state(ssl_.get());
  SSL_set_tlsext_host_name(ssl_.get(), "gate.example.test");
  scanner_.Reset(http::HeadLimits(), false);
  stream_.set_on_change([this](sim::SimStream*) { OnChange(); });
  stream_.Connect(gate);
  SSL_do_handshake(ssl_.get());
  ERR_clear_error();
  Flush();
}

void Client::Flush() {
  const uint8_t* bytes = nullptr;
  size_t size = 0;
  CHECK(BIO_mem_contents(to_gate_, &bytes, &size) == 1);
  if (size > 0) {
    stream_.Write({reinterpret_cast<const char*>(bytes), size});
    BIO_reset(to_gate_);
  }
}

void Client::OnChange() {
  if (finished_) {
    return;
  }
  std::string bytes = stream_.Read();
  BIO_write(from_gate_, bytes.data(), static_cast<int>(bytes.size()));
  ERR_clear_error();
  if (!established_) {
    int result = SSL_do_handshake(ssl_.get());
    established_ = result == 1;
  }
  if (established_) {
    ReadResponses();
    if (!finished_) {
      SendRequests();
    }
  }
  uint32_t error = ERR_peek_error();
  if (error != 0) {
    int reason = ERR_GET_REASON(error);
    alert_ = reason > SSL_AD_REASON_OFFSET ? reason - SSL_AD_REASON_OFFSET : alert_;
    Finish();
    return;
  }
  Flush();
  if (!stream_.open() && stream_.state() != sim::SimStream::State::kConnecting) {
    Finish();
  } else if (stream_.ended()) {
    Finish();
  }
}

void Client::SendRequests() {
  while (!last_ && sent_ < options_.requests && expected_.size() < options_.pipeline) {
    sim::Prng& random = world_->random();
    Expected expected;
    expected.key = options_.key + sent_++;
    expected.size = random.Below(options_.response_bytes_max + 1);
    bool post = random.Chance(0.5);
    std::string body =
        post ? Pattern(~expected.key, random.Below(options_.body_bytes_max + 1)) : "";
    expected.body_hash = Hash(body);
    std::string text =
        (post ? "POST /" : "GET /") + std::to_string(expected.key) + "/" +
        std::to_string(expected.size) + " HTTP/1.1\r\nHost: gate.example.test\r\n" +
        "X-Forwarded-Clientcert-subjectdn: CN=spoofed\r\nX-Spoofed: 1\r\nConnection: X-Spoofed\r\n";
    if (post && random.Chance(0.5)) {
      char line[24];
      text += "Transfer-Encoding: chunked\r\n\r\n";
      if (!body.empty()) {
        std::snprintf(line, sizeof(line), "%zx\r\n", body.size());
        text += line + body + "\r\n";
      }
      text += "0\r\n\r\n";
    } else if (post) {
      text += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    } else {
      text += "\r\n";
    }
    bool leaving = random.Chance(options_.leave);
    size_t size = leaving ? random.Below(text.size()) : text.size();
    if (size > 0) {
      CHECK(SSL_write(ssl_.get(), text.data(), static_cast<int>(size)) == static_cast<int>(size));
    }
    expected_.push_back(expected);
    if (leaving) {
      Flush();
      finished_ = true;
      random.Chance(0.5) ? stream_.Close() : stream_.Reset();
      return;
    }
  }
}

void Client::ReadResponses() {
  char buffer[16384];
  for (;;) {
    int size = SSL_read(ssl_.get(), buffer, sizeof(buffer));
    if (size <= 0) {
      closed_by_gate_ = SSL_get_error(ssl_.get(), size) == SSL_ERROR_ZERO_RETURN;
      break;
    }
    input_.append(buffer, static_cast<size_t>(size));
  }
  while (ReadResponse()) {
  }
  if (complete_ + refused_ == options_.requests || closed_by_gate_) {
    Finish();
  }
}

bool Client::ReadResponse() {
  if (!in_body_) {
    if (input_.empty() || scanner_.Scan(input_) == http::HeadScanner::Status::kNeedMore) {
      return false;
    }
    CHECK(scanner_.error() == http::HeadError::kNone);
    head_bytes_ = input_.substr(scanner_.head_begin(), scanner_.head_end() - scanner_.head_begin());
    input_.erase(0, scanner_.head_end());
    scanner_.Reset(http::HeadLimits(), false);
    head_.Clear();
    CHECK(http::ParseResponseHead(head_bytes_, http::Method::kGet, http::HeadLimits(), &head_) ==
          http::HeadError::kNone);
    if (head_.interim()) {
      return true;
    }
    decoder_.Start(head_.framing, head_.content_length);
    in_body_ = true;
    body_.clear();
  }
  http::BodyDecoder::Result result = decoder_.Decode(input_);
  body_ += result.data;
  input_.erase(0, result.consumed);
  CHECK(result.status != http::BodyDecoder::Status::kError);
  if (result.status == http::BodyDecoder::Status::kEnd) {
    in_body_ = false;
    Judge();
  }
  return result.status != http::BodyDecoder::Status::kNeedMore;
}

// A whole answer: it is the one that was asked for, to the last byte, or one that the gate gave
// itself.
void Client::Judge() {
  last_ = last_ || !head_.keep_alive;
  if (head_.status == 408 && expected_.empty()) {
    ++refused_;
    return;
  }
  CHECK(!expected_.empty());
  Expected expected = expected_.front();
  expected_.pop_front();
  if (head_.status != 200) {
    ++refused_;
    return;
  }
  CHECK(head_.fields.FindName("X-Key")->value == std::to_string(expected.key));
  CHECK(head_.fields.FindName("X-Body-Hash")->value == std::to_string(expected.body_hash));
  CHECK(body_ == Pattern(expected.key, expected.size));
  ++complete_;
}

void Client::Finish() {
  if (finished_) {
    return;
  }
  finished_ = true;
  if (stream_.open()) {
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
    Flush();
    stream_.ShutdownWrite();
  }
}

}  // namespace postern::gate
