#include "src/config/flags.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/flags/reflection.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "src/config/flag_fields.h"
#include "src/config/load.h"
#include "src/config/test_configs.h"
#include "src/config/test_flags.h"

namespace postern::config {
namespace {

std::string Problem(const FlagValues& values) {
  const absl::StatusOr<Config> config = FromFlags(values);
  return config.ok() ? "" : std::string(config.status().message());
}

TEST(FlagValuesTest, BothRoadsEndInTheSameConfig) {
  for (const FlagField& entry : FlagFields()) {
    EXPECT_TRUE(IsGiven(entry, FullValues())) << entry.flag;
  }
  const absl::StatusOr<Config> flags = FromFlags(FullValues());
  const absl::StatusOr<Config> file = ParseText(kFullText, "f.textproto");
  ASSERT_TRUE(flags.ok()) << flags.status();
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(*flags, *file);
}

TEST(FlagValuesTest, DefaultsAreThoseOfTheFile) {
  absl::StatusOr<Config> flags = FromFlags(MinimalValues());
  ASSERT_TRUE(flags.ok()) << flags.status();
  flags->listeners.at(0).name = "a";
  flags->groups.at(0).name = "g";
  EXPECT_EQ(*flags, *ParseText(kMinimalText, "f.textproto"));
}

TEST(FlagValuesTest, NothingGiven) {
  EXPECT_EQ(Problem({}),
            "--backend: is missing; at least one is needed\n"
            "--listen: is missing; write for example 0.0.0.0:443 or [::]:443\n"
            "--cert: is missing; at least one is needed");
}

TEST(FlagValuesTest, ErrorsNameTheFlag) {
  FlagValues values = MinimalValues();
  values.health_interval = absl::Milliseconds(500);
  values.idle_timeout = absl::InfiniteDuration();
  values.body_timeout = absl::Microseconds(1500);
  values.header_timeout = -absl::Seconds(1);
  values.client_ca = {{"ca.crt"}};
  values.ticket_lifetime = absl::Milliseconds(60'500);
  values.max_auth_age = absl::Hours(169);
  values.tls12_tickets = true;
  values.client_cert_headers = {{"alb", "none"}};
  values.trusted_proxies = {{"10.0.0.0/8", "x"}};
  values.identity_header_subject_dn = "host";
  values.key = {{"a.key", "b.key"}};
  values.backend = {
      {"s@127.0.0.1:80", "t@nowhere,weight=5", "u@x:0", "v@x:1,weight=500", "w@x:2,height=1"}};
  const std::string problem = Problem(values);
  for (const std::string line :
       {"--health_interval: 500 is out of range; use 1000 to 50000 milliseconds",
        "--idle_timeout: inf is out of range", "--body_timeout: 1.5ms is out of range",
        "--header_timeout: -1s is out of range",
        "--client_auth: is missing, and what is here keeps nobody out without it",
        "--ticket_lifetime: 1m0.5s is out of range; use whole seconds",
        "--max_auth_age: 608400 is out of range; use 60 to 604800 seconds",
        "--tls12_tickets: is about a secret file",
        "--client_cert_headers number 2: \"none\" stands beside others",
        "--trusted_proxies number 2: \"x\" is neither",
        "--identity_header_subject_dn: \"host\" is a header", "--key: has 2 files and --cert has 1",
        "--backend number 2: \"nowhere\" has no port",
        "--backend number 3: port: 0 is out of range",
        "--backend number 4: weight: 500 is out of range; use 0 to 100",
        "--backend number 5: \"height=1\" is unknown; write"}) {
    EXPECT_NE(problem.find(line), std::string::npos) << line << "\n" << problem;
  }
  EXPECT_EQ(std::count(problem.begin(), problem.end(), '\n'), 15) << problem;
}

TEST(FlagValuesTest, FileAndListenerFlagsExclude) {
  FlagValues values = MinimalValues();
  values.config = "f.textproto";
  values.health_check = true;
  const absl::StatusOr<Config> config = FromFlags(values, kMinimalText);
  ASSERT_FALSE(config.ok());
  EXPECT_EQ(
      config.status().message(),
      "--listen: cannot be used together with --config; remove it, or say it in f.textproto\n"
      "--cert: cannot be used together with --config; remove it, or say it in f.textproto\n"
      "--key: cannot be used together with --config; remove it, or say it in f.textproto\n"
      "--backend: cannot be used together with --config; remove it, or say it in f.textproto\n"
      "--health_check: cannot be used together with --config; remove it, or say it in f.textproto");
}

TEST(FlagValuesTest, AdminWriteLeavesTheAddressAlone) {
  FlagValues values;
  values.config = "f.textproto";
  values.admin_write = false;
  absl::StatusOr<Config> expected = ParseText(kFullText, "f.textproto");
  ASSERT_TRUE(expected.ok());
  EXPECT_TRUE(expected->admin_write);
  expected->admin_write = false;
  absl::StatusOr<Config> config = FromFlags(values, kFullText);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(*config, *expected);
  // It does not switch the page on, either.
  config = FromFlags(values, kMinimalText);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_FALSE(config->admin_enabled);
  values.admin_write = true;
  config = FromFlags(values, kMinimalText);
  ASSERT_FALSE(config.ok());
  EXPECT_EQ(config.status().message(),
            "--admin_write: is about the admin page, and there is none; give --admin, or remove "
            "this");
  values.admin = "127.0.0.1:1";
  config = FromFlags(values, kMinimalText);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_TRUE(config->admin_write);
}

TEST(FlagValuesTest, ProcessFlagsOverrideTheFile) {
  FlagValues values;
  values.config = "f.textproto";
  values.admin = "";
  values.shards = 9;
  absl::StatusOr<Config> expected = ParseText(kFullText, "f.textproto");
  expected->admin_enabled = false;
  expected->admin = Config().admin;
  expected->shards = 9;
  const absl::StatusOr<Config> config = FromFlags(values, kFullText);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(*config, *expected);

  values.shards = 1000;
  EXPECT_EQ(FromFlags(values, "shards: 2000 listeners {} server_groups {}")
                .status()
                .message()
                .substr(0, 28),
            "f.textproto:1:1: shards: 200");
  EXPECT_NE(FromFlags(values, kFullText).status().message().find("--shards: 1000"),
            absl::string_view::npos);
}

// --tickets and its kin are about TLS sessions of listeners: a file says those itself.
TEST(FlagValuesTest, TicketsBelongToTheListener) {
  FlagValues values;
  values.config = "f.textproto";
  values.tickets = false;
  EXPECT_EQ(
      FromFlags(values, kMinimalText).status().message(),
      "--tickets: cannot be used together with --config; remove it, or say it in f.textproto");
  values = FlagValues();
  values.config = "f.textproto";
  values.watch_files = false;
  values.revocation_grace = absl::Seconds(1);
  const absl::StatusOr<Config> config = FromFlags(values, kMinimalText);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_FALSE(config->watch_files);
  EXPECT_EQ(config->revocation_grace_ms, 1000u);
}

TEST(FlagValuesTest, Candidate) {
  FlagValues values = MinimalValues();
  values.client_auth = "require";
  values.client_ca = {{"ca.crt"}};
  values.client_crl = {{"ca.crl"}};
  values.candidate_client_crl = {{"new.crl"}};
  const absl::StatusOr<Config> config = FromFlags(values);
  ASSERT_TRUE(config.ok()) << config.status();
  TrustConfig expected = config->listeners.at(0).client_auth.trust;
  expected.crl_files = {"new.crl"};
  EXPECT_EQ(config->listeners.at(0).client_auth.candidate, expected);

  values.candidate_client_crl = values.client_crl;
  EXPECT_EQ(Problem(values),
            "--candidate_client_ca: is the same as what is in force; say what differs, or remove "
            "it");
  values.candidate_client_crl = {{"new.crl", ""}};
  EXPECT_EQ(Problem(values),
            "--candidate_client_crl number 2: is empty; name a file with revocation lists");
}

TEST(FlagValuesTest, Passthrough) {
  FlagValues values = MinimalValues();
  values.client_auth = "passthrough";
  EXPECT_EQ(Problem(values), "");
  EXPECT_EQ(FromFlags(values)->listeners.at(0).client_auth.mode, ClientAuth::kPassthrough);
  values.client_ca = {{"ca.crt"}};
  EXPECT_EQ(Problem(values).substr(0, 47), "--client_ca: has no meaning in mode passthrough");
}

TEST(FlagValuesTest, EveryFieldHasItsFlag) {
  const std::vector<std::string> without = {"listeners.name", "listeners.hosts.server_group",
                                            "listeners.default_server_group", "listeners.protocol",
                                            "server_groups.name"};
  std::vector<std::pair<std::string, const google::protobuf::Descriptor*>> left = {
      {"", proto::Config::descriptor()}};
  // Host names with settings of their own, and the less common of a candidate, are for files.
  const auto for_files = [](const std::string& path) {
    return absl::StartsWith(path, "listeners.tls_hosts.") ||
           absl::StartsWith(path, "listeners.client_auth.candidate.");
  };
  while (!left.empty()) {
    const auto [prefix, type] = left.back();
    left.pop_back();
    for (int i = 0; i < type->field_count(); ++i) {
      const std::string path = absl::StrCat(prefix, type->field(i)->name());
      if (type->field(i)->message_type() != nullptr) {
        left.emplace_back(path + ".", type->field(i)->message_type());
      } else if (std::find(without.begin(), without.end(), path) == without.end() &&
                 !for_files(path)) {
        EXPECT_TRUE(absl::StartsWith(FlagOfPath(path), "--")) << path;
      }
    }
  }
}

// The flags of this program that flags.cc defines.
std::vector<std::string> DefinedFlags() {
  std::vector<std::string> names;
  for (const auto& [name, flag] : absl::GetAllFlags()) {
    if (absl::EndsWith(flag->Filename(), "src/config/flags.cc")) {
      names.emplace_back(name);
    }
  }
  return names;
}

TEST(FlagsTest, EachIsDocumentedWithItsDefault) {
  const absl::StatusOr<std::string> document = ReadFile("docs/FLAGS.md");
  ASSERT_TRUE(document.ok()) << document.status();
  const std::vector<std::string> names = DefinedFlags();
  // --config, --check_config, --print_config, --upgrade
  EXPECT_EQ(names.size(), FlagFields().size() + 4);
  for (const std::string& name : names) {
    std::string value = absl::FindCommandLineFlag(name)->DefaultValue();
    value = value.empty() ? "" : absl::StrCat("`", value, "`");
    EXPECT_NE(
        document->find(absl::StrCat("| `--", name, "` | ", value, value.empty() ? "" : " ", "| ")),
        std::string::npos)
        << name << " " << value;
  }
}

// The flags' defaults, as --help shows them, are what happens without the flag.
TEST(FlagsTest, DefaultsAreTrue) {
  FlagValues values = MinimalValues();
  const Config without = *FromFlags(values);
  const auto text = [](const char* name) {
    return absl::FindCommandLineFlag(name)->DefaultValue();
  };
  values.tls_policy = text("tls_policy");
  values.client_auth = text("client_auth");
  values.crl_scope = text("crl_scope");
  values.stale_crl = text("stale_crl");
  values.missing_crl = text("missing_crl");
  values.client_cert_headers = {{text("client_cert_headers")}};
  values.http_listen = text("http_listen");
  values.redirect_port = 0;
  EXPECT_EQ(text("redirect_port"), "0");
  values.upstream_protocol = text("upstream_protocol");
  values.upstream_tls = false;
  EXPECT_EQ(text("upstream_tls"), "false");
  values.health_check_protocol = text("health_check_protocol");
  values.health_codes = {{"http_2xx", "http_3xx"}};
  EXPECT_EQ(text("health_codes"), "http_2xx,http_3xx");
  values.admin = text("admin");
  values.io = text("io");
  EXPECT_EQ(*FromFlags(values), without);
}

// absl's flags belong to the process: each command line gets a process of its own.
[[noreturn]] void RunAndExit(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "postern");
  std::vector<char*> argv;
  for (std::string& argument : arguments) {
    argv.push_back(argument.data());
  }
  argv.push_back(nullptr);
  const absl::StatusOr<Options> options =
      FromCommandLine(static_cast<int>(arguments.size()), argv.data(), "postern 1.2.3");
  if (!options.ok()) {
    std::fprintf(stderr, "%s\n", std::string(options.status().message()).c_str());
    std::exit(3);
  }
  const Config& config = options->config;
  std::fprintf(stderr,
               "check=%d listen=%s:%d admin=%d shards=%u pin=%d servers=", options->check_config,
               config.listeners[0].address.address.c_str(), config.listeners[0].address.port,
               config.admin_enabled, config.shards, config.pin_shards);
  for (const ServerConfig& server : config.groups[0].servers) {
    std::fprintf(stderr, "%s@%s:%d/%u ", server.name.c_str(), server.host.c_str(), server.port,
                 server.weight);
  }
  std::fprintf(stderr, "mode=%d interval=%u\n",
               static_cast<int>(config.listeners[0].client_auth.mode),
               config.groups[0].health_check.interval_ms);
  if (config.groups[0].tls.has_value() && config.listeners.size() == 2) {
    std::fprintf(stderr, "redirect=%u ca=%s verify=%d age=%u\n", config.listeners[1].redirect_port,
                 absl::StrJoin(config.groups[0].tls->ca_files, "+").c_str(),
                 config.groups[0].tls->verify, config.listeners[0].max_connection_age_ms);
  }
  std::exit(0);
}

TEST(FlagsDeathTest, CommandLine) {
  EXPECT_EXIT(
      RunAndExit({"--listen=127.0.0.1:8443", "--cert=a", "--key=b",
                  "--backend=a@127.0.0.1:1,weight=5", "--backend=b@127.0.0.1:2;c@127.0.0.1:3",
                  "--health_interval=4s", "--nopin_shards", "--check_config",
                  "--client_auth=require", "--client_ca=x"}),
      testing::ExitedWithCode(0),
      "check=1 listen=127.0.0.1:8443 admin=0 shards=0 pin=0 servers=a@127.0.0.1:1/5 "
      "b@127.0.0.1:2/100 "
      "c@127.0.0.1:3/100 mode=2 interval=4000");
}

TEST(FlagsDeathTest, CommandLineOfTwoProtocols) {
  EXPECT_EXIT(RunAndExit({"--listen=127.0.0.1:8443", "--cert=a", "--key=b", "--backend=127.0.0.1:1",
                          "--http_listen=127.0.0.1:8080", "--upstream_tls", "--noupstream_verify",
                          "--upstream_ca=c,d", "--max_connection_age=1h"}),
              testing::ExitedWithCode(0), "redirect=8443 ca=c\\+d verify=0 age=3600000");
}

TEST(FlagsDeathTest, Quickstart) {
  EXPECT_EXIT(
      RunAndExit({"--flagfile=configs/quickstart.flags", "--shards=2"}), testing::ExitedWithCode(0),
      "check=0 listen=127.0.0.1:8443 admin=1 shards=2 pin=1 servers=ecs01@127.0.0.1:9001/100 "
      "ecs02@127.0.0.1:9002/100 mode=2 interval=2000");
}

TEST(FlagsDeathTest, ConfigFile) {
  EXPECT_EXIT(RunAndExit({"--config=configs/example.textproto", "--shards=2", "--admin="}),
              testing::ExitedWithCode(0), "listen=0.0.0.0:443 admin=0 shards=2");
  EXPECT_EXIT(RunAndExit({"--config=configs/example.textproto", "--idle_timeout=15s"}),
              testing::ExitedWithCode(3),
              "^--idle_timeout: cannot be used together with --config; remove it, or say it in "
              "configs/example.textproto\n$");
  EXPECT_EXIT(RunAndExit({"--config=/nowhere"}), testing::ExitedWithCode(3),
              "^/nowhere: cannot be opened");
}

TEST(FlagsDeathTest, Version) {
  EXPECT_EXIT(
      {
        dup2(STDERR_FILENO, STDOUT_FILENO);
        RunAndExit({"--version"});
      },
      testing::ExitedWithCode(0), "^postern 1.2.3\n$");
}

TEST(FlagsDeathTest, Mistakes) {
  EXPECT_EXIT(RunAndExit({"--lisen=1"}), testing::ExitedWithCode(1), "lisen");
  EXPECT_EXIT(RunAndExit({"--shards=many"}), testing::ExitedWithCode(1), "shards");
  EXPECT_EXIT(RunAndExit({"start"}), testing::ExitedWithCode(3), "\"start\" is not a flag");
  EXPECT_EXIT(RunAndExit({}), testing::ExitedWithCode(3), "--backend: is missing");
}

}  // namespace
}  // namespace postern::config
