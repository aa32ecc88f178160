#include "src/tls/pem_use.h"

#include <string.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "src/tls/pem_blocks.h"

namespace postern::tls {
namespace {

enum class Kind : uint8_t {
  kCertificate,
  kList,
  kKey,
  kContainer,   // certificates or lists in a form, or under a name, that is not read
  kParameters,  // of a key; the key repeats them
  kOther,
};
constexpr size_t kKinds = static_cast<size_t>(Kind::kOther) + 1;

enum class Fate : uint8_t { kUsed, kUsedOnce, kUnused, kRefused };

Kind KindOf(std::string_view label) {
  constexpr std::string_view kKeyEnd = "PRIVATE KEY";
  if (IsCertificateLabel(label)) {
    return Kind::kCertificate;
  }
  if (IsListLabel(label)) {
    return Kind::kList;
  }
  if (label.size() >= kKeyEnd.size() && label.substr(label.size() - kKeyEnd.size()) == kKeyEnd) {
    return Kind::kKey;
  }
  for (const std::string_view container :
       {"TRUSTED CERTIFICATE", "PKCS7", "PKCS #7 SIGNED DATA", "CMS"}) {
    if (label == container) {
      return Kind::kContainer;
    }
  }
  // Whatever somebody calls a revocation list, it is meant to count.
  const std::string upper = absl::AsciiStrToUpper({label.data(), label.size()});
  if (absl::StrContains(upper, "CRL") || absl::StrContains(upper, "REVOCATION")) {
    return Kind::kContainer;
  }
  return label == "EC PARAMETERS" ? Kind::kParameters : Kind::kOther;
}

Fate FateOfCertificate(PemUse use) {
  switch (use) {
    case PemUse::kClientCas:
    case PemUse::kServerCas:
    case PemUse::kCertificate:
    case PemUse::kPair:
      return Fate::kUsed;
    case PemUse::kKey:
    case PemUse::kRevocationList:
      return Fate::kUnused;
  }
  return Fate::kRefused;
}

Fate FateOfList(PemUse use) {
  switch (use) {
    case PemUse::kClientCas:
    case PemUse::kRevocationList:
      return Fate::kUsed;
    // Whoever puts a list beside a CA wants it to count, and nobody asks about servers' revocation.
    case PemUse::kServerCas:
      return Fate::kRefused;
    case PemUse::kCertificate:
    case PemUse::kKey:
    case PemUse::kPair:
      return Fate::kUnused;
  }
  return Fate::kRefused;
}

Fate FateOf(Kind kind, PemUse use) {
  const bool has_key = use == PemUse::kKey || use == PemUse::kPair;
  switch (kind) {
    case Kind::kCertificate:
      return FateOfCertificate(use);
    case Kind::kList:
      return FateOfList(use);
    case Kind::kKey:
      return has_key ? Fate::kUsedOnce : Fate::kUnused;
    case Kind::kParameters:
      return has_key ? Fate::kUsed : Fate::kUnused;
    case Kind::kContainer:
      return use == PemUse::kKey ? Fate::kUnused : Fate::kRefused;
    case Kind::kOther:
      return Fate::kUnused;
  }
  return Fate::kRefused;
}

absl::Status Refuse(const PemBlock& block, Kind kind) {
  const char* cure =
      kind == Kind::kList
          ? "revocation lists of servers are not looked at; remove it"
          : "this form is not read; give each object in it as a CERTIFICATE or X509 CRL block";
  return absl::InvalidArgumentError(
      absl::StrCat("line ", block.line, ": ",
                   absl::string_view(block.label.data(), block.label.size()), ": ", cure));
}

std::string Unused(const PemBlock& block, Kind kind, PemUse use, size_t count) {
  const char* cure = "remove it";
  if (kind == Kind::kCertificate && use == PemUse::kRevocationList) {
    cure = "a CA is named in ca_files or intermediate_files";
  } else if (kind == Kind::kKey && (use == PemUse::kKey || use == PemUse::kPair)) {
    cure = "the first key of the file is; remove it";
  }
  return absl::StrCat("line ", block.line, ": ",
                      absl::string_view(block.label.data(), block.label.size()), " is not used",
                      count > 1 ? absl::StrCat(" (nor ", count - 1, " more)") : "", "; ", cure);
}

}  // namespace

absl::StatusOr<PemContents> CheckPem(std::string_view text, PemUse use,
                                     std::vector<std::string>* unused) {
  auto blocks = FindPemBlocks(text);
  if (!blocks.ok()) {
    return blocks.status();
  }
  struct Leftover {
    const PemBlock* first = nullptr;
    size_t count = 0;
  };
  std::array<Leftover, kKinds> leftovers;
  PemContents contents;
  bool has_used_once = false;
  for (const PemBlock& block : *blocks) {
    const Kind kind = KindOf(block.label);
    contents.has_certificates |= kind == Kind::kCertificate;
    contents.has_lists |= kind == Kind::kList;
    const Fate fate = FateOf(kind, use);
    if (fate == Fate::kRefused) {
      return Refuse(block, kind);
    }
    const bool is_used =
        fate == Fate::kUsed || (fate == Fate::kUsedOnce && !std::exchange(has_used_once, true));
    if (!is_used) {
      Leftover& leftover = leftovers[static_cast<size_t>(kind)];
      leftover.first = leftover.count++ == 0 ? &block : leftover.first;
    }
  }
  for (size_t i = 0; i < kKinds; ++i) {
    if (leftovers[i].count > 0) {
      unused->push_back(Unused(*leftovers[i].first, static_cast<Kind>(i), use, leftovers[i].count));
    }
  }
  return contents;
}

void KeepCertificates(std::string* text) {
  auto blocks = FindPemBlocks(*text);
  if (!blocks.ok()) {
    return;
  }
  char* to = text->data();
  const char* from = text->data();
  const char* const end = text->data() + text->size();
  auto keep_until = [&to, &from](const char* until) {
    const auto size = static_cast<size_t>(until - from);
    memmove(to, from, size);
    to += size;
    from = until;
  };
  for (const PemBlock& block : *blocks) {
    if (!IsCertificateLabel(block.label)) {
      keep_until(block.whole.data());
      from += block.whole.size();
      for (const char c : block.whole) {
        if (c == '\n') {
          *to++ = c;
        }
      }
    }
  }
  keep_until(end);
  const auto size = static_cast<size_t>(to - text->data());
  explicit_bzero(to, text->size() - size);
  text->resize(size);
}

}  // namespace postern::tls
