#include "tools/load/options.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace postern::load {
namespace {

Options Good(const std::vector<std::string>& words) {
  absl::StatusOr<Options> options = ParseOptions(words);
  EXPECT_TRUE(options.ok()) << options.status();
  return options.ok() ? *options : Options();
}

std::string Bad(std::vector<std::string> words) {
  words.emplace_back("https://gate.test/");
  absl::StatusOr<Options> options = ParseOptions(words);
  EXPECT_EQ(options.status().code(), absl::StatusCode::kInvalidArgument) << words[0];
  return std::string(options.status().message());
}

TEST(ParseUrl, Parts) {
  Url url = ParseUrl("https://gate.test/a/b?c=d#e").value();
  EXPECT_TRUE(url.tls);
  EXPECT_EQ(url.host, "gate.test");
  EXPECT_EQ(url.port, 443);
  EXPECT_EQ(url.authority, "gate.test");
  EXPECT_EQ(url.target, "/a/b?c=d");
  url = ParseUrl("http://[::1]:8080").value();
  EXPECT_FALSE(url.tls);
  EXPECT_EQ(url.host, "::1");
  EXPECT_EQ(url.port, 8080);
  EXPECT_EQ(url.authority, "[::1]:8080");
  EXPECT_EQ(url.target, "/");
  EXPECT_EQ(ParseUrl("https://[::1]/").value().port, 443);
  EXPECT_EQ(ParseUrl("https://gate.test?x").value().target, "/?x");
}

TEST(ParseUrl, WhatIsNone) {
  for (const char* text :
       {"", "gate.test", "ftp://gate.test/", "https://", "https:///x", "https://gate.test:/",
        "https://gate.test:0/", "https://gate.test:65536/", "https://a b/", "https://gate.test/a b",
        "https://gate.test/\r\nX: y", "https://user@gate.test/", "https://::1/"}) {
    EXPECT_FALSE(ParseUrl(text).ok()) << text;
  }
}

TEST(ParseMix, SharesAndMistakes) {
  Mix mix = ParseMix("full:20,kept:70").value();
  EXPECT_EQ(mix.full, 20u);
  EXPECT_EQ(mix.resumed, 0u);
  EXPECT_EQ(mix.kept, 70u);
  for (const char* text : {"", "full", "full:", "full:x", "full:-1", "full:1,full:2", "fuller:1",
                           "full:0", "full:1,", "full:1000001"}) {
    EXPECT_FALSE(ParseMix(text).ok()) << text;
  }
}

TEST(ParseOptions, TheClosedLoopIsTheDefault) {
  Options options = Good({"https://gate.test/"});
  EXPECT_TRUE(options.stages.empty());
  EXPECT_EQ(options.connections, 10u);
  EXPECT_EQ(options.duration_s, 10);
  EXPECT_EQ(options.timeout_ms, 10'000);
  EXPECT_EQ(options.mix.kept, options.mix.sum());
  EXPECT_EQ(options.method, "GET");
  EXPECT_FALSE(options.http2);
}

TEST(ParseOptions, AllOfIt) {
  Options options = Good({"--rate=0..10/2s,10/3s", "--arrivals=poisson", "--at=1s:echo a:b",
                          "--at=2s:true", "--http=2", "--streams=5", "--header=Accept: a, b",
                          "--body_bytes=10", "--connections=7", "--threads=2",
                          "--mix=full:1,resumed:1", "--tls=1.2", "--io=epoll", "https://x/"});
  EXPECT_EQ(options.stages.size(), 2u);
  EXPECT_EQ(options.duration_s, 5);
  EXPECT_TRUE(options.poisson);
  ASSERT_EQ(options.commands.size(), 2u);
  EXPECT_EQ(options.commands[0].command, "echo a:b");
  EXPECT_EQ(options.headers, (std::vector<std::string>{"Accept: a, b"}));
  EXPECT_EQ(options.method, "POST");
  EXPECT_EQ(options.policy, config::TlsPolicy::k1_2Strict);
  EXPECT_EQ(options.io, config::Io::kEpoll);
}

TEST(ParseOptions, WhatContradictsItself) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"--ca=x", "--insecure"},
                                             {"--cert=x"},
                                             {"--cert=x", "--key=y", "--identities=z"},
                                             {"--tls=1.3"},
                                             {"--http=3"},
                                             {"--streams=2"},
                                             {"--rate=5", "--operations=5"},
                                             {"--rate=5", "--ramp_up=1s"},
                                             {"--rate=5/1s", "--duration=1s"},
                                             {"--arrivals=poisson"},
                                             {"--arrivals=uneven", "--rate=5"},
                                             {"--handshakes_only", "--mix=kept:1"},
                                             {"--threads=20"},
                                             {"--timeout=0s"},
                                             {"--duration=0s"},
                                             {"--at=5s"},
                                             {"--at=5s:"},
                                             {"--at=x:true"},
                                             {"--io=select"},
                                             {"--method=CONNECT"},
                                             {"--header=a b: c"},
                                             {"--header=Content-Length: 5"},
                                             {"--body_bytes=99999999"},
                                             {"--connections=0"},
                                             {"http://second/"}}) {
    EXPECT_FALSE(Bad(words).empty());
  }
  EXPECT_FALSE(ParseOptions({"--http=2", "http://gate.test/"}).ok());
  EXPECT_FALSE(ParseOptions({"--handshakes_only", "http://gate.test/"}).ok());
}

TEST(ParseOptions, HelpNamesWhatIsTaken) {
  EXPECT_TRUE(Good({"--nonsense", "--help"}).help);
  for (const char* flag : {"--rate=", "--identities=", "--at=", "--mix=", "--plot="}) {
    EXPECT_NE(HelpText().find(flag), std::string::npos) << flag;
  }
}

}  // namespace
}  // namespace postern::load
