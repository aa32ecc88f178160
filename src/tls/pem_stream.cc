#include "src/tls/pem_stream.h"

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "src/tls/pem_base64.h"
#include "src/tls/pem_blocks.h"

namespace postern::tls {

absl::StatusOr<std::vector<FileCrl>> DecodeCrlFile(std::string* contents) {
  const std::string_view text = *contents;
  std::vector<FileCrl> lists;
  if (text.empty()) {
    return absl::InvalidArgumentError(
        "the file is empty; give the CA's list, or remove the file from the configuration");
  }
  if (IsDer(text)) {
    lists.push_back({{reinterpret_cast<const uint8_t*>(text.data()), text.size()}, 0});
    return lists;
  }
  auto blocks = FindPemBlocks(text);
  if (!blocks.ok()) {
    return blocks.status();
  }
  for (const PemBlock& block : *blocks) {
    if (!IsListLabel(block.label)) {
      continue;
    }
    char* begin = contents->data() + (block.body.data() - text.data());
    const auto der = DecodeBase64InPlace(begin, block.body.size());
    if (!der.has_value()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "line ", block.line, ": the CRL is not base64: the file is damaged; fetch it again"));
    }
    lists.push_back({*der, block.line});
  }
  if (lists.empty()) {
    return absl::InvalidArgumentError(
        "there is no CRL in it; expected PEM with '-----BEGIN X509 CRL-----', or DER");
  }
  return lists;
}

}  // namespace postern::tls
