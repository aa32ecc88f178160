// HTTP/1.1 bodies: finding where they end (RFC 9112, sections 6 and 7). Sans-I/O; holds no memory
// but a pooled block while there are trailers.
#ifndef POSTERN_SRC_HTTP_H1_BODY_H_
#define POSTERN_SRC_HTTP_H1_BODY_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "src/base/block_pool.h"
#include "src/http/message.h"

namespace postern::http {

enum class BodyError : uint8_t {
  kNone,
  kBadChunkSize,      // not 1*16HEXDIG, bare LF, bad or overlong extension
  kBadChunkEnd,       // chunk data not followed by CRLF
  kBadTrailer,        // a trailer line that is no field, or one of framing or of the connection
  kTrailersTooLarge,  // more than kTrailerBytesMax or kFieldsMax
  kTruncated,         // the connection ended inside the body
};

std::string_view NameOf(BodyError error);

// The most bytes of a trailer section. gRPC's trailers are well below; larger is refused.
inline constexpr size_t kTrailerBytesMax = base::BlockBytes(base::BlockClass::k4k);
// The most bytes of chunk extensions on one chunk; they are dropped, but reading them must not be
// free of charge.
inline constexpr size_t kChunkExtensionBytesMax = 256;

class BodyDecoder {
 public:
  enum class Status : uint8_t {
    kNeedMore,  // everything of the input was consumed
    kData,      // `data` is body; call again with the rest of the input
    kEnd,    // the body (and trailers) ended; what follows `consumed` belongs to the next message
    kError,  // see error(); the connection cannot be used further
  };
  struct Result {
    Status status = Status::kNeedMore;
    size_t consumed = 0;    // bytes taken off the front of the input, framing and `data` together
    std::string_view data;  // kData: a part of the input
  };

  // `pool` outlives the decoder.
  explicit BodyDecoder(base::BlockPool* pool) : pool_(pool) {}
  ~BodyDecoder() { DropTrailers(); }
  BodyDecoder(const BodyDecoder&) = delete;
  BodyDecoder& operator=(const BodyDecoder&) = delete;

  // For kNone the first Decode answers kEnd without consuming anything.
  void Start(BodyFraming framing, uint64_t content_length);

  // Takes the next piece off the front of `input` (any split, also byte by byte). Yields at most
  // one span of data.
  [[nodiscard]] Result Decode(std::string_view input);

  // The peer ended its side. kNone if the body is complete with that (kUntilClose, or already
  // ended).
  [[nodiscard]] BodyError OnEndOfInput();

  bool ended() const { return state_ == State::kEnded; }
  BodyError error() const { return error_; }
  // Bytes of data handed out since Start.
  uint64_t body_bytes() const { return body_bytes_; }
  // Bytes still to come for kLength; for the current chunk in kChunked.
  uint64_t remaining() const { return remaining_; }
  // After kEnd of a chunked body, until the next Start or DropTrailers: views into this decoder.
  void ReadTrailers(FieldList* out) const;
  // Gives their memory back.
  void DropTrailers();

 private:
  enum class State : uint8_t {
    kLength,
    kUntilClose,
    kChunkSize,
    kChunkExtension,
    kChunkSizeLf,
    kChunkData,
    kChunkDataCr,
    kChunkDataLf,
    kTrailerSection,
    kEnded,
    kFailed,
  };
  // Inside chunk extensions (RFC 9112, 7.1.1): what was read last.
  enum class Extension : uint8_t {
    kSpaceBeforeSemicolon,
    kSemicolon,
    kName,
    kSpaceBeforeEquals,  // white space after a name: "=" or the next ";" follows
    kEquals,
    kToken,
    kQuoted,
    kQuotedPair,  // the backslash
    kQuotedEnd,
  };
  Result Fail(BodyError error, size_t consumed);
  Result TakeData(std::string_view input, size_t offset);
  Result DecodeChunked(std::string_view input);
  // Each takes one byte.
  BodyError TakeFraming(char c);
  BodyError TakeChunkSize(char c);
  BodyError TakeExtension(char c);
  BodyError TakeTrailer(char c);
  BodyError EndTrailerLine();

  State state_ = State::kEnded;
  Extension extension_ = Extension::kSemicolon;
  BodyError error_ = BodyError::kNone;
  uint8_t size_digits_ = 0;
  uint16_t extension_bytes_ = 0;
  uint16_t trailer_bytes_ = 0;
  uint16_t trailer_line_start_ = 0;
  uint64_t remaining_ = 0;
  uint64_t body_bytes_ = 0;
  base::BlockPool* pool_;
  char* trailer_lines_ = nullptr;  // whole lines, of which there are trailer_fields_, and one more
  uint16_t trailer_fields_ = 0;
};

}  // namespace postern::http

#endif  // POSTERN_SRC_HTTP_H1_BODY_H_
