// What a request has to pass before a server is chosen for it.
#include <algorithm>
#include <array>
#include <cstring>

#include "src/base/limits.h"
#include "src/http/h1_writer.h"
#include "src/proxy/exchange.h"

namespace postern::proxy {
namespace {

// Longer ones are refused: no browser follows them.
constexpr size_t kLocationBytesMax = 8 * 1024;

}  // namespace

void Exchange::Begin(std::string_view head_bytes, http::HeadError error, ParseHead parse,
                     const RequestContext& context) {
  ++env_->counters.requests;
  size_t size = std::min(head_bytes.size(), base::BlockBytes(base::BlockClass::k68k));
  head_class_ = base::BlockClassFor(size);
  head_block_ = env_->blocks->Acquire(head_class_);
  std::memcpy(head_block_, head_bytes.data(), size);
  head_.Clear();
  context_ = context;
  context_.head = &head_;
  if (error == http::HeadError::kNone) {
    std::string_view kept(reinterpret_cast<const char*>(head_block_), size);
    error = parse(kept, http::HeadLimits(), &head_);
  }
  if (error != http::HeadError::kNone) {
    // Where the next message would begin is unknown, or must not be believed.
    head_.keep_alive = false;
    close_reason_ = CloseReason::kBadRequest;
    Respond(http::StatusOf(error));
    return;
  }
  IdentifyRequest();
  head_.keep_alive = head_.keep_alive && !context.last_of_connection;
  if (head_.framing == http::BodyFraming::kLength &&
      head_.content_length > base::limits::kRequestBodyBytesMax) {
    Respond(413);
    return;
  }
  if (head_.method == http::Method::kTrace || head_.method == http::Method::kConnect) {
    Respond(405);
    return;
  }
  if (listener_->config.protocol == config::ListenerProtocol::kHttp) {
    Redirect();
    return;
  }
  if (IsLoop(context_)) {
    Respond(508);
    return;
  }
  if (!listener_->MayServe(context_.server_name, head_.authority)) {
    // RFC 9110, 7.4: this connection's client was judged by another host's policy, or by none.
    Respond(421);
    return;
  }
  group_ = listener_->Route(head_.authority, &row_);
  if (group_ == nullptr) {
    Respond(404);
    return;
  }
  auto* slab = env_->exchanges;
  Upstreams* owner = group_->owner;
  bool room = owner->exchange_shares.MayTake(group_->exchanges, slab->live() - 1, slab->capacity(),
                                             owner->groups.size());
  ++owner->users;
  owner->exchange_shares.Take(&group_->exchanges);
  if (!room) {
    ++env_->counters.requests_shed;
    Respond(503);
    return;
  }
  if (head_.websocket) {
    CheckWebSocket();
  }
}

void Exchange::IdentifyRequest() {
  const http::Field* field = head_.fields.FindName("x-request-id");
  if (field != nullptr && !field->value.empty() &&
      context_.claims->Find(field->name) != identity::Claim::kIdentity) {
    context_.request_id = field->value;
    return;
  }
  if (!env_->serving->config->request_id) {
    return;
  }
  constexpr char kHex[] = "0123456789abcdef";
  std::array<uint8_t, 16> random;
  env_->driver->RandomBytes(random);
  for (size_t i = 0; i < random.size(); ++i) {
    request_id_[2 * i] = kHex[random[i] >> 4];
    request_id_[2 * i + 1] = kHex[random[i] & 15];
  }
  context_.request_id = {request_id_.data(), request_id_.size()};
  context_.request_id_made = true;
}

void Exchange::MoveTo(const Listener* listener) {
  listener_ = listener;
  context_.listener = &listener->config;
  context_.port = listener->port_text;
  context_.claims = &listener->serving->claims;
  context_.via = listener->serving->via;
  context_.via_unique = listener->serving->via_unique;
}

void Exchange::LoseTrust() {
  trust_lost_ = true;
  CloseAfterwards();
  if (state_ == State::kRelay && !up_->touched()) {
    // At once: a connection of its own accord might send it in this very turn.
    ReleaseUpstream(false);
    state_ = State::kSelect;
  }
  client_->Wake();
}

void Exchange::Refuse(uint16_t status, CloseReason reason, const RequestContext& context) {
  ++env_->counters.requests;
  head_.Clear();
  head_.keep_alive = false;
  context_ = context;
  context_.head = &head_;
  close_reason_ = reason;
  Respond(status);
}

void Exchange::Redirect() {
  if (head_.authority.empty()) {
    Respond(400);  // HTTP/1.0 without Host: nobody knows where to
    return;
  }
  std::array<char, kLocationBytesMax> text;
  http::ByteWriter location(text.data(), text.size());
  location.Append("https://");
  location.Append(HostOf(head_.authority));
  if (listener_->config.redirect_port != 443) {
    location.Append(":");
    location.AppendDecimal(listener_->config.redirect_port);
  }
  location.Append(head_.target == "*" ? "/" : head_.target);
  if (location.overflowed()) {
    Respond(414);
  } else {
    Respond(308, location.view());
  }
}

}  // namespace postern::proxy
