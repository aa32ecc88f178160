// The HTTP/1.1 side of a downstream connection: request bodies out of the plaintext, responses into
// it.
#include <algorithm>

#include "src/base/check.h"
#include "src/base/limits.h"
#include "src/proxy/downstream_connection.h"

namespace postern::proxy {

DownstreamStream::Body DownstreamConnection::PeekBody() {
  for (;;) {
    http::BodyDecoder::Result result = decoder_.Decode(plain_.view());
    body_taken_ = result.consumed;
    switch (result.status) {
      case http::BodyDecoder::Status::kData:
        return {BodyEvent::kData, result.data};
      case http::BodyDecoder::Status::kEnd:
        return {BodyEvent::kEnd, {}};
      case http::BodyDecoder::Status::kError:
        return {BodyEvent::kMalformed, {}};
      case http::BodyDecoder::Status::kNeedMore:
        break;
    }
    ConsumeBody();
    if (!close_notified_ && !tls_failed_ && Decrypt() == Plain::kProgress) {
      continue;
    }
    // In a tunnel a client may end its side, properly, and still listen. Otherwise one that ends
    // here has gone; that is seen after the exchange's turn.
    bool ended = exchange_->tunnel() && close_notified_;
    return {ended ? BodyEvent::kEnd : BodyEvent::kNeedMore, {}};
  }
}

void DownstreamConnection::ConsumeBody() {
  if (body_taken_ > 0) {
    plain_.Consume(body_taken_);
    body_taken_ = 0;
  }
}

bool DownstreamConnection::HasResponseRoom() const {
  return HasOutputRoom();
}

bool DownstreamConnection::HasOutputRoom() const {
  return side_.queued() + env_->scratch.staging.size < base::limits::kSendQueueBytesHigh;
}

void DownstreamConnection::WriteOut(std::string_view plaintext) {
  if (engine_.has_value()) {
    engine_->Write({reinterpret_cast<const uint8_t*>(plaintext.data()), plaintext.size()},
                   &side_.output());
  } else {
    side_.output().Append(plaintext);
  }
}

void DownstreamConnection::Stage(std::string_view bytes) {
  Staging& staging = env_->scratch.staging;
  while (!bytes.empty()) {
    // A full record's worth with nothing before it needs no detour.
    if (staging.size == 0 && bytes.size() >= staging.bytes.size()) {
      WriteOut(bytes.substr(0, staging.bytes.size()));
      bytes.remove_prefix(staging.bytes.size());
      continue;
    }
    size_t size = std::min(bytes.size(), staging.bytes.size() - staging.size);
    std::copy_n(bytes.begin(), size, staging.bytes.begin() + static_cast<ptrdiff_t>(staging.size));
    staging.size += size;
    bytes.remove_prefix(size);
    if (staging.size == staging.bytes.size()) {
      FlushStaging();
    }
  }
}

void DownstreamConnection::FlushStaging() {
  Staging& staging = env_->scratch.staging;
  if (staging.size > 0) {
    WriteOut({staging.bytes.data(), staging.size});
    staging.size = 0;
  }
}

void DownstreamConnection::WriteInterim(const http::ResponseHead& head) {
  auto& memory = env_->scratch.head;
  http::ByteWriter writer(memory.data(), memory.size());
  ResponseTerms terms;
  terms.via = listener_->serving->via_name();
  if (WriteForwardedResponse(head, exchange_->head().version, terms, &writer)) {
    Stage(writer.view());
  }
}

void DownstreamConnection::WriteHead(const http::ResponseHead& head, bool close_after) {
  ResponseTerms terms;
  terms.close_after = close_after;
  terms.via = listener_->serving->via_name();
  terms.framing = head.framing;
  if (head.framing == http::BodyFraming::kChunked ||
      head.framing == http::BodyFraming::kUntilClose) {
    bool old_client = exchange_->head().version == http::Version::kHttp10;
    terms.framing = old_client ? http::BodyFraming::kUntilClose : http::BodyFraming::kChunked;
  }
  chunked_response_ = terms.framing == http::BodyFraming::kChunked;
  if (head.status == 101) {
    decoder_.Start(http::BodyFraming::kUntilClose, 0);
  }
  auto& memory = env_->scratch.head;
  http::ByteWriter writer(memory.data(), memory.size());
  // Cannot overflow: a response head is at most 64 KiB and what is added is bounded.
  CHECK(WriteForwardedResponse(head, exchange_->head().version, terms, &writer));
  Stage(writer.view());
}

void DownstreamConnection::WriteBody(std::string_view data) {
  if (!chunked_response_) {
    Stage(data);
    return;
  }
  char header[http::kChunkHeaderBytesMax];
  http::ByteWriter writer(header, sizeof(header));
  http::WriteChunkHeader(data.size(), &writer);
  Stage(writer.view());
  Stage(data);
  Stage(http::kChunkTrailerCrlf);
}

void DownstreamConnection::WriteEnd(const http::FieldList& trailers) {
  if (!chunked_response_) {
    return;
  }
  auto& memory = env_->scratch.head;
  http::ByteWriter writer(memory.data(), memory.size());
  http::WriteLastChunk(trailers, &writer);
  Stage(writer.view());
}

}  // namespace postern::proxy
