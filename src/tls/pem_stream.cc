#include "src/tls/pem_stream.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "src/tls/pem_base64.h"

namespace postern::tls {
namespace {

constexpr std::string_view kBegin = "-----BEGIN X509 CRL-----";
constexpr std::string_view kEnd = "-----END X509 CRL-----";
// DER begins with a SEQUENCE of at least 128 bytes, whose second byte is no character of a text. A
// shorter list is taken for DER when no PEM is in it.
bool IsDer(std::string_view contents) {
  return contents.size() >= 2 && contents[0] == '\x30' &&
         ((static_cast<uint8_t>(contents[1]) & 0x80) != 0 ||
          contents.find(kBegin) == std::string_view::npos);
}

}  // namespace

absl::StatusOr<std::vector<std::span<const uint8_t>>> DecodeCrlFile(
    std::string* contents, const std::function<void()>& pulse) {
  const std::string_view text = *contents;
  std::vector<std::span<const uint8_t>> lists;
  if (text.empty()) {
    return absl::InvalidArgumentError(
        "the file is empty; give the CA's list, or remove the file from the configuration");
  }
  if (IsDer(text)) {
    lists.emplace_back(reinterpret_cast<const uint8_t*>(text.data()), text.size());
    return lists;
  }
  size_t at = 0;
  for (;;) {
    const size_t begin = text.find(kBegin, at);
    // An end without its beginning: a line was damaged, and a list would silently be left out.
    if (text.substr(0, begin).find(kEnd, at) != std::string_view::npos) {
      return absl::InvalidArgumentError(absl::StrCat("PEM block number ", lists.size() + 1,
                                                     " has an END line without its BEGIN line"));
    }
    if (begin == std::string_view::npos) {
      break;
    }
    const size_t body = begin + kBegin.size();
    const size_t end = text.find(kEnd, body);
    if (end == std::string_view::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat("PEM block number ", lists.size() + 1,
                       " has no END line: the file is cut short; fetch it again"));
    }
    const auto der = DecodeBase64InPlace(contents->data() + body, end - body, pulse);
    if (!der.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat("PEM block number ", lists.size() + 1,
                       " is not base64: the file is damaged; fetch it again"));
    }
    lists.push_back(*der);
    at = end + kEnd.size();
  }
  if (lists.empty()) {
    return absl::InvalidArgumentError(
        "there is no CRL in it; expected PEM with '-----BEGIN X509 CRL-----', or DER");
  }
  return lists;
}

}  // namespace postern::tls
