#include "tools/ca/hints.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace postern::ca {
namespace {

// Where README's examples listen.
constexpr absl::string_view kPort = "8443";

std::string Absolute(const std::string& path) {
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  return error ? path : absolute.lexically_normal().string();
}

std::string Argument(const std::string& path) {
  return ShellQuote(Absolute(path));
}

// A string of the configuration's text format.
std::string Quoted(const std::string& path) {
  return absl::StrCat("\"", absl::Utf8SafeCEscape(Absolute(path)), "\"");
}

// What lets in the clients for which an authority vouches.
std::string Trust(const std::string& authority) {
  return absl::StrCat(
      "flags of postern:  --client_auth=require --client_ca=", Argument(authority), "\n",
      "or in its file:    client_auth { mode: \"require\" ca_files: ", Quoted(authority), " }\n");
}

// Asks the server of this name, on this machine.
std::string CurlTo(const std::string& name) {
  if (absl::StrContains(name, ':')) {
    return absl::StrCat(ShellQuote(absl::StrCat("https://[", name, "]:", kPort, "/")));
  }
  const bool address = std::all_of(
      name.begin(), name.end(), [](unsigned char c) { return absl::ascii_isdigit(c) || c == '.'; });
  if (address) {
    return absl::StrCat("https://", name, ":", kPort, "/");
  }
  const std::string host = absl::StrReplaceAll(name, {{"*", "www"}});
  return absl::StrCat("--resolve ", host, ":", kPort, ":127.0.0.1 https://", host, ":", kPort, "/");
}

}  // namespace

std::string ShellQuote(absl::string_view text) {
  const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || absl::StrContains("/._-+=:,@%", static_cast<char>(c));
  });
  return plain ? std::string(text)
               : absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

std::string Hints(HintFor purpose, const HintInput& input) {
  const std::string& file = input.certificate;
  switch (purpose) {
    case HintFor::kAuthority:
      return Trust(file);
    case HintFor::kServer:
      return absl::StrCat("flags of postern:  --listen=0.0.0.0:", kPort, " --cert=", Argument(file),
                          " --key=", Argument(input.key), "\n",
                          "or in its file:    certificates { certificate_file: ", Quoted(file),
                          " key_file: ", Quoted(input.key), " }\n",
                          "to try it:         curl --cacert ", Argument(input.authority), " ",
                          CurlTo(input.name), "\n");
    case HintFor::kClient:
      return absl::StrCat(Trust(input.authority), "added to curl:     --cert ", Argument(file),
                          " --key ", Argument(input.key), "\n");
    case HintFor::kCrl:
      return absl::StrCat("flags of postern:  --client_crl=", Argument(file), "\n",
                          "or in its file:    crl_files: ", Quoted(file), "\n");
  }
  return "";
}

}  // namespace postern::ca
