#include "tools/load/options.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "src/config/network.h"
#include "src/http/h1_parser.h"
#include "src/http/message.h"
#include "tools/command_line/arguments.h"
#include "tools/load/options_flags.h"

namespace postern::load {
namespace {

using command_line::Arguments;

constexpr uint64_t kBodyBytesMax = uint64_t{16} << 20;
constexpr int64_t kConnectionsMax = 1'000'000;

absl::Status Wrong(std::string_view what) {
  return absl::InvalidArgumentError(std::string(what));
}

// Reads into `*out`; the error names the flag.
absl::Status ReadDuration(const Arguments& arguments, const std::string& flag, double* out) {
  std::optional<std::string> text = arguments.Get(flag);
  if (text.has_value()) {
    absl::StatusOr<double> value = ParseDuration(*text);
    if (!value.ok()) {
      return Wrong(absl::StrCat("--", flag, ": ", std::string(value.status().message())));
    }
    *out = *value;
  }
  return absl::OkStatus();
}

template <typename Integer>
absl::Status ReadCount(const Arguments& arguments, const std::string& flag, int64_t min,
                       int64_t max, Integer* out) {
  absl::StatusOr<int64_t> value = arguments.GetInt(flag, static_cast<int64_t>(*out), min, max);
  if (value.ok()) {
    *out = static_cast<Integer>(*value);
  }
  return value.status();
}

absl::Status ReadTls(const Arguments& arguments, Options* options) {
  options->ca_file = arguments.Get("ca", "");
  options->insecure = arguments.Has("insecure");
  options->certificate_file = arguments.Get("cert", "");
  options->key_file = arguments.Get("key", "");
  options->identities_folder = arguments.Get("identities", "");
  if (options->insecure && !options->ca_file.empty()) {
    return Wrong("--ca and --insecure contradict each other");
  }
  if (options->certificate_file.empty() != options->key_file.empty()) {
    return Wrong("--cert and --key belong together");
  }
  if (!options->certificate_file.empty() && !options->identities_folder.empty()) {
    return Wrong("--cert and --identities contradict each other");
  }
  std::string tls(arguments.Get("tls", ""));
  if (tls == "1.2") {
    options->policy = config::TlsPolicy::k1_2Strict;
  } else if (!tls.empty()) {
    return Wrong(absl::StrCat("--tls=", tls,
                              ": the choice is 1.2; without it, 1.3 or 1.2 as the "
                              "server likes"));
  }
  return absl::OkStatus();
}

absl::Status ReadHeaders(const Arguments& arguments, Options* options) {
  for (const std::string& line : arguments.GetList("header")) {
    size_t colon = line.find(':');
    std::string name = line.substr(0, colon);
    size_t begin = colon == std::string::npos ? colon : line.find_first_not_of(' ', colon + 1);
    std::string value = begin == std::string::npos ? "" : line.substr(begin);
    if (colon == std::string::npos || !http::IsValidFieldName(name) ||
        !http::IsValidFieldValue(value)) {
      return Wrong(absl::StrCat("--header=", line, ": write NAME: VALUE"));
    }
    http::FieldId id = http::FieldIdOf(name);
    if (id == http::FieldId::kContentLength || id == http::FieldId::kTransferEncoding ||
        id == http::FieldId::kConnection || id == http::FieldId::kExpect) {
      return Wrong(absl::StrCat("--header=", line, ": this one is not yours to choose"));
    }
    options->headers.push_back(absl::StrCat(name, ": ", value));
  }
  return absl::OkStatus();
}

absl::Status ReadRequest(const Arguments& arguments, Options* options) {
  std::string version = arguments.Get("http", "1.1");
  if (version != "1.1" && version != "2") {
    return Wrong(absl::StrCat("--http=", version, ": the choice is 1.1 or 2"));
  }
  options->http2 = version == "2";
  if (options->http2 && !options->url.tls) {
    return Wrong("--http=2 needs an https URL");
  }
  options->handshakes_only = arguments.Has("handshakes_only");
  if (options->handshakes_only && !options->url.tls) {
    return Wrong("--handshakes_only needs an https URL");
  }
  options->body_file = arguments.Get("body_file", "");
  absl::Status status = ReadCount(arguments, "body_bytes", 0, static_cast<int64_t>(kBodyBytesMax),
                                  &options->body_bytes);
  if (!status.ok()) {
    return status;
  }
  bool body = !options->body_file.empty() || arguments.Has("body_bytes");
  options->method = arguments.Get("method", body ? "POST" : "GET");
  if (!http::IsValidFieldName(options->method) || options->method == "CONNECT") {
    return Wrong(absl::StrCat("--method=", options->method, " is not to be had"));
  }
  return ReadHeaders(arguments, options);
}

absl::Status ReadRate(const Arguments& arguments, Options* options) {
  std::optional<std::string> rate = arguments.Get("rate");
  std::string arrivals = arguments.Get("arrivals", "even");
  if (arrivals != "even" && arrivals != "poisson") {
    return Wrong(absl::StrCat("--arrivals=", arrivals, ": the choice is even or poisson"));
  }
  options->poisson = arrivals == "poisson";
  if (!rate.has_value()) {
    return options->poisson ? Wrong("--arrivals needs a --rate") : absl::OkStatus();
  }
  if (options->operations > 0 || options->ramp_up_s > 0) {
    return Wrong("--operations and --ramp_up are for the closed loop, without --rate");
  }
  absl::StatusOr<std::vector<Stage>> stages = ParseStages(*rate, options->duration_s);
  if (!stages.ok()) {
    return Wrong(absl::StrCat("--rate: ", std::string(stages.status().message())));
  }
  if (rate->find('/') != std::string::npos && arguments.Has("duration")) {
    return Wrong("--rate says how long, so --duration cannot");
  }
  options->stages = *std::move(stages);
  options->duration_s = DurationOf(options->stages);
  return absl::OkStatus();
}

absl::Status ReadTimes(const Arguments& arguments, Options* options) {
  double timeout_s = 10;
  options->duration_s = 10;
  for (auto [flag, out] : {std::pair<const char*, double*>{"timeout", &timeout_s},
                           {"duration", &options->duration_s},
                           {"warm_up", &options->warm_up_s},
                           {"ramp_up", &options->ramp_up_s}}) {
    absl::Status status = ReadDuration(arguments, flag, out);
    if (!status.ok()) {
      return status;
    }
  }
  options->timeout_ms = static_cast<int64_t>(timeout_s * 1000);
  if (options->timeout_ms < 1 || options->duration_s <= 0) {
    return Wrong("--timeout and --duration are longer than nothing");
  }
  absl::Status status = ReadCount(arguments, "operations", 0, INT64_MAX, &options->operations);
  if (!status.ok()) {
    return status;
  }
  if (options->operations > 0 && !arguments.Has("duration")) {
    options->duration_s = 7 * 24 * 3600.0;
  }
  return ReadRate(arguments, options);
}

absl::Status ReadCommands(const Arguments& arguments, Options* options) {
  for (const std::string& text : arguments.GetList("at")) {
    size_t colon = text.find(':');
    absl::StatusOr<double> at_s = ParseDuration(text.substr(0, colon));
    if (colon == std::string::npos || colon + 1 == text.size() || !at_s.ok()) {
      return Wrong(absl::StrCat("--at=", text, ": write TIME:COMMAND, as in 5s:./revoke.sh"));
    }
    options->commands.push_back({*at_s, text.substr(colon + 1)});
  }
  return absl::OkStatus();
}

absl::Status ReadLoad(const Arguments& arguments, Options* options) {
  absl::StatusOr<Mix> mix = ParseMix(arguments.Get("mix", "kept:1"));
  if (!mix.ok()) {
    return mix.status();
  }
  options->mix = *mix;
  if (options->handshakes_only && !arguments.Has("mix")) {
    options->mix = {1, 0, 0};
  }
  if (options->handshakes_only && options->mix.kept > 0) {
    return Wrong("--handshakes_only keeps no connection: leave 'kept' out of --mix");
  }
  options->threads = 1;
  // Enough that requests which are due rarely wait for a connection to become free.
  options->connections = options->stages.empty() ? 10 : 100;
  for (const absl::Status& status :
       {ReadCount(arguments, "connections", 1, kConnectionsMax, &options->connections),
        ReadCount(arguments, "streams", 1, 1000, &options->streams),
        ReadCount(arguments, "threads", 1, 256, &options->threads),
        ReadCount(arguments, "seed", 0, INT64_MAX, &options->seed)}) {
    if (!status.ok()) {
      return status;
    }
  }
  if (options->streams > 1 && !options->http2) {
    return Wrong("--streams is for --http=2");
  }
  if (options->threads > options->connections) {
    return Wrong("fewer --connections than --threads");
  }
  std::string io = arguments.Get("io", "auto");
  if (io != "auto" && io != "uring" && io != "epoll") {
    return Wrong(absl::StrCat("--io=", io, ": the choice is auto, uring or epoll"));
  }
  options->io = io == "uring"   ? config::Io::kUring
                : io == "epoll" ? config::Io::kEpoll
                                : config::Io::kAuto;
  return ReadCommands(arguments, options);
}

}  // namespace

absl::StatusOr<Url> ParseUrl(std::string_view text) {
  Url url;
  std::string_view rest = text;
  if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    url.tls = false;
    rest.remove_prefix(7);
  } else {
    return Wrong(absl::StrCat("'", std::string(text), "' is no https:// or http:// URL"));
  }
  size_t end = std::min(rest.find_first_of("/?#"), rest.size());
  url.authority = std::string(rest.substr(0, end));
  url.target = std::string(rest.substr(end));
  url.target = url.target.substr(0, url.target.find('#'));
  if (url.target.empty() || url.target[0] != '/') {
    url.target = absl::StrCat("/", url.target);
  }
  size_t bracket = url.authority.rfind(']');
  size_t colon = url.authority.find(':', bracket == std::string::npos ? 0 : bracket);
  std::string full = colon == std::string::npos
                         ? absl::StrCat(url.authority, url.tls ? ":443" : ":80")
                         : url.authority;
  absl::StatusOr<config::HostPort> split = config::SplitHostPort(full);
  if (!split.ok()) {
    return Wrong(absl::StrCat("'", url.authority, "' ", std::string(split.status().message())));
  }
  // What a request line cannot carry would be somebody else's request.
  http::RequestHead head;
  std::string request =
      absl::StrCat("GET ", url.target, " HTTP/1.1\r\nHost: ", url.authority, "\r\n\r\n");
  if (split->port == 0 || http::ParseRequestHead(request, {}, &head) != http::HeadError::kNone) {
    return Wrong(absl::StrCat("'", std::string(text), "' is not a URL that can be asked for"));
  }
  url.host = split->host;
  url.port = split->port;
  return url;
}

