#include "src/http/h1_body.h"

#include <algorithm>

#include "src/base/check.h"
#include "src/http/char_class.h"
#include "src/http/h1_fields.h"

namespace postern::http {
namespace {

// 16 hexadecimal digits fill 64 bits; more are refused even when they are zeros.
constexpr uint8_t kSizeDigitsMax = 16;

static_assert(kTrailerBytesMax <= UINT16_MAX && kChunkExtensionBytesMax < UINT16_MAX);

// RFC 9110, 6.5.1 and RFC 9113, 8.2.2: what frames a message, or is of a connection alone. In a
// trailer section it is an attack or a grave mistake; who drops it silently still lets the next hop
// see another message. Other fields that mean something in a head only are dropped
// (trailer_fields.h).
bool IsForbiddenTrailer(const Field& field) {
  switch (field.id) {
    case FieldId::kConnection:
    case FieldId::kContentLength:
    case FieldId::kKeepAlive:
    case FieldId::kProxyConnection:
    case FieldId::kTe:
    case FieldId::kTrailer:
    case FieldId::kTransferEncoding:
    case FieldId::kUpgrade:
      return true;
    case FieldId::kCookie:
    case FieldId::kDate:
    case FieldId::kExpect:
    case FieldId::kHost:
    case FieldId::kProxyAuthenticate:
    case FieldId::kProxyAuthorization:
    case FieldId::kVia:
    case FieldId::kXForwardedFor:
    case FieldId::kXForwardedPort:
    case FieldId::kXForwardedProto:
    case FieldId::kOther:
      return false;
  }
  return false;
}

}  // namespace

std::string_view NameOf(BodyError error) {
  switch (error) {
    case BodyError::kNone:
      return "none";
    case BodyError::kBadChunkSize:
      return "bad_chunk_size";
    case BodyError::kBadChunkEnd:
      return "bad_chunk_end";
    case BodyError::kBadTrailer:
      return "bad_trailer";
    case BodyError::kTrailersTooLarge:
      return "trailers_too_large";
    case BodyError::kTruncated:
      return "truncated";
  }
  return "unknown";
}

void BodyDecoder::Start(BodyFraming framing, uint64_t content_length) {
  error_ = BodyError::kNone;
  extension_ = Extension::kSemicolon;
  size_digits_ = 0;
  extension_bytes_ = 0;
  trailer_bytes_ = 0;
  trailer_line_start_ = 0;
  remaining_ = 0;
  body_bytes_ = 0;
  DropTrailers();
  switch (framing) {
    case BodyFraming::kNone:
      state_ = State::kEnded;
      return;
    case BodyFraming::kLength:
      remaining_ = content_length;
      state_ = content_length == 0 ? State::kEnded : State::kLength;
      return;
    case BodyFraming::kChunked:
      state_ = State::kChunkSize;
      return;
    case BodyFraming::kUntilClose:
      state_ = State::kUntilClose;
      return;
  }
}

BodyDecoder::Result BodyDecoder::Fail(BodyError error, size_t consumed) {
  state_ = State::kFailed;
  error_ = error;
  return {Status::kError, consumed, {}};
}

// Hands out what `input` has of the `remaining_` bytes from `offset` on. Both are not empty.
BodyDecoder::Result BodyDecoder::TakeData(std::string_view input, size_t offset) {
  const std::string_view data =
      input.substr(offset, static_cast<size_t>(std::min<uint64_t>(remaining_, input.size())));
  remaining_ -= data.size();
  body_bytes_ += data.size();
  return {Status::kData, offset + data.size(), data};
}

BodyDecoder::Result BodyDecoder::Decode(std::string_view input) {
  switch (state_) {
    case State::kEnded:
      return {Status::kEnd, 0, {}};
    case State::kFailed:
      return {Status::kError, 0, {}};
    case State::kLength: {
      if (input.empty()) {
        return {};
      }
      const Result result = TakeData(input, 0);
      if (remaining_ == 0) {
        state_ = State::kEnded;
      }
      return result;
    }
    case State::kUntilClose:
      if (input.empty()) {
        return {};
      }
      body_bytes_ += input.size();
      return {Status::kData, input.size(), input};
    case State::kChunkSize:
    case State::kChunkExtension:
    case State::kChunkSizeLf:
    case State::kChunkData:
    case State::kChunkDataCr:
    case State::kChunkDataLf:
    case State::kTrailerSection:
      return DecodeChunked(input);
  }
  return Fail(BodyError::kTruncated, 0);
}

BodyDecoder::Result BodyDecoder::DecodeChunked(std::string_view input) {
  for (size_t i = 0; i < input.size(); ++i) {
    if (state_ == State::kChunkData) {
      const Result result = TakeData(input, i);
      if (remaining_ == 0) {
        state_ = State::kChunkDataCr;
      }
      return result;
    }
    if (const BodyError error = TakeFraming(input[i]); error != BodyError::kNone) {
      return Fail(error, i);
    }
    if (state_ == State::kEnded) {
      return {Status::kEnd, i + 1, {}};
    }
  }
  return {Status::kNeedMore, input.size(), {}};
}

BodyError BodyDecoder::TakeFraming(char c) {
  switch (state_) {
    case State::kChunkSize:
      return TakeChunkSize(c);
    case State::kChunkExtension:
      return TakeExtension(c);
    case State::kChunkSizeLf:
      state_ = remaining_ == 0 ? State::kTrailerSection : State::kChunkData;
      return c == '\n' ? BodyError::kNone : BodyError::kBadChunkSize;
    case State::kChunkDataCr:
      state_ = State::kChunkDataLf;
      return c == '\r' ? BodyError::kNone : BodyError::kBadChunkEnd;
    case State::kChunkDataLf:
      state_ = State::kChunkSize;
      size_digits_ = 0;
      extension_bytes_ = 0;
      return c == '\n' ? BodyError::kNone : BodyError::kBadChunkEnd;
    case State::kTrailerSection:
      return TakeTrailer(c);
    case State::kLength:
    case State::kUntilClose:
    case State::kChunkData:
    case State::kEnded:
    case State::kFailed:
      break;
  }
  CHECK(false);  // Decode sends nobody else here
}

BodyError BodyDecoder::TakeChunkSize(char c) {
  if (IsChar(c, kHexChar)) {
    if (size_digits_ == kSizeDigitsMax) {
      return BodyError::kBadChunkSize;  // RFC 9112, 7.1: recipients must prevent overflow
    }
    ++size_digits_;
    remaining_ = remaining_ << 4 | HexValue(c);
    return BodyError::kNone;
  }
  if (size_digits_ == 0) {
    return BodyError::kBadChunkSize;
  }
  if (c == '\r') {
    state_ = State::kChunkSizeLf;
    return BodyError::kNone;
  }
  state_ = State::kChunkExtension;
  extension_ = Extension::kSpaceBeforeSemicolon;
  return TakeExtension(c);
}

// *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] ), then CR (RFC 9112, 7.1.1). The
// grammar is checked, though the extensions are dropped: a CRLF inside quotes is the end of the
// line to some and data to others.
BodyError BodyDecoder::TakeExtension(char c) {
  constexpr BodyError kGood = BodyError::kNone;
  constexpr BodyError kBad = BodyError::kBadChunkSize;
  const auto become = [this](Extension next) {
    extension_ = next;
    return kGood;
  };
  const bool may_end = extension_ == Extension::kName || extension_ == Extension::kToken ||
                       extension_ == Extension::kQuotedEnd;
  if (c == '\r' && may_end) {
    state_ = State::kChunkSizeLf;
    return kGood;
  }
  if (++extension_bytes_ > kChunkExtensionBytesMax) {
    return kBad;
  }
  switch (extension_) {
    case Extension::kSpaceBeforeSemicolon:
      return c == ';' ? become(Extension::kSemicolon) : IsWhitespace(c) ? kGood : kBad;
    case Extension::kSemicolon:
      return IsChar(c, kTokenChar) ? become(Extension::kName) : IsWhitespace(c) ? kGood : kBad;
    case Extension::kName:
      if (IsChar(c, kTokenChar)) {
        return kGood;
      }
      [[fallthrough]];
    case Extension::kSpaceBeforeEquals:
      return c == '='          ? become(Extension::kEquals)
             : c == ';'        ? become(Extension::kSemicolon)
             : IsWhitespace(c) ? become(Extension::kSpaceBeforeEquals)
                               : kBad;
    case Extension::kEquals:
      return c == '"'                ? become(Extension::kQuoted)
             : IsChar(c, kTokenChar) ? become(Extension::kToken)
             : IsWhitespace(c)       ? kGood
                                     : kBad;
    case Extension::kToken:
      if (IsChar(c, kTokenChar)) {
        return kGood;
      }
      [[fallthrough]];
    case Extension::kQuotedEnd:
      return c == ';'          ? become(Extension::kSemicolon)
             : IsWhitespace(c) ? become(Extension::kSpaceBeforeSemicolon)
                               : kBad;
    case Extension::kQuoted:
      return c == '"'                 ? become(Extension::kQuotedEnd)
             : c == '\\'              ? become(Extension::kQuotedPair)
             : IsChar(c, kQuotedChar) ? kGood
                                      : kBad;
    case Extension::kQuotedPair:
      return IsChar(c, kValueChar) ? become(Extension::kQuoted) : kBad;
  }
  return kBad;
}

BodyError BodyDecoder::TakeTrailer(char c) {
  if (trailer_bytes_ == kTrailerBytesMax) {
    return BodyError::kTrailersTooLarge;
  }
  if (trailer_lines_ == nullptr) {
    trailer_lines_ = reinterpret_cast<char*>(pool_->Acquire(base::BlockClass::k4k));
  }
  trailer_lines_[trailer_bytes_++] = c;
  return c == '\n' ? EndTrailerLine() : BodyError::kNone;
}

BodyError BodyDecoder::EndTrailerLine() {
  const char* const begin = trailer_lines_ + trailer_line_start_;
  const char* const end = trailer_lines_ + trailer_bytes_;
  if (end - begin < 2 || end[-2] != '\r') {
    return BodyError::kBadTrailer;
  }
  if (end - begin == 2) {
    state_ = State::kEnded;
    return BodyError::kNone;
  }
  Field field;
  const char* next = nullptr;
  if (ParseFieldLine(begin, end, &field, &next) != HeadError::kNone || IsForbiddenTrailer(field)) {
    return BodyError::kBadTrailer;
  }
  DCHECK(next == end);
  trailer_line_start_ = trailer_bytes_;
  if (trailer_fields_ == kFieldsMax) {
    return BodyError::kTrailersTooLarge;
  }
  ++trailer_fields_;
  return BodyError::kNone;
}

void BodyDecoder::ReadTrailers(FieldList* out) const {
  out->Clear();
  const char* line = trailer_lines_;
  const char* const end = line + trailer_line_start_;
  for (uint16_t i = 0; i < trailer_fields_; ++i) {
    Field field;
    CHECK(ParseFieldLine(line, end, &field, &line) == HeadError::kNone && out->Append(field));
  }
}

void BodyDecoder::DropTrailers() {
  if (trailer_lines_ != nullptr) {
    pool_->Release(base::BlockClass::k4k, reinterpret_cast<uint8_t*>(trailer_lines_));
    trailer_lines_ = nullptr;
  }
  trailer_fields_ = 0;
}

BodyError BodyDecoder::OnEndOfInput() {
  if (state_ == State::kUntilClose) {
    state_ = State::kEnded;
  } else if (state_ != State::kEnded && state_ != State::kFailed) {
    Fail(BodyError::kTruncated, 0);  // RFC 9112, 8: incomplete
  }
  return error_;
}

}  // namespace postern::http
