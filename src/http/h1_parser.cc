#include "src/http/h1_parser.h"

#include <algorithm>
#include <cstring>

#include "src/base/check.h"

namespace postern::http {
namespace {

// RFC 9112, 2.2 asks a server to ignore "at least one" empty line before a request.
constexpr size_t kEmptyLinesMax = 4;

}  // namespace

void HeadScanner::Reset(const HeadLimits& limits, bool skip_empty_lines) {
  limits_ = limits;
  position_ = 0;
  line_start_ = 0;
  begin_ = 0;
  end_ = 0;
  lines_ = 0;
  empty_lines_ = 0;
  skip_empty_lines_ = skip_empty_lines;
  error_ = HeadError::kNone;
}

HeadScanner::Status HeadScanner::Fail(HeadError error) {
  error_ = error;
  return Status::kError;
}

HeadScanner::Status HeadScanner::Scan(std::string_view bytes) {
  if (error_ != HeadError::kNone) {
    return Status::kError;
  }
  if (end_ != 0) {
    return Status::kComplete;
  }
  DCHECK(bytes.size() >= position_);
  while (position_ < bytes.size()) {
    const void* found = std::memchr(bytes.data() + position_, '\n', bytes.size() - position_);
    const size_t line_end =
        found == nullptr ? bytes.size()
                         : static_cast<size_t>(static_cast<const char*>(found) - bytes.data()) + 1;
    // Sizes come first, so that how the bytes were split never changes which error is found.
    if (const HeadError error = CheckSize(line_end); error != HeadError::kNone) {
      return Fail(error);
    }
    position_ = line_end;
    if (found == nullptr) {
      return Status::kNeedMore;
    }
    const size_t line_size = line_end - line_start_;
    if (line_size < 2 || bytes[line_end - 2] != '\r') {
      return Fail(HeadError::kBareLineFeed);
    }
    line_start_ = line_end;
    if (line_size > 2) {
      if (++lines_ > limits_.fields_max + 1) {
        return Fail(HeadError::kTooManyFields);
      }
    } else if (lines_ > 0) {
      end_ = line_end;
      return Status::kComplete;
    } else if (!skip_empty_lines_ || ++empty_lines_ > kEmptyLinesMax) {
      return Fail(HeadError::kBadStartLine);
    } else {
      begin_ = line_end;
    }
  }
  return Status::kNeedMore;
}

// Whether the current line may reach up to `line_end`. If it breaks two limits, the one that it
// reaches first counts.
HeadError HeadScanner::CheckSize(size_t line_end) const {
  const bool first = lines_ == 0;
  const size_t line_max = first ? limits_.start_line_bytes_max : limits_.field_line_bytes_max;
  const size_t line_limit = line_start_ + line_max;
  const size_t head_limit = begin_ + limits_.head_bytes_max;
  if (line_end <= std::min(line_limit, head_limit)) {
    return HeadError::kNone;
  }
  return first && line_limit <= head_limit ? HeadError::kUriTooLong : HeadError::kHeadTooLarge;
}

uint16_t StatusOf(HeadError error) {
  switch (error) {
    case HeadError::kNone:
      return 200;
    case HeadError::kBadStartLine:
    case HeadError::kBadTarget:
    case HeadError::kBadFieldName:
    case HeadError::kBadFieldValue:
    case HeadError::kBareLineFeed:
    case HeadError::kBadContentLength:
    case HeadError::kLengthAndEncoding:
    case HeadError::kBadTransferEncoding:
    case HeadError::kBadHost:
      return 400;
    case HeadError::kUriTooLong:
      return 414;
    case HeadError::kUnsupportedExpectation:
      return 417;
    case HeadError::kHeadTooLarge:
    case HeadError::kTooManyFields:
      return 431;
    case HeadError::kBadVersion:
      return 505;
  }
  return 400;
}

std::string_view NameOf(HeadError error) {
  switch (error) {
    case HeadError::kNone:
      return "none";
    case HeadError::kBadStartLine:
      return "bad_start_line";
    case HeadError::kBadTarget:
      return "bad_target";
    case HeadError::kUriTooLong:
      return "uri_too_long";
    case HeadError::kBadVersion:
      return "bad_version";
    case HeadError::kHeadTooLarge:
      return "head_too_large";
    case HeadError::kTooManyFields:
      return "too_many_fields";
    case HeadError::kBadFieldName:
      return "bad_field_name";
    case HeadError::kBadFieldValue:
      return "bad_field_value";
    case HeadError::kBareLineFeed:
      return "bare_line_feed";
    case HeadError::kBadContentLength:
      return "bad_content_length";
    case HeadError::kLengthAndEncoding:
      return "length_and_encoding";
    case HeadError::kBadTransferEncoding:
      return "bad_transfer_encoding";
    case HeadError::kBadHost:
      return "bad_host";
    case HeadError::kUnsupportedExpectation:
      return "unsupported_expectation";
  }
  return "unknown";
}

}  // namespace postern::http
