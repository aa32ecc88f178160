// One end of a connection below HTTP: plain text, or TLS on top of it.
#ifndef POSTERN_TESTS_GATE_PIPE_H_
#define POSTERN_TESTS_GATE_PIPE_H_

#include <openssl/base.h>
#include <openssl/ssl.h>

#include <string>
#include <string_view>

#include "tests/gate/certificates.h"
#include "tests/sim/sim_peer.h"

namespace postern::gate {

struct TlsTerms {
  bool server = false;
  const Pair* identity = nullptr;  // null: no certificate
  std::string server_name = {};    // a client's SNI
  bool tls12 = false;
  bool http2 = false;              // asked for, or agreed to
  SSL_SESSION* session = nullptr;  // a client's, to resume
};

class Pipe {
 public:
  // Plain text. `stream` outlives the pipe.
  explicit Pipe(sim::SimStream* stream) : stream_(stream) {}
  Pipe(sim::SimStream* stream, const TlsTerms& terms);

  // Begins: a client speaks first.
  void Start() { Advance(); }
  // Takes what has come; the plaintext of it. May answer by itself.
  std::string Read();
  // Once established.
  void Write(std::string_view plaintext);
  // Ends our half properly, behind what was written.
  void End();

  bool established() const { return established_; }
  // The other side has ended properly.
  bool ended() const { return ssl_ != nullptr ? close_notified_ : stream_->ended(); }
  bool failed() const { return failed_; }
  // The last one that a ticket came for; null without one. The pipe's.
  SSL_SESSION* session() const { return session_.get(); }
  // The alert that came, or 0.
  int alert() const { return alert_; }

 private:
  void Advance();
  void Flush();
  void Note();

  sim::SimStream* stream_;
  bssl::UniquePtr<SSL_CTX> context_;
  bssl::UniquePtr<SSL> ssl_;  // null: plain text
  bssl::UniquePtr<SSL_SESSION> session_;
  BIO* incoming_ = nullptr;  // the SSL's
  BIO* outgoing_ = nullptr;
  bool established_ = true;
  bool output_ended_ = false;
  bool close_notified_ = false;
  bool failed_ = false;
  int alert_ = 0;
};

}  // namespace postern::gate

#endif  // POSTERN_TESTS_GATE_PIPE_H_
