// What the tests of the HTTP/1.1 codec share: every input is fed in one piece, byte by byte, and at
// every split point, and must come out the same.
#ifndef POSTERN_SRC_HTTP_H1_TEST_UTIL_H_
#define POSTERN_SRC_HTTP_H1_TEST_UTIL_H_

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "src/base/blocks_test_util.h"
#include "src/http/h1_body.h"
#include "src/http/h1_parser.h"

namespace postern::http {

struct Scanned {
  HeadScanner::Status status = HeadScanner::Status::kNeedMore;
  HeadError error = HeadError::kNone;
  size_t begin = 0;
  size_t end = 0;
  bool operator==(const Scanned&) const = default;
};

// Feeds `bytes` in growing prefixes that end at `ends`, then whole.
inline Scanned ScanAt(std::string_view bytes, const std::vector<size_t>& ends,
                      const HeadLimits& limits, bool skip_empty_lines) {
  HeadScanner scanner;
  scanner.Reset(limits, skip_empty_lines);
  HeadScanner::Status status = HeadScanner::Status::kNeedMore;
  for (const size_t end : ends) {
    status = scanner.Scan(bytes.substr(0, end));
  }
  status = scanner.Scan(bytes);
  return {status, scanner.error(), scanner.head_begin(), scanner.head_end()};
}

inline Scanned ScanEveryWay(std::string_view bytes, const HeadLimits& limits = {},
                            bool skip_empty_lines = true) {
  const Scanned whole = ScanAt(bytes, {}, limits, skip_empty_lines);
  std::vector<size_t> every_byte;
  for (size_t i = 1; i < bytes.size(); ++i) {
    every_byte.push_back(i);
    EXPECT_EQ(whole, ScanAt(bytes, {i}, limits, skip_empty_lines)) << "split at " << i;
  }
  EXPECT_EQ(whole, ScanAt(bytes, every_byte, limits, skip_empty_lines)) << "byte by byte";
  return whole;
}

// Heads that own what they point into.
struct Request : RequestHead {
  std::string bytes;
};
struct Response : ResponseHead {
  std::string bytes;
};

// Scans every way and parses what was found. An incomplete head is a test error.
inline HeadError ReadRequest(std::string_view input, Request* out, const HeadLimits& limits = {}) {
  out->bytes = input;
  const std::string_view bytes = out->bytes;
  const Scanned scanned = ScanEveryWay(bytes, limits);
  if (scanned.status != HeadScanner::Status::kComplete) {
    EXPECT_EQ(scanned.status, HeadScanner::Status::kError) << "incomplete: " << bytes;
    return scanned.error;
  }
  return ParseRequestHead(bytes.substr(scanned.begin, scanned.end - scanned.begin), limits, out);
}

inline HeadError ReadResponse(std::string_view input, Method request_method, Response* out,
                              const HeadLimits& limits = {}) {
  out->bytes = input;
  const std::string_view bytes = out->bytes;
  const Scanned scanned = ScanEveryWay(bytes, limits, false);
  if (scanned.status != HeadScanner::Status::kComplete) {
    EXPECT_EQ(scanned.status, HeadScanner::Status::kError) << "incomplete: " << bytes;
    return scanned.error;
  }
  return ParseResponseHead(bytes.substr(0, scanned.end), request_method, limits, out);
}

struct Decoded {
  BodyDecoder::Status status = BodyDecoder::Status::kNeedMore;
  BodyError error = BodyError::kNone;
  std::string body = {};
  std::string trailers = {};
  size_t consumed = 0;
  bool operator==(const Decoded&) const = default;
};

// Feeds `bytes` cut at `cuts`, which grow.
inline Decoded DecodeAt(std::string_view bytes, const std::vector<size_t>& cuts,
                        BodyFraming framing, uint64_t length) {
  BodyDecoder decoder(base::TestBlocks());
  decoder.Start(framing, length);
  Decoded result;
  size_t begin = 0;
  for (size_t i = 0; i <= cuts.size(); ++i) {
    const size_t end = i < cuts.size() ? cuts[i] : bytes.size();
    std::string_view piece = bytes.substr(begin, end - begin);
    do {
      const BodyDecoder::Result step = decoder.Decode(piece);
      result.status = step.status;
      result.body += step.data;
      result.consumed += step.consumed;
      piece.remove_prefix(step.consumed);
    } while (result.status == BodyDecoder::Status::kData && !(piece.empty() && end < bytes.size()));
    begin = end;
  }
  EXPECT_EQ(result.body.size(), decoder.body_bytes());
  result.error = decoder.error();
  FieldList trailers;
  decoder.ReadTrailers(&trailers);
  for (const Field& field : trailers) {
    result.trailers += std::string(field.name) + "=" + std::string(field.value) + ";";
  }
  return result;
}

inline Decoded DecodeEveryWay(std::string_view bytes, BodyFraming framing = BodyFraming::kChunked,
                              uint64_t length = 0) {
  const Decoded whole = DecodeAt(bytes, {}, framing, length);
  std::vector<size_t> every_byte;
  for (size_t i = 1; i < bytes.size(); ++i) {
    every_byte.push_back(i);
    EXPECT_EQ(whole, DecodeAt(bytes, {i}, framing, length)) << "split at " << i;
  }
  EXPECT_EQ(whole, DecodeAt(bytes, every_byte, framing, length)) << "byte by byte";
  return whole;
}

// Readable failures.
inline void PrintTo(HeadError error, std::ostream* out) {
  *out << NameOf(error);
}
inline void PrintTo(BodyError error, std::ostream* out) {
  *out << NameOf(error);
}
inline void PrintTo(const Decoded& decoded, std::ostream* out) {
  *out << static_cast<int>(decoded.status) << " " << NameOf(decoded.error) << " body '"
       << decoded.body << "' trailers '" << decoded.trailers << "' consumed " << decoded.consumed;
}
inline void PrintTo(const Scanned& scanned, std::ostream* out) {
  *out << static_cast<int>(scanned.status) << " " << NameOf(scanned.error) << " [" << scanned.begin
       << ", " << scanned.end << ")";
}

}  // namespace postern::http

#endif  // POSTERN_SRC_HTTP_H1_TEST_UTIL_H_
