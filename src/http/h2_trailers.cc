#include "src/http/h2_trailers.h"

namespace postern::http {

bool H2Trailers::Parse(std::string_view lines, HeadError error) {
  auto feed = [this](std::string_view bytes) {
    return decoder_.Decode(bytes).status != BodyDecoder::Status::kError;
  };
  decoder_.Start(BodyFraming::kChunked, 0);
  return error == HeadError::kNone && feed("0\r\n") && feed(lines) && feed("\r\n");
}

}  // namespace postern::http
