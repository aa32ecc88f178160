#include "src/tls/channel.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>

#include "src/base/check.h"
#include "src/tls/time_source.h"

namespace postern::tls {
namespace {

// What one call takes or gives at most: the library counts in int.
int Room(size_t size) {
  return static_cast<int>(std::min<size_t>(size, 1u << 20));
}

}  // namespace

Channel::Channel(ssl_st* ssl, Transport* transport) : ssl_(ssl), transport_(transport) {
  CHECK(ssl_ != nullptr);
  BIO_up_ref(transport_->bio_);
  BIO_up_ref(transport_->bio_);
  SSL_set0_rbio(ssl_, transport_->bio_);
  SSL_set0_wbio(ssl_, transport_->bio_);
}

Channel::~Channel() {
  SSL_free(ssl_);
}

void Channel::Enter(std::span<const uint8_t>* input, base::ByteQueue* output) {
  DCHECK(transport_->output_ == nullptr);
  transport_->input_ = input != nullptr ? *input : std::span<const uint8_t>();
  transport_->output_ = output;
  SetLibraryTime(transport_->now_s_);
  ERR_clear_error();
}

void Channel::Leave(std::span<const uint8_t>* input) {
  if (input != nullptr) {
    *input = transport_->input_;
  }
  transport_->input_ = {};
  transport_->output_ = nullptr;
}

Channel::HandshakeStep Channel::StepHandshake(std::span<const uint8_t>* input,
                                              base::ByteQueue* output) {
  Enter(input, output);
  int result = SSL_do_handshake(ssl_);
  int error = result == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl_, result);
  Leave(input);
  if (result == 1) {
    return HandshakeStep::kDone;
  }
  return error == SSL_ERROR_WANT_READ ? HandshakeStep::kNeedInput : HandshakeStep::kRefused;
}

Channel::ReadStep Channel::ReadRecord(std::span<const uint8_t>* input, std::span<uint8_t> plaintext,
                                      size_t* size, base::ByteQueue* output) {
  *size = 0;
  Enter(input, output);
  int result = SSL_read(ssl_, plaintext.data(), Room(plaintext.size()));
  int error = result > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl_, result);
  Leave(input);
  if (result > 0) {
    *size = static_cast<size_t>(result);
    return ReadStep::kData;
  }
  if (error == SSL_ERROR_WANT_READ) {
    return ReadStep::kNeedInput;
  }
  return error == SSL_ERROR_ZERO_RETURN ? ReadStep::kCloseNotify : ReadStep::kFailed;
}

bool Channel::Write(std::span<const uint8_t> plaintext, base::ByteQueue* output) {
  Enter(nullptr, output);
  while (!plaintext.empty()) {
    int written = SSL_write(ssl_, plaintext.data(), Room(plaintext.size()));
    if (written <= 0) {
      break;
    }
    plaintext = plaintext.subspan(static_cast<size_t>(written));
  }
  Leave(nullptr);
  return plaintext.empty();
}

void Channel::Shutdown(base::ByteQueue* output) {
  Enter(nullptr, output);
  SSL_shutdown(ssl_);
  Leave(nullptr);
  ERR_clear_error();
}

bool Channel::resumed() const {
  return SSL_session_reused(ssl_) == 1;
}

bool Channel::http2() const {
  const uint8_t* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_, &name, &size);
  return size == 2 && name[0] == 'h' && name[1] == '2';
}

std::string_view Channel::version() const {
  return SSL_get_version(ssl_);
}

std::string_view Channel::cipher() const {
  const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl_);
  return cipher == nullptr ? std::string_view("-") : std::string_view(SSL_CIPHER_get_name(cipher));
}

}  // namespace postern::tls
