#include "src/tls/pem_blocks.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace postern::tls {
namespace {

constexpr std::string_view kDashes = "-----";
constexpr std::string_view kBeginPrefix = "-----BEGIN ";
constexpr std::string_view kEndPrefix = "-----END ";
constexpr std::string_view kBlank = " \t\r\n";
constexpr char kDamagedLine[] =
    "a damaged BEGIN or END line; it stands alone, with five dashes on both sides (is the end of a "
    "line missing where two files were joined?)";

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

bool IsControl(char c) {
  const auto byte = static_cast<uint8_t>(c);
  return (byte < 0x20 && c != '\t' && c != '\r' && c != '\n' && c != '\f') || byte == 0x7f;
}

// A line of an encoded object. What has hexadecimal digits alone may be a fingerprint.
bool IsBase64(std::string_view line) {
  constexpr size_t kShortest = 48;
  const size_t size = line.find_last_not_of('=') + 1;
  if (size < kShortest || line.size() - size > 2) {
    return false;
  }
  line = line.substr(0, size);
  const auto digit = [](char c) { return absl::ascii_isalnum(static_cast<uint8_t>(c)); };
  const auto hex = [](char c) { return absl::ascii_isxdigit(static_cast<uint8_t>(c)); };
  return std::all_of(line.begin(), line.end(),
                     [&digit](char c) { return digit(c) || c == '+' || c == '/'; }) &&
         !std::all_of(line.begin(), line.end(), hex);
}

// With too few dashes, those of a word processor, or small letters.
bool IsAlmostBoundary(std::string_view line) {
  const bool dashes = line[0] == '-' || (line[0] & 0x80) != 0;
  std::string text(dashes ? line : std::string_view());
  absl::AsciiStrToLower(&text);
  const bool ends = Contains(text, "begin ") || Contains(text, "end ");
  return ends &&
         (Contains(text, "certificate") || Contains(text, " crl") || Contains(text, " key"));
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

// What has no place in explanatory text: an object that is not as it should be.
const char* ProblemOf(std::string_view line) {
  const size_t first = line.find_first_not_of(kBlank);
  if (first == std::string_view::npos) {
    return nullptr;
  }
  line = line.substr(first, line.find_last_not_of(kBlank) + 1 - first);
  if (std::any_of(line.begin(), line.end(), IsControl)) {
    return "bytes that are no text (DER?); an object in DER is alone in its file, others are PEM";
  }
  if (line[0] == '#') {
    return nullptr;  // somebody's comment
  }
  if (IsBase64(line)) {
    return "base64 without a BEGIN line in front of it";
  }
  return IsAlmostBoundary(line) ? kDamagedLine : nullptr;
}

// `text`, outside of blocks, begins in the line `line`.
absl::Status CheckText(std::string_view text, size_t line) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (const char* problem = ProblemOf(text.substr(0, end))) {
      return At({.line = line}, problem);
    }
    text.remove_prefix(std::min(end + 1, text.size()));
    ++line;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<PemBlock>> FindPemBlocks(std::string_view text) {
  std::vector<PemBlock> blocks;
  if (IsDer(text)) {
    return blocks;
  }
  Boundary begin;
  Boundary line = {.line = 1};
  Boundary last;  // the END line of the block before
  last.line = 1;
  bool inside = false;
  const auto check_text = [&text, &last](size_t end) {
    return CheckText(text.substr(last.end, end - last.end), last.line);
  };
  while (FindBoundary(text, &line)) {
    if (line.kind == Boundary::Kind::kDamaged) {
      return At(line, kDamagedLine);
    }
    if (line.kind == Boundary::Kind::kText && !inside) {
      continue;
    }
    if (!inside && line.kind == Boundary::Kind::kEnd) {
      return At(line, "an END line without its BEGIN line");
    }
    if (!inside) {
      if (absl::Status status = check_text(line.begin); !status.ok()) {
        return status;
      }
      begin = line;
      inside = true;
      continue;
    }
    if (line.kind != Boundary::Kind::kEnd || line.label != begin.label) {
      return CutShort(begin);
    }
    inside = false;
    last = line;
    blocks.push_back({begin.label, text.substr(begin.end, line.begin - begin.end),
                      text.substr(begin.begin, line.end - begin.begin), begin.line});
  }
  if (inside) {
    return CutShort(begin);
  }
  if (absl::Status status = check_text(text.size()); !status.ok()) {
    return status;
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
