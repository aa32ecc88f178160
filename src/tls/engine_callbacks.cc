// BoringSSL's callbacks; each runs inside an engine call and finds its engine through the SSL
// object.
#include "src/tls/engine_callbacks.h"

#include <algorithm>

#include "src/base/check.h"
#include "src/tls/engine.h"
#include "src/tls/host_policy.h"
#include "src/tls/ja4.h"
#include "src/tls/ssl_context.h"

namespace postern::tls {

struct EngineCallbacks {
  static Engine* Of(const SSL* ssl) { return static_cast<Engine*>(SSL_get_app_data(ssl)); }

  static bool MaySpeakHttp2(const SSL* ssl) {
    // RFC 9113, 9.2.2: not with a cipher suite that lacks forward secrecy or authentication of
    // what it encrypts. The library asks for the protocol when the suite is known.
    const SSL_CIPHER* cipher = SSL_get_pending_cipher(ssl);
    return Of(ssl)->context_->http2_ && cipher != nullptr && SSL_CIPHER_is_aead(cipher) == 1 &&
           SSL_CIPHER_get_kx_nid(cipher) != NID_kx_rsa;
  }

  static ssl_select_cert_result_t ClientHello(const SSL_CLIENT_HELLO& hello) {
    Engine* engine = Of(hello.ssl);
    if (!engine->context_->Serves(engine->server_name())) {
      engine->ja4_ = Ja4Of(hello);
      engine->refusal()->reason = Reason::kUnknownServerName;
      return ssl_select_cert_error;
    }
    const HostPolicy& policy = engine->context_->PolicyOf(engine->server_name());
    engine->policy_ = &policy;
    engine->certificate_asked_ = policy.mode != config::ClientAuth::kOff;
    engine->ja4_ = Ja4Of(hello);
    Sha256 binding = policy.BindingTo(engine->server_name());
    engine->policy_tag_ = TagOf(binding);
    engine->authenticated_s_ = engine->transport_->now_s();
    const auto& certificates = policy.certificates;
    auto chosen =
        std::find_if(certificates.begin(), certificates.end() - 1,
                     [&hello](const HostPolicy::Certificate& certificate) {
                       return CanVerify(hello, certificate.key_type, certificate.curve_nid);
                     });
    SSL_set_SSL_CTX(hello.ssl, chosen->context.get());
    // Neither of these follows from the switch.
    SSL_set_custom_verify(hello.ssl, policy.verify_mode(), OnClientCertificate);
    SSL_set_session_id_context(hello.ssl, binding.data(), binding.size());
    return ssl_select_cert_success;
  }

  // `certificate`: empty if it is another message.
  static void MessageReceived(SSL* ssl, std::span<const uint8_t> certificate) {
    Of(ssl)->certificate_message_ = certificate;
  }

  static void VersionKnown(SSL* ssl) {
    // Whoever learns the secret of a file can read recorded TLS 1.2 connections that used tickets:
    // no key exchange of their own protects them.
    const config::TicketConfig& tickets = Of(ssl)->context_->tickets_;
    bool refused = !tickets.secret_file.empty() && !tickets.tls12_with_secret_file;
    if (refused && SSL_version(ssl) <= TLS1_2_VERSION) {
      SSL_set_options(ssl, SSL_OP_NO_TICKET);
    }
  }

  // False: the handshake ends here.
  static bool ResumptionDecided(const SSL* ssl) {
    Engine* engine = Of(ssl);
    bool resumed = SSL_session_reused(ssl) == 1;
    if (!resumed && engine->identity_from_ticket_) {
      // A ticket that opened, but whose session does not fit this handshake. Nobody has shown that
      // the client knows its secret: what it says must not reach the new ticket or any request.
      engine->ForgetTicket(TicketResult::kNotResumable);
    }
    if (!resumed && engine->transport_->resumed_only_) {
      engine->refusal()->reason = Reason::kOverloaded;
      return false;
    }
    // In TLS 1.2 a resumed session goes on as it is; no new ticket is sent.
    if (resumed && SSL_version(ssl) >= TLS1_3_VERSION) {
      engine->CapSession();
    }
    return true;
  }

  static Verifier::Desk DeskOf(Transport* transport) {
    return {transport->now_s(), transport->chains_, &transport->counters_};
  }

  static ssl_verify_result_t ClientCertificate(SSL* ssl, uint8_t* out_alert) {
    Engine* engine = Of(ssl);
    const HostPolicy& policy = *engine->policy_;
    Reason reason = Reason::kNone;
    if (policy.verifier != nullptr) {
      reason = policy.verifier->Verify(SSL_get0_peer_certificates(ssl), DeskOf(engine->transport_),
                                       policy.content, engine->identity_, engine->refusal());
      AskCandidate(engine, reason);
    } else if (!SetUnverifiedIdentity(SSL_get0_peer_certificates(ssl), policy.content,
                                      engine->transport_->now_s(), engine->identity_)) {
      reason = Reason::kUnparsable;
      engine->refusal()->reason = reason;
    }
    if (reason != Reason::kNone) {
      *out_alert = AlertOf(reason);
      return ssl_verify_invalid;
    }
    engine->SkipTicketIfTooLarge();
    engine->CapSession();
    return ssl_verify_ok;
  }

