// Heads. The first byte of the input chooses what is read and where it is split; the rest is what
// the peer sends. The oracle: how the bytes arrive changes nothing; what was parsed and is written
// again parses to the same; and no view holds a byte that could end a line for anybody.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "src/base/check.h"
#include "src/http/h1_parser.h"
#include "src/http/h1_writer.h"

namespace postern::http {
namespace {

constexpr HeadLimits kSmallLimits = {
    .start_line_bytes_max = 64, .field_line_bytes_max = 48, .head_bytes_max = 256, .fields_max = 6};

void CheckPlain(std::string_view text) {
  CHECK(text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
}

void CheckSameFields(const FieldList& a, const FieldList& b) {
  CHECK(a.size() == b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i].name == b[i].name);
    CHECK(a[i].value == b[i].value);
    CHECK(a[i].id == b[i].id);
    CHECK(IsValidFieldName(a[i].name));
    CHECK(IsValidFieldValue(a[i].value));
    CHECK(a[i].id == FieldIdOf(a[i].name));
  }
}

// Framing that a plain reading of the fields gives. A head that was accepted has at most one field
// that says something.
void CheckFraming(const FieldList& fields, BodyFraming framing) {
  size_t lengths = 0;
  size_t encodings = 0;
  for (const Field& field : fields) {
    lengths += EqualsIgnoreCase(field.name, "content-length") ? 1U : 0U;
    encodings += EqualsIgnoreCase(field.name, "transfer-encoding") ? 1U : 0U;
  }
  CHECK(lengths + encodings <= 1);
  CHECK(lengths == 1 || framing != BodyFraming::kLength);
  CHECK(encodings == 1 || framing != BodyFraming::kChunked);
}

void CheckRequest(std::string_view head, const HeadLimits& limits) {
  static RequestHead first;
  static RequestHead second;
  if (ParseRequestHead(head, limits, &first) != HeadError::kNone) {
    return;
  }
  CheckPlain(first.method_text);
  CheckPlain(first.target);
  CheckPlain(first.authority);
  CHECK(!first.target.empty());
  CHECK(!first.authority.empty() || first.version == Version::kHttp10);
  CheckFraming(first.fields, first.framing);
  CHECK(first.framing != BodyFraming::kUntilClose);

  static std::array<char, 512 * 1024> buffer;
  ByteWriter out(buffer.data(), buffer.size());
  const bool http10 = first.version == Version::kHttp10;
  if (http10) {
    // The writer knows 1.1 only, and Host and Expect have other rules there.
    out.Append(first.method_text);
    out.Append(" ");
    out.Append(first.target);
    out.Append(" HTTP/1.0\r\n");
  } else {
    WriteRequestLine(first.method_text, first.target, &out);
  }
  WriteFields(first.fields, &out);
  WriteEndOfHead(&out);
  CHECK(!out.overflowed());
  CHECK(ParseRequestHead(out.view(), {.head_bytes_max = buffer.size()}, &second) ==
        HeadError::kNone);
  CHECK(second.method == first.method);
  CHECK(second.method_text == first.method_text);
  CHECK(second.target == first.target);
  CHECK(EqualsIgnoreCase(second.authority, first.authority) || http10);
  CHECK(second.version == first.version);
  CHECK(second.framing == first.framing);
  CHECK(second.content_length == first.content_length);
  CHECK(second.keep_alive == first.keep_alive);
  CHECK(second.expect_continue == first.expect_continue);
  CheckSameFields(first.fields, second.fields);
}

void CheckResponse(std::string_view head, Method method, const HeadLimits& limits) {
  static ResponseHead first;
  static ResponseHead second;
  if (ParseResponseHead(head, method, limits, &first) != HeadError::kNone) {
    return;
  }
  CheckPlain(first.reason);
  CHECK(first.status >= 100 && first.status <= 599);
  CheckFraming(first.fields, first.framing);
  CHECK(first.framing != BodyFraming::kUntilClose || !first.keep_alive);
  CHECK(method != Method::kHead || first.framing == BodyFraming::kNone);
  if (first.version == Version::kHttp10) {
    return;
  }
  static std::array<char, 512 * 1024> buffer;
  ByteWriter out(buffer.data(), buffer.size());
  WriteStatusLine(first.status, first.reason, &out);
  WriteFields(first.fields, &out);
  WriteEndOfHead(&out);
  CHECK(!out.overflowed());
  CHECK(ParseResponseHead(out.view(), method, {.head_bytes_max = buffer.size()}, &second) ==
        HeadError::kNone);
  CHECK(second.status == first.status);
  CHECK(second.reason == first.reason);
  CHECK(second.framing == first.framing);
  CHECK(second.content_length == first.content_length);
  CHECK(second.keep_alive == first.keep_alive);
  CheckSameFields(first.fields, second.fields);
}

void Run(uint8_t choice, std::string_view bytes) {
  const bool request = (choice & 1) != 0;
  const HeadLimits limits = (choice & 2) != 0 ? kSmallLimits : HeadLimits{};
  const size_t step = 1 + (choice >> 4);

  HeadScanner whole;
  whole.Reset(limits, request);
  const HeadScanner::Status status = whole.Scan(bytes);
  HeadScanner pieces;
  pieces.Reset(limits, request);
  HeadScanner::Status status_of_pieces = HeadScanner::Status::kNeedMore;
  for (size_t size = 0; size < bytes.size(); size += step) {
    status_of_pieces = pieces.Scan(bytes.substr(0, size));
  }
  status_of_pieces = pieces.Scan(bytes);
  CHECK(status == status_of_pieces);
  CHECK(whole.error() == pieces.error());
  CHECK((status == HeadScanner::Status::kError) == (whole.error() != HeadError::kNone));

  std::string_view head =
      bytes;  // the parsers must stand anything, not only what the scanner lets through
  if (status == HeadScanner::Status::kComplete) {
    CHECK(whole.head_begin() == pieces.head_begin());
    CHECK(whole.head_end() == pieces.head_end());
    head = bytes.substr(whole.head_begin(), whole.head_end() - whole.head_begin());
    CHECK(head.find("\r\n\r\n") == head.size() - 4);
  }
  if (request) {
    CheckRequest(head, limits);
  } else {
    CheckResponse(head, (choice & 4) != 0 ? Method::kHead : Method::kGet, limits);
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
