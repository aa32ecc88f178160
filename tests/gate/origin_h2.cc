#include "tests/gate/origin_h2.h"

#include "src/base/check.h"

namespace postern::gate {

OriginH2::OriginH2(Origin* origin, sim::SimStream* stream) : OriginConnection(origin, stream) {
  endpoint_.set_on_message(
      [this](int32_t id, const H2Endpoint::Message& request) { OnRequest(id, request); });
}

void OriginH2::Flush() {
  pipe_.Write(endpoint_.Send());
}

void OriginH2::Take(const std::string& plaintext) {
  // What the gate sends is well formed, or it is the gate that is wrong.
  CHECK(endpoint_.Receive(plaintext));
  Flush();
  if (endpoint_.done() || stream_->ended()) {
    stream_->Close();
  }
}

void OriginH2::OnRequest(int32_t stream, const H2Endpoint::Message& request) {
  sim::Prng& random = origin_->world()->random();
  if (random.Chance(origin_->options().silent)) {
    return;
  }
  auto delay_us = static_cast<int64_t>(random.Below(20'000));
  origin_->world()->After(delay_us, [this, stream, request] {
    if (stream_->open()) {
      Respond(stream, request);
      Flush();
    }
  });
}

// Instead of an answer.
void OriginH2::Cut(int32_t stream) {
  sim::Prng& random = origin_->world()->random();
  switch (random.Below(6)) {
    case 0:
      stream_->Close();
      break;
    case 1:
      stream_->Reset();
      break;
    case 2:
      endpoint_
          .Goaway();  // RFC 9113, 6.8: the requests so far are still answered, but for this one
      endpoint_.Reset(stream, NGHTTP2_CANCEL);
      break;
    case 3:
      endpoint_.Reset(stream, NGHTTP2_INTERNAL_ERROR);
      break;
    default:  // a number, not an enum: the rest
      endpoint_.Reset(stream, NGHTTP2_REFUSED_STREAM);
      break;
  }
}

void OriginH2::Respond(int32_t stream, const H2Endpoint::Message& request) {
  const OriginOptions& options = origin_->options();
  sim::Prng& random = origin_->world()->random();
  if (random.Chance(options.cut_before_response)) {
    Cut(stream);
    return;
  }
  CHECK(request.Find("x-spoofed").empty());
  Answer answer =
      AnswerTo(request.Find(":path"), request.Find("x-forwarded-clientcert-clientverify"),
               request.Find("x-forwarded-clientcert-subjectdn"), request.body);
  if (random.Chance(options.garbage)) {
    endpoint_.Respond(stream, {{":status", "200"}, {"connection", "close"}}, "x", false);
    return;
  }
  if (random.Chance(0.1)) {
    endpoint_.Interim(stream, {{":status", "103"}, {"link", "</a>"}});
  }
  H2Endpoint::Fields fields = {{":status", "200"},
                               {"x-key", answer.key},
                               {"x-server", origin_->name()},
                               {"x-body-hash", answer.hash}};
  bool length = random.Chance(0.5);
  if (length) {
    fields.emplace_back("content-length", std::to_string(answer.body.size()));
  }
  if (random.Chance(options.cut_in_body)) {
    size_t part = random.Below(answer.body.size() + 1);
    endpoint_.Respond(stream, fields, answer.body, false, part);
    return;
  }
  endpoint_.Respond(stream, fields, answer.body, random.Chance(0.3));
  origin_->CountAnswered();
  if (random.Chance(options.close_idle)) {
    endpoint_.Goaway();
  }
}

}  // namespace postern::gate