  // The candidate's opinion of a full handshake that was judged with `verdict`.
  static void AskCandidate(Engine* engine, Reason verdict) {
    if (engine->policy_->candidate == nullptr) {
      return;
    }
    Transport* transport = engine->transport_;
    Refusal* opinion = &transport->candidate_refusal_;
    opinion->Clear();
    PeerIdentity identity(engine->identity_->pool());
    Counters uncounted;  // the decision's own are what the numbers are about
    Verifier::Desk desk = DeskOf(transport);
    desk.counters = &uncounted;
    Reason reason =
        engine->policy_->candidate->Verify(SSL_get0_peer_certificates(engine->ssl_), desk,
                                           engine->policy_->content, &identity, opinion);
    Note(transport, verdict == Reason::kNone, reason == Reason::kNone);
  }

  static void AskCandidateAboutTicket(Engine* engine) {
    if (engine->policy_->candidate == nullptr || !engine->identity_->verified()) {
      return;
    }
    Transport* transport = engine->transport_;
    Refusal* opinion = &transport->candidate_refusal_;
    opinion->Clear();
    PeerIdentity::Parts parts = engine->identity_->parts();
    opinion->subject.Set(parts.subject_dn);
    opinion->issuer.Set(parts.issuer_dn);
    opinion->serial.Set(parts.serial);
    opinion->reason = engine->policy_->candidate->Judge(
        engine->identity_->facts(), transport->now_s(), Verifier::Stale::kAsConfigured);
    Note(transport, true, opinion->reason == Reason::kNone);
  }

  static void Note(Transport* transport, bool admitted, bool would_admit) {
    if (admitted == would_admit) {
      transport->candidate_ = Transport::Candidate::kAgrees;
      ++transport->counters_.candidate_agrees;
    } else if (would_admit) {
      transport->candidate_ = Transport::Candidate::kWouldAdmit;
      ++transport->counters_.candidate_would_admit;
    } else {
      transport->candidate_ = Transport::Candidate::kWouldRefuse;
      ++transport->counters_.candidate_would_refuse;
    }
  }

  // The ticket method. The library never offers a ticket to `open` twice in one handshake.
  static size_t MaxOverhead(SSL* ssl) { return Of(ssl)->TicketOverhead(); }

  static int Seal(SSL* ssl, uint8_t* out, size_t* out_size, size_t out_max, const uint8_t* in,
                  size_t in_size) {
    Engine* engine = Of(ssl);
    if (engine->ticket_too_large_) {
      // TLS 1.2 has promised a ticket by now; an empty one takes that back (RFC 5077, 3.3).
      *out_size = 0;
      return 1;
    }
    *out_size = engine->SealTicket({in, in_size}, {out, out_max});
    return *out_size > 0 ? 1 : 0;
  }

  static ssl_ticket_aead_result_t Open(SSL* ssl, uint8_t* out, size_t* out_size, size_t out_max,
                                       const uint8_t* in, size_t in_size) {
    Engine* engine = Of(ssl);
    engine->ticket_result_ = engine->OpenTicket({in, in_size}, {out, out_max}, out_size);
    if (engine->ticket_result_ != TicketResult::kResumed) {
      engine->ForgetTicket(engine->ticket_result_);
      return ssl_ticket_aead_ignore_ticket;
    }
    engine->identity_from_ticket_ = true;
    AskCandidateAboutTicket(engine);
    return ssl_ticket_aead_success;
  }
};

ssl_select_cert_result_t OnClientHello(const SSL_CLIENT_HELLO* hello) {
  return EngineCallbacks::ClientHello(*hello);
}

void OnMessage(int is_write, int, int content_type, const void* data, size_t size, SSL* ssl,
               void*) {
  const auto* bytes = static_cast<const uint8_t*>(data);
  if (is_write == 0 && content_type == SSL3_RT_HANDSHAKE && size > 0) {
    bool certificate = bytes[0] == SSL3_MT_CERTIFICATE;
    EngineCallbacks::MessageReceived(ssl, {bytes, certificate ? size : 0});
  }
}

int OnVersionKnown(SSL* ssl, void*) {
  EngineCallbacks::VersionKnown(ssl);
  return 1;
}

int OnResumptionDecided(const SSL_CLIENT_HELLO* hello) {
  return EngineCallbacks::ResumptionDecided(hello->ssl) ? 1 : 0;
}

ssl_verify_result_t OnClientCertificate(SSL* ssl, uint8_t* out_alert) {
  return EngineCallbacks::ClientCertificate(ssl, out_alert);
}

int OnSelectProtocol(SSL* ssl, const uint8_t** out, uint8_t* out_size, const uint8_t* in,
                     unsigned in_size, void*) {
  static constexpr uint8_t kAll[] = {2,   'h', '2', 8,   'h', 't', 't', 'p', '/', '1', '.',
                                     '1', 8,   'h', 't', 't', 'p', '/', '1', '.', '0'};
  constexpr size_t kHttp2Size = 3;
  std::span<const uint8_t> protocols(kAll);
  if (!EngineCallbacks::MaySpeakHttp2(ssl)) {
    protocols = protocols.subspan(kHttp2Size);
  }
  // RFC 7301, 3.2: with nothing in common the handshake ends with no_application_protocol.
  uint8_t* selected = nullptr;
  if (SSL_select_next_proto(&selected, out_size, protocols.data(),
                            static_cast<unsigned>(protocols.size()), in,
                            in_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = selected;
  return SSL_TLSEXT_ERR_OK;
}

const SSL_TICKET_AEAD_METHOD* TicketMethod() {
  static const SSL_TICKET_AEAD_METHOD kMethod = {EngineCallbacks::MaxOverhead,
                                                 EngineCallbacks::Seal, EngineCallbacks::Open};
  return &kMethod;
}

}  // namespace postern::tls
