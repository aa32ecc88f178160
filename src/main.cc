// postern: an edge proxy that lets in only clients that can prove who they are.
#include <boringssl_revision.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "src/admin/admin_server.h"
#include "src/admin/version.h"
#include "src/base/standard_streams.h"
#include "src/config/flags.h"
#include "src/config/print.h"
#include "src/control/background.h"
#include "src/control/process.h"
#include "src/control/resources.h"
#include "src/control/start_limits.h"

namespace {

template <postern::admin::Scope kScope>
std::unique_ptr<postern::control::Service> MakeServer(postern::proxy::Env* env,
                                                      postern::control::StatusSource* source,
                                                      postern::io::Socket listener) {
  return std::make_unique<postern::admin::AdminServer>(env, source, listener, kScope);
}

}  // namespace

int main(int argc, char** argv) {
  if (!postern::base::SecureStandardStreams()) {
    return postern::control::kExitFailure;  // there is nobody to say it to
  }
  if (!postern::control::EnsureStack()) {
    return postern::control::kExitFailure;
  }
  // `bazel run` starts programs in a folder of its own; relative paths are meant from where the
  // user stands.
  const char* user_directory = std::getenv("BUILD_WORKING_DIRECTORY");
  if (user_directory != nullptr && chdir(user_directory) != 0) {
    std::perror("postern: BUILD_WORKING_DIRECTORY");
  }
  auto options = postern::config::FromCommandLine(
      argc, argv,
      absl::StrCat("postern ", std::string(postern::admin::kVersion),
                   " (BoringSSL " BORINGSSL_REVISION ")"));
  if (!options.ok()) {
    for (absl::string_view line : absl::StrSplit(options.status().message(), '\n')) {
      std::fprintf(stderr, "postern: %.*s\n", static_cast<int>(line.size()), line.data());
    }
    return postern::control::kExitConfig;
  }
  if (options->print_config) {
    std::string text = postern::config::Print(options->config);
    bool written = std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
    if (!written) {
      std::perror("postern: standard output");
      return postern::control::kExitFailure;
    }
    return postern::control::kExitOk;
  }
  // Before a key is in memory: it is read from a file, or comes from a predecessor.
  postern::control::AllowCoreDumps(options->config.core_dumps);
  postern::control::ProcessOptions process;
  process.config = std::move(options->config);
  process.source = std::move(options->source);
  process.check_config = options->check_config;
  process.upgrade = options->upgrade;
  process.make_admin = MakeServer<postern::admin::Scope::kAll>;
  process.make_metrics = MakeServer<postern::admin::Scope::kMetrics>;
  if (process.upgrade) {
    return postern::control::RunInBackground(
        [&process] { return postern::control::RunProcess(std::move(process)); },
        &process.on_serving);
  }
  return postern::control::RunProcess(std::move(process));
}
