#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "src/config/checks.h"
#include "src/config/convert.h"
#include "src/config/field_enum.h"
#include "src/config/schema.h"
#include "src/config/words.h"

namespace postern::config {
namespace {

constexpr int kAllowedSansMax = 100;
constexpr Range kVerifyDepthRange = {1, 10};
constexpr Range kRsaBitsRange = {2'048, 8'192, " bits"};

// The fields that ClientAuth and Trust share have the same numbers in both, so that one reader
// serves both.
using P = proto::ClientAuth;
using T = proto::Trust;
static_assert(static_cast<int>(P::kCaFilesFieldNumber) == T::kCaFilesFieldNumber);
static_assert(static_cast<int>(P::kVerifyDepthFieldNumber) == T::kVerifyDepthFieldNumber);
static_assert(static_cast<int>(P::kCaDirectoriesFieldNumber) == T::kCaDirectoriesFieldNumber);
static_assert(static_cast<int>(P::kIntermediateFilesFieldNumber) ==
              T::kIntermediateFilesFieldNumber);
static_assert(static_cast<int>(P::kCrlFilesFieldNumber) == T::kCrlFilesFieldNumber);
static_assert(static_cast<int>(P::kCrlScopeFieldNumber) == T::kCrlScopeFieldNumber);
static_assert(static_cast<int>(P::kStaleCrlFieldNumber) == T::kStaleCrlFieldNumber);
static_assert(static_cast<int>(P::kMissingCrlFieldNumber) == T::kMissingCrlFieldNumber);
static_assert(static_cast<int>(P::kRsaBitsMinFieldNumber) == T::kRsaBitsMinFieldNumber);
static_assert(static_cast<int>(P::kAllowedSansFieldNumber) == T::kAllowedSansFieldNumber);

void ConvertAllowedSans(const FieldReader& reader, std::vector<SanPattern>* out) {
  constexpr int kNumber = P::kAllowedSansFieldNumber;
  std::vector<std::string> texts;
  if (!reader.ReadTexts(kNumber, kAllowedSansMax, "write for example dns:*.example.com", &texts)) {
    return;
  }
  out->clear();
  for (size_t i = 0; i < texts.size(); ++i) {
    SanPattern pattern;
    if (const std::string problem = ParseSanPattern(texts[i], &pattern); problem.empty()) {
      out->push_back(std::move(pattern));
    } else {
      reader.Error(kNumber, absl::StrCat(Quote(texts[i]), " ", problem), static_cast<int>(i));
    }
  }
}

// Sets what is given and leaves the rest.
void ConvertTrust(const FieldReader& reader, TrustConfig* out) {
  reader.ReadTexts(P::kCaFilesFieldNumber, kFilesMax,
                   "name a PEM file with CA certificates that vouch for clients", &out->ca_files);
  reader.ReadTexts(P::kCaDirectoriesFieldNumber, kFilesMax,
                   "name a directory with PEM files of CA certificates", &out->ca_directories);
  reader.ReadTexts(P::kIntermediateFilesFieldNumber, kFilesMax,
                   "name a PEM file with CA certificates", &out->intermediate_files);
  reader.ReadTexts(P::kCrlFilesFieldNumber, kFilesMax, "name a file with revocation lists",
                   &out->crl_files);
  ReadEnum(reader, P::kCrlScopeFieldNumber, kCrlScopes, &out->crl_scope);
  ReadEnum(reader, P::kStaleCrlFieldNumber, kStaleCrls, &out->stale_crl);
  ReadEnum(reader, P::kMissingCrlFieldNumber, kMissingCrls, &out->missing_crl);
  reader.ReadNumber(P::kVerifyDepthFieldNumber, kVerifyDepthRange, &out->verify_depth);
  reader.ReadNumber(P::kRsaBitsMinFieldNumber, kRsaBitsRange, &out->rsa_bits_min);
  ConvertAllowedSans(reader, &out->allowed_sans);
}

// The fields that are given and of which only a mode that checks certificates makes use.
std::vector<int> FieldsOfTrust(const FieldReader& reader) {
  std::vector<int> given;
  for (const int number :
       {P::kCaFilesFieldNumber, P::kCaDirectoriesFieldNumber, P::kIntermediateFilesFieldNumber,
        P::kCrlFilesFieldNumber, P::kAllowedSansFieldNumber}) {
    if (reader.Count(number) > 0) {
      given.push_back(number);
    }
  }
  for (const int number :
       {P::kCrlScopeFieldNumber, P::kStaleCrlFieldNumber, P::kMissingCrlFieldNumber,
        P::kVerifyDepthFieldNumber, P::kRsaBitsMinFieldNumber, P::kAdvertiseCasFieldNumber,
        P::kCandidateFieldNumber}) {
    if (reader.Has(number)) {
      given.push_back(number);
    }
  }
  return given;
}

void CheckMode(const FieldReader& reader, ClientAuth mode) {
  const std::vector<int> given = FieldsOfTrust(reader);
  switch (mode) {
    case ClientAuth::kOff:
      // Whoever says "off" may keep the rest for later.
      if (!given.empty() && !reader.Has(P::kModeFieldNumber)) {
        reader.Error(P::kModeFieldNumber,
                     "is missing, and what is here keeps nobody out without it; use one of "
                     "require, request, off");
      }
      break;
    case ClientAuth::kRequest:
    case ClientAuth::kRequire:
      if (reader.Count(P::kCaFilesFieldNumber) == 0 &&
          reader.Count(P::kCaDirectoriesFieldNumber) == 0) {
        reader.Error(P::kCaFilesFieldNumber,
                     "is missing; name a PEM file with the CA certificates that vouch for clients");
      }
      break;
    case ClientAuth::kPassthrough:
      for (const int number : given) {
        reader.Error(number,
                     "has no meaning in mode passthrough, where the servers judge who vouches for "
                     "a client; remove it, or use mode require");
      }
      break;
  }
}

void ConvertCandidate(const FieldReader& reader, ClientAuthConfig* out) {
  const FieldReader candidate = reader.Child(P::kCandidateFieldNumber);
  const size_t errors = reader.error_count();
  TrustConfig trust = out->trust;
  ConvertTrust(candidate, &trust);
  if (trust == out->trust && reader.error_count() == errors) {
    reader.Error(P::kCandidateFieldNumber,
                 "is the same as what is in force; say what differs, or remove it");
  }
  out->candidate = std::move(trust);
}

}  // namespace

void ConvertClientAuth(const FieldReader& reader, ClientAuthConfig* out) {
  const bool known = !reader.Has(P::kModeFieldNumber) ||
                     ReadEnum(reader, P::kModeFieldNumber, kClientAuthModes, &out->mode);
  ConvertTrust(reader, &out->trust);
  reader.ReadBool(P::kAdvertiseCasFieldNumber, &out->advertise_cas);
  if (known) {
    CheckMode(reader, out->mode);
  }
  if (reader.Has(P::kCandidateFieldNumber)) {
    ConvertCandidate(reader, out);
  }
}

}  // namespace postern::config
