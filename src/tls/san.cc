#include "src/tls/san.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstring>

namespace postern::tls {
namespace {

using Type = config::SanPattern::Type;

std::string Folded(std::string_view text) {
  std::string folded(text);
  std::transform(folded.begin(), folded.end(), folded.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return folded;
}

bool IsPlain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

}  // namespace

std::vector<San> SansOf(X509* certificate) {
  std::vector<San> sans;
  bssl::UniquePtr<GENERAL_NAMES> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  ERR_clear_error();
  for (const GENERAL_NAME* name : names.get()) {
    San san;
    switch (name->type) {
      case GEN_DNS:
        san.type = Type::kDns;
        break;
      case GEN_URI:
        san.type = Type::kUri;
        break;
      case GEN_EMAIL:
        san.type = Type::kEmail;
        break;
      default:
        continue;
    }
    // All three are IA5Strings in the same place of the union.
    const ASN1_STRING* text = name->d.ia5;
    san.text.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                    static_cast<size_t>(ASN1_STRING_length(text)));
    if (!san.text.empty() && IsPlain(san.text)) {
      sans.push_back(std::move(san));
    }
  }
  return sans;
}

bool MatchesGlob(std::string_view pattern, std::string_view text) {
  const size_t first = pattern.find('*');
  if (first == std::string_view::npos) {
    return pattern == text;
  }
  const size_t last = pattern.rfind('*');
  const std::string_view begin = pattern.substr(0, first);
  const std::string_view end = pattern.substr(last + 1);
  if (text.size() < begin.size() + end.size() || !text.starts_with(begin) || !text.ends_with(end)) {
    return false;
  }
  text = text.substr(begin.size(), text.size() - begin.size() - end.size());
  // What stands between two stars is found as early as it can be, which leaves most to the rest.
  for (size_t at = first; at != last;) {
    const size_t next = pattern.find('*', at + 1);
    const std::string_view part = pattern.substr(at + 1, next - at - 1);
    // Of linear time, unlike string_view's.
    const void* found = memmem(text.data(), text.size(), part.data(), part.size());
    if (found == nullptr) {
      return false;
    }
    text.remove_prefix(static_cast<size_t>(static_cast<const char*>(found) - text.data()) +
                       part.size());
    at = next;
  }
  return true;
}

bool IsAllowed(std::span<const config::SanPattern> patterns, std::span<const San> sans) {
  for (const San& san : sans) {
    std::string text = san.type == Type::kUri ? san.text : Folded(san.text);
    for (const config::SanPattern& pattern : patterns) {
      if (pattern.type == san.type && MatchesGlob(pattern.pattern, text)) {
        return true;
      }
    }
  }
  return false;
}

std::string XfccNames(std::span<const San> sans) {
  std::string text;
  for (Type type : {Type::kUri, Type::kDns}) {
    for (const San& san : sans) {
      // No URI and no host name has a quotation mark or a backslash (RFC 3986, 2), and readers of
      // such values disagree about what they mean.
      if (san.type != type || san.text.find_first_of("\"\\") != std::string::npos) {
        continue;
      }
      text += type == Type::kUri ? ";URI=" : ";DNS=";
      bool quoted = san.text.find_first_of(",;= ") != std::string::npos;
      text += quoted ? "\"" + san.text + "\"" : san.text;
    }
  }
  return text;
}

}  // namespace postern::tls
