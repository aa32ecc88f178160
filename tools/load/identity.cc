#include "tools/load/identity.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"

namespace postern::load {
namespace {

constexpr char kSystemAnchors[] = "/etc/ssl/certs/ca-certificates.crt";

absl::StatusOr<tls::KeyPair> ReadPair(const std::string& certificate_file,
                                                 const std::string& key_file) {
  absl::StatusOr<std::string> certificate = ReadFile(certificate_file);
  if (!certificate.ok()) {
    return certificate.status();
  }
  absl::StatusOr<std::string> key = ReadFile(key_file);
  if (!key.ok()) {
    return key.status();
  }
  return tls::KeyPair{*certificate, *key, certificate_file, key_file};
}

// The names (without .key) of a folder's keys, sorted.
absl::StatusOr<std::vector<std::string>> KeysOf(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> names;
  for (std::filesystem::directory_iterator i(folder, error), end; !error && i != end;
       i.increment(error)) {
    if (i->path().extension() == ".key") {
      names.push_back(i->path().stem().string());
    }
  }
  if (error) {
    return absl::NotFoundError(
        absl::StrCat("cannot read the folder ", folder, ": ", error.message()));
  }
  if (names.empty()) {
    return absl::NotFoundError(absl::StrCat("no NAME.key with its NAME.crt is in ", folder));
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string content(std::istreambuf_iterator<char>(file), {});
  if (!file.is_open() || file.bad() || errno == EISDIR) {
    return absl::ErrnoToStatus(errno == 0 ? EIO : errno, absl::StrCat("cannot read ", path));
  }
  return content;
}

absl::StatusOr<std::vector<IdentitySource>> ReadIdentities(const Options& options) {
  IdentitySource plain;
  plain.input.http2 = options.http2;
  plain.input.verify = !options.insecure;
  plain.input.policy = options.policy.value_or(plain.input.policy);
  if (options.url.tls && !options.insecure) {
    std::string file = options.ca_file.empty() ? kSystemAnchors : options.ca_file;
    absl::StatusOr<std::string> anchors = ReadFile(file);
    if (!anchors.ok() && options.ca_file.empty()) {
      return absl::NotFoundError(
          absl::StrCat(std::string(anchors.status().message()),
                       "; name who vouches for the server with --ca, or take "
                       "any with --insecure"));
    }
    if (!anchors.ok()) {
      return anchors.status();
    }
    plain.input.anchors.push_back({file, *std::move(anchors)});
  }
  std::vector<IdentitySource> sources;
  if (!options.certificate_file.empty()) {
    auto pair = ReadPair(options.certificate_file, options.key_file);
    if (!pair.ok()) {
      return pair.status();
    }
    sources.push_back(plain);
    sources[0].name = std::filesystem::path(options.certificate_file).stem().string();
    sources[0].input.certificate = *std::move(pair);
  } else if (!options.identities_folder.empty()) {
    absl::StatusOr<std::vector<std::string>> names = KeysOf(options.identities_folder);
    if (!names.ok()) {
      return names.status();
    }
    for (const std::string& name : *names) {
      std::string prefix = absl::StrCat(options.identities_folder, "/", name);
      std::string chain = absl::StrCat(prefix, ".chain.crt");
      std::error_code error;
      bool has_chain = std::filesystem::exists(chain, error);
      auto pair =
          ReadPair(has_chain ? chain : absl::StrCat(prefix, ".crt"), absl::StrCat(prefix, ".key"));
      if (!pair.ok()) {
        return pair.status();
      }
      sources.push_back(plain);
      sources.back().name = name;
      sources.back().input.certificate = *std::move(pair);
    }
  } else {
    sources.push_back(plain);
  }
  return sources;
}

std::unique_ptr<tls::ClientSessions> Identity::BorrowSessions() {
  if (sessions_.empty()) {
    return std::make_unique<tls::ClientSessions>();
  }
  std::unique_ptr<tls::ClientSessions> sessions = std::move(sessions_.back());
  sessions_.pop_back();
  return sessions;
}

void Identity::ReturnSessions(std::unique_ptr<tls::ClientSessions> sessions) {
  if (sessions->size() > 0) {
    sessions_.push_back(std::move(sessions));
  }
}

}  // namespace postern::load
