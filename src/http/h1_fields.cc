#include "src/http/h1_fields.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "src/base/check.h"
#include "src/http/char_class.h"

namespace postern::http {
namespace {

static_assert(std::endian::native == std::endian::little,
              "SkipFieldValue counts from the low byte");

constexpr uint64_t kOnes = 0x0101010101010101;
constexpr uint64_t kHighBits = 0x8080808080808080;

// The high bit of every byte of `word` that is below 0x20 or DEL. A borrow can also mark bytes
// above a marked one, so only the lowest mark is exact; it is the only one used.
uint64_t MarkControls(uint64_t word) {
  const uint64_t low = (word - kOnes * 0x20) & ~word;
  const uint64_t del = word ^ (kOnes * 0x7f);
  return (low | ((del - kOnes) & ~del)) & kHighBits;
}

// 1*DIGIT that fits a signed 64-bit number: the server behind us may use one, and must read what we
// read.
bool ParseContentLength(std::string_view text, uint64_t* value) {
  if (text.empty()) {
    return false;
  }
  constexpr uint64_t kMax = INT64_MAX;
  uint64_t result = 0;
  for (const char c : text) {
    if (!IsChar(c, kDigitChar)) {
      return false;
    }
    const uint64_t digit = HexValue(c);
    if (result > (kMax - digit) / 10) {
      return false;
    }
    result = result * 10 + digit;
  }
  *value = result;
  return true;
}

HeadError NoteContentLength(std::string_view value, FieldFacts* facts) {
  // RFC 9112, 6.3 rule 5. A list of equal numbers, which it lets pass, is refused here.
  if (facts->has_length || !ParseContentLength(value, &facts->content_length)) {
    return HeadError::kBadContentLength;
  }
  facts->has_length = true;
  return HeadError::kNone;
}

HeadError NoteTransferEncoding(std::string_view value, FieldFacts* facts) {
  // RFC 9112, 6.1: chunked must come once and last. Other codings are not understood here.
  if (facts->has_encoding || !EqualsIgnoreCase(value, "chunked")) {
    return HeadError::kBadTransferEncoding;
  }
  facts->has_encoding = true;
  return HeadError::kNone;
}

// Reads a Connection field once: what it means, and what else it names.
HeadError NoteConnection(std::string_view list, ConnectionOptions* options, FieldFacts* facts) {
  ListReader reader(list);
  for (std::string_view option; reader.Next(&option);) {
    if (EqualsIgnoreCase(option, "close")) {
      facts->close = true;
    } else if (EqualsIgnoreCase(option, "keep-alive")) {
      facts->keep_alive = true;
    } else if (EqualsIgnoreCase(option, "upgrade")) {
      facts->upgrade = true;
    } else if (!options->Append(option)) {
      return HeadError::kTooManyFields;
    }
  }
  return reader.overflowed() ? HeadError::kTooManyFields : HeadError::kNone;
}

HeadError NoteField(const Field& field, ConnectionOptions* options, FieldFacts* facts) {
  switch (field.id) {
    case FieldId::kOther:
    case FieldId::kCookie:
    case FieldId::kDate:
    case FieldId::kKeepAlive:
    case FieldId::kProxyAuthenticate:
    case FieldId::kProxyAuthorization:
    case FieldId::kProxyConnection:
    case FieldId::kTe:
    case FieldId::kTrailer:
    case FieldId::kVia:
    case FieldId::kXForwardedFor:
    case FieldId::kXForwardedPort:
    case FieldId::kXForwardedProto:
      return HeadError::kNone;
    case FieldId::kConnection:
      return NoteConnection(field.value, options, facts);
    case FieldId::kUpgrade:
      facts->upgrade_websocket =
          facts->upgrade_websocket || ListContainsToken(field.value, "websocket");
      return HeadError::kNone;
    case FieldId::kContentLength:
      return NoteContentLength(field.value, facts);
    case FieldId::kTransferEncoding:
      return NoteTransferEncoding(field.value, facts);
    case FieldId::kHost:
      facts->host_repeated = facts->has_host;
      facts->has_host = true;
      facts->host = field.value;
      return HeadError::kNone;
    case FieldId::kExpect:
      if (EqualsIgnoreCase(field.value, "100-continue")) {
        facts->expect_continue = true;
      } else {
        facts->expect_other = true;
      }
      return HeadError::kNone;
  }
  return HeadError::kNone;
}

}  // namespace

const char* SkipFieldValue(const char* begin, const char* end) {
  const char* p = begin;
  while (end - p >= 8) {
    uint64_t word;
    std::memcpy(&word, p, sizeof(word));
    const uint64_t marks = MarkControls(word);
    if (marks == 0) {
      p += 8;
      continue;
    }
    p += std::countr_zero(marks) / 8;
    if (*p != '\t') {
      return p;
    }
    ++p;
  }
  while (IsChar(*p, kValueChar)) {
    ++p;
  }
  return p;
}

HeadError ParseFieldLine(const char* begin, const char* end, Field* field, const char** next) {
  DCHECK(end - begin >= 2 && end[-2] == '\r' && end[-1] == '\n');
  const char* p = begin;
  while (IsChar(*p, kTokenChar)) {
    ++p;
  }
  // RFC 9112, 5.1: no white space before the colon. Section 5.2: a line that begins with white
  // space is obs-fold, which a proxy may refuse; it ends up here too, for its name is empty.
  if (p == begin || *p != ':') {
    return HeadError::kBadFieldName;
  }
  field->name = {begin, static_cast<size_t>(p - begin)};
  field->id = FieldIdOf(field->name);
  ++p;
  while (IsWhitespace(*p)) {
    ++p;
  }
  const char* const value = p;
  p = SkipFieldValue(p, end);
  if (*p != '\r') {
    return *p == '\n' ? HeadError::kBareLineFeed : HeadError::kBadFieldValue;
  }
  if (p[1] != '\n') {
    return HeadError::kBadFieldValue;  // RFC 9112, 2.2: bare CR
  }
  *next = p + 2;
  while (p > value && IsWhitespace(p[-1])) {
    --p;
  }
  field->value = {value, static_cast<size_t>(p - value)};
  return HeadError::kNone;
}

HeadError ParseFieldSection(const char* begin, const char* end, const HeadLimits& limits,
                            FieldList* fields, ConnectionOptions* options, FieldFacts* facts) {
  const size_t fields_max = std::min(limits.fields_max, kFieldsMax);
  const char* p = begin;
  while (*p != '\r') {
    Field field;
    const char* next = nullptr;
    if (const HeadError error = ParseFieldLine(p, end, &field, &next); error != HeadError::kNone) {
      return error;
    }
    if (static_cast<size_t>(next - p) > limits.field_line_bytes_max) {
      return HeadError::kHeadTooLarge;
    }
    if (fields->size() == fields_max || !fields->Append(field)) {
      return HeadError::kTooManyFields;
    }
    if (const HeadError error = NoteField(field, options, facts); error != HeadError::kNone) {
      return error;
    }
    p = next;
    DCHECK(p < end);
  }
  // The scanner ends a head at its first empty line, so anything else after a CR is a name that
  // begins with one.
  return end - p == 2 && p[1] == '\n' ? HeadError::kNone : HeadError::kBadFieldName;
}

HeadError DecideFraming(const FieldFacts& facts, Version version, BodyFraming* framing,
                        uint64_t* content_length) {
  if (facts.has_encoding && facts.has_length) {
    return HeadError::kLengthAndEncoding;  // RFC 9112, 6.3 rule 3: "ought to be handled as an
                                           // error"
  }
  if (facts.has_encoding && version == Version::kHttp10) {
    return HeadError::kBadTransferEncoding;  // RFC 9112, 6.1: the framing is to be treated as
                                             // faulty
  }
  *framing = facts.has_encoding ? BodyFraming::kChunked
             : facts.has_length ? BodyFraming::kLength
                                : BodyFraming::kNone;
  *content_length = facts.content_length;
  return HeadError::kNone;
}

bool DecideKeepAlive(const FieldFacts& facts, Version version) {
  if (facts.close) {
    return false;
  }
  return version == Version::kHttp10 ? facts.keep_alive : true;
}

HeadError ParseVersion(const char* begin, Version* version) {
  if (std::memcmp(begin, "HTTP/", 5) != 0 || !IsChar(begin[5], kDigitChar) || begin[6] != '.' ||
      !IsChar(begin[7], kDigitChar)) {
    return HeadError::kBadStartLine;
  }
  if (begin[5] != '1') {
    return HeadError::kBadVersion;
  }
  *version = begin[7] == '0' ? Version::kHttp10 : Version::kHttp11;
  return HeadError::kNone;
}

}  // namespace postern::http
