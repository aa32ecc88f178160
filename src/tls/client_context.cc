#include "src/tls/client_context.h"

#include <openssl/ssl.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/status/statusor.h"
#include "src/base/check.h"
#include "src/tls/client_callbacks.h"
#include "src/tls/ssl_terms.h"
#include "src/tls/verifier.h"

namespace postern::tls {
namespace {

constexpr uint8_t kAlpnHttp2[] = {2, 'h', '2'};
constexpr uint8_t kAlpnHttp11[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

// Servers' chains are longer than clients', and nobody configures how long they may be.
constexpr uint32_t kServerChainDepth = 8;

void SetClientTerms(SSL_CTX* context, const ClientContextInput& input) {
  SetTerms(context, input.policy);
  // P-521 for keys of certificates: in TLS 1.2 a server shows none, and takes none, whose curve is
  // not in this list (RFC 8422, 5.1.1).
  CHECK(SSL_CTX_set1_curves_list(context, "X25519:P-256:P-384:P-521") == 1);
  SSL_CTX_set_custom_verify(context, SSL_VERIFY_PEER, OnServerCertificate);
  // A session stands for a judgement that may have changed since: it is made again.
  SSL_CTX_set_reverify_on_resume(context, 1);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, OnNewSession);
  const uint8_t* protocols = input.http2 ? kAlpnHttp2 : kAlpnHttp11;
  size_t size = input.http2 ? std::size(kAlpnHttp2) : std::size(kAlpnHttp11);
  CHECK(SSL_CTX_set_alpn_protos(context, protocols, static_cast<unsigned>(size)) == 0);
}

}  // namespace

ClientSessions::~ClientSessions() {
  while (SSL_SESSION* session = Take()) {
    SSL_SESSION_free(session);
  }
}

void ClientSessions::Put(ssl_session_st* session) {
  if (size_ == kSessionsMax) {
    SSL_SESSION_free(sessions_[0]);
    std::copy(sessions_.begin() + 1, sessions_.end(), sessions_.begin());
    --size_;
  }
  sessions_[size_++] = session;
}

ssl_session_st* ClientSessions::Take() {
  return size_ == 0 ? nullptr : sessions_[--size_];
}

ClientContext::ClientContext() : context_(SSL_CTX_new(TLS_with_buffers_method())) {
  CHECK(context_ != nullptr);
}

ClientContext::~ClientContext() {
  SSL_CTX_free(context_);
}

absl::StatusOr<std::unique_ptr<ClientContext>> ClientContext::Create(
    const ClientContextInput& input, CaCache* cas) {
  std::unique_ptr<ClientContext> context(new ClientContext());
  context->http2_ = input.http2;
  SetClientTerms(context->context_, input);
  if (input.certificate.has_value()) {
    auto key = AddPair(context->context_, *input.certificate);
    if (!key.ok()) {
      return key.status();
    }
  }
  if (input.verify) {
    TrustInput trust;
    trust.anchors = input.anchors;
    trust.terms.verify_depth = kServerChainDepth;
    auto verifier = Verifier::Create(trust, {}, cas);
    if (!verifier.ok()) {
      return verifier.status();
    }
    context->verifier_ = *std::move(verifier);
  }
  return context;
}

}  // namespace postern::tls