absl::StatusOr<Mix> ParseMix(std::string_view text) {
  Mix mix{0, 0, 0};
  std::vector<std::string> parts = absl::StrSplit(std::string(text), ',');
  for (const std::string& part : parts) {
    size_t colon = part.find(':');
    std::string name = part.substr(0, colon);
    uint32_t* share = name == "full"      ? &mix.full
                      : name == "resumed" ? &mix.resumed
                      : name == "kept"    ? &mix.kept
                                          : nullptr;
    if (share == nullptr || *share != 0 || colon == std::string::npos ||
        !absl::SimpleAtoi(part.substr(colon + 1), share) || *share > 1'000'000) {
      return Wrong(absl::StrCat("--mix=", std::string(text),
                                ": write shares, as in full:20,resumed:30,kept:50"));
    }
  }
  if (mix.sum() == 0) {
    return Wrong(absl::StrCat("--mix=", std::string(text), " has no share above 0"));
  }
  return mix;
}

absl::StatusOr<Options> ParseOptions(const std::vector<std::string>& words) {
  Options options;
  for (const std::string& word : words) {
    options.help = options.help || word == "--help" || word == "-h";
  }
  if (options.help) {
    return options;
  }
  std::vector<std::string> others;
  absl::StatusOr<Arguments> arguments =
      Arguments::Parse({"load", "load --help"}, LoadFlags(), words, &others);
  if (!arguments.ok()) {
    return arguments.status();
  }
  if (others.size() != 1) {
    return Wrong(others.empty() ? "which URL? See 'load --help'"
                                : absl::StrCat("one URL, please: what is '", others[1], "'?"));
  }
  absl::StatusOr<Url> url = ParseUrl(others[0]);
  if (!url.ok()) {
    return url.status();
  }
  options.url = *std::move(url);
  options.connect = arguments->Get("connect", "");
  options.json_file = arguments->Get("json", "");
  options.plot_file = arguments->Get("plot", "");
  options.quiet = arguments->Has("quiet");
  using Reader = absl::Status (*)(const Arguments&, Options*);
  for (Reader read : {Reader{ReadTls}, Reader{ReadRequest}, Reader{ReadTimes}, Reader{ReadLoad}}) {
    absl::Status status = read(*arguments, &options);
    if (!status.ok()) {
      return status;
    }
  }
  return options;
}

}  // namespace postern::load
