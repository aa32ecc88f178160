// The page for people, and who may change something by it.
#include "src/admin/commands.h"

#include <gtest/gtest.h>

#include <string>

#include "src/admin/admin_test_util.h"

namespace postern::admin {
namespace {

class CommandsTest : public AdminTest {
 protected:
  // With --admin_write or without: the server reads it when it starts.
  void StartWith(bool write) {
    write_ = write;
    Start();
  }
  // The token that stands in the page.
  std::string Token() {
    std::string page = Get("/");
    constexpr std::string_view kBefore = "name=\"postern-token\" content=\"";
    size_t at = page.find(kBefore);
    EXPECT_NE(at, page.npos);
    at += kBefore.size();
    return page.substr(at, page.find('"', at) - at);
  }
  std::string Post(const std::string& target, const std::string& fields,
                   const std::string& host = "127.0.0.1:9000") {
    return Ask("POST " + target + " HTTP/1.1\r\nHost: " + host + "\r\nContent-Length: 0\r\n" +
               fields + "\r\n");
  }
};

constexpr char kDrainOurs[] = "/servers/drain?group=web&server=a%20b%26c";

TEST_F(CommandsTest, ThePage) {
  StartWith(false);
  std::string response = Get("/");
  EXPECT_TRUE(response.starts_with("HTTP/1.1 200 OK\r\n")) << response.substr(0, 100);
  EXPECT_NE(response.find("\r\nContent-Type: text/html; charset=utf-8\r\n"), response.npos);
  EXPECT_NE(response.find("\r\nContent-Security-Policy: default-src 'none'; style-src 'sha256-"),
            response.npos);
  EXPECT_EQ(response.find("unsafe"), response.npos);
  EXPECT_NE(response.find("frame-ancestors 'none'"), response.npos);
  EXPECT_NE(response.find("\r\nX-Frame-Options: DENY\r\n"), response.npos);
  // Nothing from outside, nothing that the policy would not let run.
  std::string body = Body(response);
  EXPECT_EQ(Count(body, "src="), 0u);
  EXPECT_EQ(Count(body, "innerHTML"), 0u);
  EXPECT_EQ(Count(body, "onclick"), 0u);
  EXPECT_EQ(Count(body, "<script>"), 1u);
  EXPECT_EQ(Token(), "");
  // By a name that somebody has made resolve to this address it is not shown.
  EXPECT_TRUE(Get("/", "attacker.example").starts_with("HTTP/1.1 403 "));
  Finish();
}

TEST_F(CommandsTest, ReadOnly) {
  StartWith(false);
  for (const char* path :
       {kDrainOurs, "/servers/undrain?group=web&server=a", "/reload", "/log_level?level=debug"}) {
    EXPECT_TRUE(Post(path, "").starts_with("HTTP/1.1 403 Forbidden\r\n"));
    // Not with an empty token either, which is the one there is.
    EXPECT_TRUE(Post(path, "X-Postern-Token: \r\n").starts_with("HTTP/1.1 403 Forbidden\r\n"));
    std::string response = Get(path);
    EXPECT_TRUE(response.starts_with("HTTP/1.1 405 Method Not Allowed\r\n")) << response;
    EXPECT_NE(response.find("\r\nAllow: POST\r\n"), response.npos);
  }
  EXPECT_EQ(source_->commands, 0);
  Finish();
}

TEST_F(CommandsTest, DrainsAndReloads) {
  StartWith(true);
  std::string ours = "X-Postern-Token: " + Token() + "\r\nOrigin: http://127.0.0.1:9000\r\n";
  EXPECT_TRUE(Post(kDrainOurs, ours).starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(source_->drained_now);
  EXPECT_TRUE(
      Post("/servers/undrain?server=a%20b%26c&group=web", ours).starts_with("HTTP/1.1 200 "));
  EXPECT_FALSE(source_->drained_now);
  EXPECT_TRUE(Post("/reload", ours).starts_with("HTTP/1.1 202 Accepted\r\n"));
  EXPECT_EQ(source_->reloads, 1);
  EXPECT_EQ(source_->commands, 3);
  EXPECT_TRUE(Post("/servers/drain?group=web&server=b", ours).starts_with("HTTP/1.1 404 "));
  EXPECT_TRUE(Post("/servers/drain?group=web", ours).starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(Post("/servers/drain", ours).starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(Post("/servers/drain?group=web&server=%2", ours).starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(Post("/servers", ours).starts_with("HTTP/1.1 405 "));
  // Reading changes nothing, whatever it carries.
  for (const char* method : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"}) {
    std::string answer = Ask(std::string(method) + " " + kDrainOurs +
                             " HTTP/1.1\r\nHost: 127.0.0.1:9000\r\n" + ours + "\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 405 ")) << answer;
  }
  EXPECT_EQ(source_->commands, 3);
  Finish();
}

TEST_F(CommandsTest, LogLevel) {
  StartWith(true);
  std::string ours = "X-Postern-Token: " + Token() + "\r\n";
  EXPECT_TRUE(Post("/log_level?level=debug", ours).starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(source_->level, config::LogLevel::kDebug);
  EXPECT_TRUE(Post("/log_level?level=error", ours).starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(source_->level, config::LogLevel::kError);
  for (const char* query : {"", "?", "?level=", "?level=loud", "?level=Info", "?info"}) {
    std::string answer = Post(std::string("/log_level") + query, ours);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
  }
  EXPECT_EQ(source_->level, config::LogLevel::kError);
  Finish();
}

TEST_F(CommandsTest, OnlyFromOurOwnPage) {
  StartWith(true);
  std::string token = Token();
  ASSERT_EQ(token.size(), 32u);
  std::string ours = "X-Postern-Token: " + token + "\r\n";
  for (const char* origin :
       {"http://127.0.0.1:9001", "http://127.0.0.1", "https://127.0.0.1:9000", "null", "",
        "http://attacker.example", "http://127.0.0.1:9000.attacker.example", "127.0.0.1:9000"}) {
    std::string answer = Post("/reload", ours + "Origin: " + origin + "\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 403 Forbidden\r\n")) << origin;
  }
  EXPECT_TRUE(Post("/reload", ours, "attacker.example").starts_with("HTTP/1.1 403 "));
  EXPECT_TRUE(Post("/reload", "").starts_with("HTTP/1.1 403 "));
  EXPECT_TRUE(
      Post("/reload?" + token, "Cookie: token=" + token + "\r\n").starts_with("HTTP/1.1 403"));
  for (std::string wrong : {token.substr(1), token + "0", std::string(32, '0'), std::string()}) {
    EXPECT_TRUE(Post("/reload", "X-Postern-Token: " + wrong + "\r\n").starts_with("HTTP/1.1 403 "));
  }
  EXPECT_EQ(source_->commands, 0);
  // A tool that is no browser sends no Origin.
  EXPECT_TRUE(Post("/reload", ours).starts_with("HTTP/1.1 202 "));
  EXPECT_TRUE(Post("/reload", ours + "Origin: http://localhost:9000\r\n", "LOCALHOST:9000")
                  .starts_with("HTTP/1.1 202 "));
  Finish();
}

// Whoever comes by whatever name is told of health and numbers, and of nothing else.
TEST_F(CommandsTest, TheMetricsAddressHasNothingElse) {
  scope_ = Scope::kMetrics;
  StartWith(true);
  for (const char* host : {"10.0.0.1:9901", "postern.example", "localhost"}) {
    EXPECT_TRUE(Get("/healthz", host).starts_with("HTTP/1.1 200 OK\r\n")) << host;
    EXPECT_NE(Get("/metrics?name=x", host).find("postern_build_info"), std::string::npos) << host;
    for (const char* path :
         {"/", "/status", "/reload", "/log_level?level=debug", kDrainOurs, "/x"}) {
      EXPECT_TRUE(Get(path, host).starts_with("HTTP/1.1 404 ")) << path;
      EXPECT_TRUE(Post(path, "X-Postern-Token: \r\n", host).starts_with("HTTP/1.1 404 ")) << path;
    }
    EXPECT_TRUE(Post("/metrics", "", host).starts_with("HTTP/1.1 405 ")) << host;
  }
  EXPECT_EQ(source_->commands, 0);
  Finish();
}

TEST_F(CommandsTest, QueryValues) {
  EXPECT_EQ(QueryValue("a=1&b=2", "a"), "1");
  EXPECT_EQ(QueryValue("a=1&b=2", "b"), "2");
  EXPECT_EQ(QueryValue("a=1&b=2", "c"), std::nullopt);
  EXPECT_EQ(QueryValue("ab=1&b=", "b"), "");
  EXPECT_EQ(QueryValue("b", "b"), std::nullopt);
  EXPECT_EQ(QueryValue("", "b"), std::nullopt);
  EXPECT_EQ(QueryValue("&&=&b=%e2%82%ac%2B+", "b"), "\xe2\x82\xac++");
  for (const char* broken : {"b=%", "b=%4", "b=%4g", "b=%g4", "b=a%"}) {
    EXPECT_EQ(QueryValue(broken, "b"), std::nullopt) << broken;
  }
  EXPECT_EQ(QueryValue("b=%41", "b"), "A");
}

}  // namespace
}  // namespace postern::admin
