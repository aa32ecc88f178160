// Load for servers that want to see certificates. See "load --help".
#include <netdb.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "src/base/standard_streams.h"
#include "src/config/network.h"
#include "tools/command_line/callers_directory.h"
#include "tools/load/conductor.h"
#include "tools/load/options.h"

namespace postern::load {
namespace {

// A process has 128 TiB of addresses.
constexpr size_t kArenaBytesMax = size_t{64} << 40;

absl::StatusOr<io::Address> Resolve(const Options& options) {
  config::HostPort where = {options.url.host, options.url.port};
  if (!options.connect.empty()) {
    absl::StatusOr<config::HostPort> split = config::SplitHostPort(options.connect);
    if (!split.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--connect=", options.connect, " ", std::string(split.status().message())));
    }
    where = *split;
  }
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  int error = getaddrinfo(where.host.c_str(), nullptr, &hints, &found);
  if (error != 0) {
    return absl::NotFoundError(absl::StrCat("cannot find ", where.host, ": ", gai_strerror(error)));
  }
  sockaddr_storage storage = {};
  std::copy_n(reinterpret_cast<const char*>(found->ai_addr), found->ai_addrlen,
              reinterpret_cast<char*>(&storage));
  freeaddrinfo(found);
  io::Address address = io::FromKernel(storage);
  address.port = where.port;
  return address;
}

absl::Status Write(const std::string& path, const std::string& content) {
  if (path.empty()) {
    return absl::OkStatus();
  }
  errno = 0;
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << content;
  file.close();
  return file.good()
             ? absl::OkStatus()
             : absl::ErrnoToStatus(errno == 0 ? EIO : errno, absl::StrCat("cannot write ", path));
}

absl::StatusOr<Plan> MakePlan(Options options) {
  Plan plan;
  plan.options = std::move(options);
  absl::StatusOr<Request> request = MakeRequest(plan.options);
  if (!request.ok()) {
    return request.status();
  }
  plan.request = *std::move(request);
  if (ArenaBytesOf(plan) > kArenaBytesMax / plan.options.threads) {
    return absl::InvalidArgumentError(
        "so many connections, streams and bytes of body at once are too much for one process");
  }
  absl::StatusOr<std::vector<IdentitySource>> identities = ReadIdentities(plan.options);
  if (!identities.ok()) {
    return identities.status();
  }
  plan.identities = *std::move(identities);
  absl::StatusOr<io::Address> address = Resolve(plan.options);
  if (!address.ok()) {
    return address.status();
  }
  plan.address = *address;
  return plan;
}

absl::StatusOr<int> Run(const std::vector<std::string>& words) {
  absl::StatusOr<Options> options = ParseOptions(words);
  if (!options.ok()) {
    return options.status();
  }
  if (options->help) {
    std::fputs(HelpText().c_str(), stdout);
    return 0;
  }
  absl::Status entered = command_line::EnterCallersDirectory();
  if (!entered.ok()) {
    return entered;
  }
  absl::StatusOr<Plan> plan = MakePlan(*std::move(options));
  if (!plan.ok()) {
    return plan.status();
  }
  // Before the load, not after it, one learns that a file cannot be written.
  for (const std::string& path : {plan->options.json_file, plan->options.plot_file}) {
    absl::Status status = Write(path, "");
    if (!status.ok()) {
      return status;
    }
  }
  absl::StatusOr<Results> results = Conduct(*plan);
  if (!results.ok()) {
    return results.status();
  }
  std::fputs(Summary(plan->options, *results).c_str(), stdout);
  for (const auto& [path, content] :
       {std::pair(plan->options.json_file, Json(plan->options, *results)),
        std::pair(plan->options.plot_file, Plot(plan->options, *results))}) {
    absl::Status status = Write(path, content);
    if (!status.ok()) {
      return status;
    }
  }
  return results->total.answers() > 0 && std::fflush(stdout) == 0 ? 0 : 1;
}

}  // namespace
}  // namespace postern::load

int main(int argc, char** argv) {
  if (!postern::base::SecureStandardStreams()) {
    return 1;
  }
  const absl::StatusOr<int> result =
      postern::load::Run(std::vector<std::string>(argv + 1, argv + argc));
  if (result.ok()) {
    return *result;
  }
  std::fprintf(stderr, "load: %s\n", std::string(result.status().message()).c_str());
  return result.status().code() == absl::StatusCode::kInvalidArgument ? 2 : 1;
}
