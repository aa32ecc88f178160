// Bodies. The first byte of the input chooses the framing and where the rest is split.
// The oracle: how the bytes arrive changes nothing; a second, plain reader of chunked bodies that
// looks at all bytes at once finds the same body in what was accepted; and the body, encoded again,
// decodes to itself.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/blocks_test_util.h"
#include "src/base/check.h"
#include "src/http/h1_body.h"
#include "src/http/h1_writer.h"

namespace postern::http {
namespace {

struct Outcome {
  BodyDecoder::Status status = BodyDecoder::Status::kNeedMore;
  BodyError error = BodyError::kNone;
  size_t consumed = 0;
  std::string body;
  std::string trailers;  // as on the wire
  bool operator==(const Outcome&) const = default;
};

std::string Wire(const FieldList& trailers) {
  std::vector<char> buffer(kTrailerBytesMax * 2);
  ByteWriter out(buffer.data(), buffer.size());
  WriteLastChunk(trailers, &out);
  CHECK(!out.overflowed());
  return std::string(out.view());
}

Outcome Decode(std::string_view bytes, BodyFraming framing, uint64_t length, size_t step) {
  BodyDecoder decoder(base::TestBlocks());
  decoder.Start(framing, length);
  Outcome outcome;
  while (outcome.consumed < bytes.size()) {
    const std::string_view piece = bytes.substr(outcome.consumed, step);
    const BodyDecoder::Result result = decoder.Decode(piece);
    outcome.status = result.status;
    outcome.consumed += result.consumed;
    outcome.body += result.data;
    CHECK(result.consumed <= piece.size());
    CHECK(result.data.empty() == (result.status != BodyDecoder::Status::kData));
    CHECK(result.status != BodyDecoder::Status::kNeedMore || result.consumed == piece.size());
    if (result.status == BodyDecoder::Status::kEnd ||
        result.status == BodyDecoder::Status::kError) {
      break;
    }
  }
  outcome.error = decoder.error();
  if (decoder.ended()) {
    outcome.status =
        BodyDecoder::Status::kEnd;  // else it hangs on whether the bytes ended just there
  } else if (outcome.status != BodyDecoder::Status::kError) {
    outcome.status = BodyDecoder::Status::kNeedMore;
  }
  CHECK(decoder.body_bytes() == outcome.body.size());
  if (decoder.ended()) {
    FieldList trailers;
    decoder.ReadTrailers(&trailers);
    outcome.trailers = Wire(trailers);
  }
  return outcome;
}

// The number in front of the line's end or first ";", else nothing.
std::optional<uint64_t> PlainSize(std::string_view line) {
  const std::string digits(line.substr(0, line.find_first_of("; \t")));
  if (digits.empty() || digits.size() > 16 ||
      digits.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos) {
    return std::nullopt;
  }
  return std::stoull(digits, nullptr, 16);
}

// What somebody reads who cuts at every CRLF. Never fails, only stops.
std::string PlainBody(std::string_view bytes) {
  std::string body;
  for (;;) {
    const size_t line_end = bytes.find("\r\n");
    CHECK(line_end != std::string_view::npos);
    const std::optional<uint64_t> size = PlainSize(bytes.substr(0, line_end));
    CHECK(size.has_value());
    bytes.remove_prefix(line_end + 2);
    if (*size == 0) {
      // Every line up to the empty one is a trailer, and all the rest of what was consumed.
      CHECK(bytes == "\r\n" || bytes.find("\r\n\r\n") == bytes.size() - 4);
      return body;
    }
    CHECK(*size + 2 <= bytes.size());
    body += bytes.substr(0, *size);
    CHECK(bytes.substr(*size, 2) == "\r\n");
    bytes.remove_prefix(*size + 2);
  }
}

std::string Encode(std::string_view body, size_t chunk_size, const std::string& last_chunk) {
  std::string bytes;
  while (!body.empty()) {
    const std::string_view chunk = body.substr(0, chunk_size);
    char header[kChunkHeaderBytesMax];
    ByteWriter out(header, sizeof(header));
    WriteChunkHeader(chunk.size(), &out);
    CHECK(!out.overflowed());
    bytes += out.view();
    bytes += chunk;
    bytes += kChunkTrailerCrlf;
    body.remove_prefix(chunk.size());
  }
  return bytes + last_chunk;
}

void Run(uint8_t choice, std::string_view bytes) {
  const size_t step = 1 + (choice >> 3);
  BodyFraming framing = BodyFraming::kChunked;
  uint64_t length = 0;
  if ((choice & 7) == 0) {
    framing = BodyFraming::kLength;
    length = bytes.size() / 2;
  } else if ((choice & 7) == 1) {
    framing = BodyFraming::kUntilClose;
  }
  const Outcome whole = Decode(bytes, framing, length, bytes.size());
  CHECK(whole == Decode(bytes, framing, length, step));
  CHECK((whole.status == BodyDecoder::Status::kError) == (whole.error != BodyError::kNone));
  switch (framing) {
    case BodyFraming::kNone:
      return;
    case BodyFraming::kLength:
      CHECK(whole.body == bytes.substr(0, length));
      return;
    case BodyFraming::kUntilClose:
      CHECK(whole.body == bytes);
      return;
    case BodyFraming::kChunked:
      break;
  }
  if (whole.status == BodyDecoder::Status::kEnd) {
    CHECK(PlainBody(bytes.substr(0, whole.consumed)) == whole.body);
    const std::string again = Encode(whole.body, step, whole.trailers);
    const Outcome second = Decode(again + "next", framing, 0, step);
    CHECK(second.status == BodyDecoder::Status::kEnd);
    CHECK(second.consumed == again.size());
    CHECK(second.body == whole.body);
    CHECK(second.trailers == whole.trailers);
  }
}

}  // namespace
}  // namespace postern::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 0) {
    postern::http::Run(data[0], {reinterpret_cast<const char*>(data) + 1, size - 1});
  }
  return 0;
}
