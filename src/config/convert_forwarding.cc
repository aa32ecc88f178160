// What requests are relieved of on their way, and what is written about it.
#include <string>

#include "absl/strings/str_cat.h"
#include "src/config/checks.h"
#include "src/config/convert.h"
#include "src/config/field_enum.h"
#include "src/config/schema.h"
#include "src/config/words.h"

namespace postern::config {
namespace {

constexpr int kRemovedNamesMax = 100;

}  // namespace

void ConvertForwarding(const FieldReader& reader, ForwardingHeaders* out) {
  constexpr int kNumber = proto::Listener::kForwardingHeadersFieldNumber;
  const int count = reader.Count(kNumber);
  if (count == 0 || !reader.CheckCount(kNumber, 1, static_cast<int>(kForwardingHeaders.size()))) {
    return;
  }
  *out = {.x_forwarded_for = false, .x_forwarded_proto = false, .x_forwarded_port = false};
  for (int i = 0; i < count; ++i) {
    bool ForwardingHeaders::*member = nullptr;
    if (!ReadEnum(reader, kNumber, kForwardingHeaders, &member, i)) {
      continue;
    }
    if (member != nullptr) {
      out->*member = true;
    } else if (count > 1) {
      reader.Error(kNumber, "\"none\" stands beside others; remove it, or them", i);
    }
  }
}

void ConvertHeaderNames(const FieldReader& root, Config* config) {
  using P = proto::Config;
  constexpr int kRemoved = P::kRemoveRequestHeadersFieldNumber;
  root.ReadTexts(kRemoved, kRemovedNamesMax, "name a header", &config->remove_request_headers);
  for (size_t i = 0; i < config->remove_request_headers.size(); ++i) {
    const std::string& name = config->remove_request_headers[i];
    if (const std::string problem = RemovedHeaderProblem(name); !problem.empty()) {
      root.Error(kRemoved, absl::StrCat(Quote(name), " ", problem), static_cast<int>(i));
    }
  }
  if (root.ReadText(P::kViaNameFieldNumber, &config->via_name)) {
    root.CheckText(P::kViaNameFieldNumber, ViaNameProblem, config->via_name);
  }
}

}  // namespace postern::config
