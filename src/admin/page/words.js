
// What the names in /status are called here.

const MEANINGS = {
  no_certificate: "none was sent", unknown_ca: "no path to a CA that is trusted here", expired: "it, or a CA above it",
  not_yet_valid: "it, or a CA above it", wrong_purpose: "not for authentication of clients",
  chain_too_long: "deeper than verify_depth", invalid_ca: "an issuer that is no CA, or may not issue this",
  name_constraint: "excluded by a CA", bad_signature: "in the chain", unparsable: "not a certificate",
  revoked: "by its issuer's list", crl_stale: "its issuer's list is out of date",
  crl_missing: "its issuer has no list",
  san_not_allowed: "none of its names is in the allow-list", policy_changed: "let in under a policy that is gone",
  weak_key: "too small, or too large", unsupported_key: "of another kind", weak_signature: "SHA-1 or worse", bad_proof: "the client lacks the key",
  certificate_too_large: "its chain is longer than any real one",
  critical_extension: "one that nobody here understands", certificate_policy: "not the ones that its CA demands",
  certificate_rejected: "for another reason", identity_too_large: "names too long to be handed on", not_tls: "the first bytes are no TLS",
  plain_http: "HTTP on the TLS port", unsupported_version: "of TLS", no_shared_cipher: "nothing in common",
  no_application_protocol: "no protocol in common", peer_alert: "the client ended it: perhaps it does not trust us",
  protocol: "malformed or out of order", overloaded: "a full handshake while there is time for resumed ones only",
  ticket_proof: "a copied ticket", bad_record: "does not decrypt",
};
const CHECK_ERRORS = {
  connect: "cannot connect", timeout: "no answer in time", bad_response: "no HTTP answer",
  closed: "closed the connection", tls: "TLS handshake failed",
};
const ROLES = {
  server: "server certificate", client_ca: "client CA", client_intermediate: "client intermediate",
  candidate_ca: "candidate CA", candidate_intermediate: "candidate intermediate", upstream: "our client certificate",
  upstream_ca: "upstream CA",
};
const MODES = {
  off: "not asked for", request: "requested", require: "required", passthrough: "required, judged by servers",
};

function span(ms) {
  const s = Math.max(Math.round(ms / 1000), 0);
  if (s < 120) return s + " s";
  if (s < 7200) return Math.round(s / 60) + " min";
  if (s < 172800) return Math.round(s / 3600) + " h";
  return Math.round(s / 86400) + " days";
}

const ago = (then, now) => then > 0 ? span(now - then) + " ago" : "\u2013";
