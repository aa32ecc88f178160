#include "src/tls/transport.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstring>

#include "src/base/check.h"

namespace postern::tls {

// The BIO's functions, as BoringSSL wants them.
struct TransportBio {
  static Transport* Of(BIO* bio) { return static_cast<Transport*>(bio->ptr); }

  static int Write(BIO* bio, const char* data, int size) {
    Transport* transport = Of(bio);
    DCHECK(transport->output_ != nullptr);
    transport->output_->Append(
        std::span(reinterpret_cast<const uint8_t*>(data), static_cast<size_t>(size)));
    return size;
  }

  static int Read(BIO* bio, char* out, int size) {
    Transport* transport = Of(bio);
    BIO_clear_retry_flags(bio);
    size_t taken = std::min(transport->input_.size(), static_cast<size_t>(size));
    if (taken == 0) {
      BIO_set_retry_read(bio);
      return -1;
    }
    std::memcpy(out, transport->input_.data(), taken);
    transport->input_ = transport->input_.subspan(taken);
    return static_cast<int>(taken);
  }

  static long Control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static const BIO_METHOD* Method() {
    static const BIO_METHOD kMethod = {BIO_TYPE_SOURCE_SINK,
                                       "postern",
                                       Write,
                                       Read,
                                       nullptr,
                                       nullptr,
                                       Control,
                                       nullptr,
                                       nullptr,
                                       nullptr};
    return &kMethod;
  }
};

Transport::Transport(ChainCache* chains) : bio_(BIO_new(TransportBio::Method())), chains_(chains) {
  CHECK(bio_ != nullptr);
  bio_->ptr = this;
  bio_->init = 1;
}

Transport::~Transport() {
  BIO_free(bio_);
}

void Transport::TurnAway(base::ByteQueue* output) {
  refusal_.Clear();
  refusal_.reason = Reason::kOverloaded;
  // What the library answers too when it is told to drop a hello.
  constexpr std::array<uint8_t, 7> kAlert = {SSL3_RT_ALERT,        3, 3, 0, 2, SSL3_AL_FATAL,
                                             SSL_AD_INTERNAL_ERROR};
  output->Append(kAlert);
}

}  // namespace postern::tls
