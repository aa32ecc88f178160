#include "src/tls/pem_blocks.h"

#include <algorithm>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace postern::tls {
namespace {

constexpr std::string_view kDashes = "-----";
constexpr std::string_view kBeginPrefix = "-----BEGIN ";
constexpr std::string_view kEndPrefix = "-----END ";
constexpr std::string_view kBlank = " \t\r\n";

// A line of the text that has five dashes.
struct Boundary {
  enum class Kind : uint8_t { kText, kBegin, kEnd, kDamaged };
  Kind kind = Kind::kText;
  std::string_view label = {};
  size_t begin = 0;
  size_t end = 0;
  size_t line = 0;
};

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::string_view LabelOf(std::string_view line, std::string_view prefix) {
  line.remove_prefix(prefix.size());
  line.remove_suffix(std::min(kDashes.size(), line.size()));
  return line;
}

void Classify(std::string_view line, Boundary* out) {
  const size_t first = line.find_first_not_of(kBlank);
  line = line.substr(first, line.find_last_not_of(kBlank) + 1 - first);
  if (line[0] == '#') {
    return;  // somebody's comment
  }
  for (const std::string_view prefix : {kBeginPrefix, kEndPrefix}) {
    if (line.substr(0, prefix.size()) != prefix) {
      continue;
    }
    out->label = LabelOf(line, prefix);
    const bool whole = line.substr(line.size() - kDashes.size()) == kDashes &&
                       !out->label.empty() && !Contains(out->label, "-");
    out->kind = !whole                   ? Boundary::Kind::kDamaged
                : prefix == kBeginPrefix ? Boundary::Kind::kBegin
                                         : Boundary::Kind::kEnd;
    return;
  }
  const bool is_meant = Contains(line, kBeginPrefix) || Contains(line, kEndPrefix) ||
                        (line[0] == '-' && (Contains(line, "BEGIN") || Contains(line, "END ")));
  out->kind = is_meant ? Boundary::Kind::kDamaged : Boundary::Kind::kText;
}

size_t LinesIn(std::string_view text) {
  // A search for each end of a line is several times as fast as a look at each byte.
  size_t lines = 0;
  for (size_t at = 0; (at = text.find('\n', at)) != std::string_view::npos; ++at) {
    ++lines;
  }
  return lines;
}

// The next line with dashes; `out`: the one before, or one of nothing.
bool FindBoundary(std::string_view text, Boundary* out) {
  const size_t at = out->end;
  const size_t dashes = text.find(kDashes, at);
  if (dashes == std::string_view::npos) {
    return false;
  }
  const size_t line = out->line + LinesIn(text.substr(at, dashes - at));
  *out = {.line = line};
  const size_t before =
      dashes == at ? std::string_view::npos : text.substr(at, dashes - at).rfind('\n');
  out->begin = before == std::string_view::npos ? at : at + before + 1;
  out->end = std::min(text.find('\n', dashes), text.size());
  Classify(text.substr(out->begin, out->end - out->begin), out);
  return true;
}

absl::Status At(const Boundary& line, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("line ", line.line, ": ", what));
}

absl::Status CutShort(const Boundary& begin) {
  return At(begin, "this block has no END line: the file is cut short or damaged; fetch it again");
}

}  // namespace

absl::StatusOr<std::vector<PemBlock>> FindPemBlocks(std::string_view text) {
  std::vector<PemBlock> blocks;
  if (IsDer(text)) {
    return blocks;
  }
  Boundary begin;
  Boundary line = {.line = 1};
  bool inside = false;
  while (FindBoundary(text, &line)) {
    if (line.kind == Boundary::Kind::kDamaged) {
      return At(line,
                "a damaged BEGIN or END line; it stands alone, with five dashes on both sides (is "
                "the end of a line missing where two files were joined?)");
    }
    if (line.kind == Boundary::Kind::kText && !inside) {
      continue;
    }
    if (!inside && line.kind == Boundary::Kind::kEnd) {
      return At(line, "an END line without its BEGIN line");
    }
    if (!inside) {
      begin = line;
      inside = true;
      continue;
    }
    if (line.kind != Boundary::Kind::kEnd || line.label != begin.label) {
      return CutShort(begin);
    }
    inside = false;
    blocks.push_back({begin.label, text.substr(begin.end, line.begin - begin.end),
                      text.substr(begin.begin, line.end - begin.begin), begin.line});
  }
  if (inside) {
    return CutShort(begin);
  }
  return blocks;
}

bool IsDer(std::string_view contents) {
  return contents.size() >= 2 && contents[0] == '\x30' &&
         ((static_cast<uint8_t>(contents[1]) & 0x80) != 0 || !Contains(contents, kBeginPrefix));
}

bool IsCertificateLabel(std::string_view label) {
  return label == "CERTIFICATE" || label == "X509 CERTIFICATE";
}

bool IsListLabel(std::string_view label) {
  return label == "X509 CRL";
}

}  // namespace postern::tls
