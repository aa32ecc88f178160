#include "tools/load/results.h"

#include <gtest/gtest.h>

#include <string>

#include "src/admin/json_test_util.h"

namespace postern::load {
namespace {

Options SomeOptions() {
  return ParseOptions({"--cert=c", "--key=k", "https://gate.test/a?b&c"}).value();
}

Results SomeResults() {
  Results results;
  results.driver = "io_uring";
  results.counted_s = 2;
  results.identities = 3;
  for (size_t second = 0; second < 3; ++second) {
    Tally tally;
    tally.due = 12;
    tally.latency[0].Add(5000);
    tally.handshake[0].Add(3000);
    tally.declined = 1;
    for (int i = 0; i < 9; ++i) {
      tally.latency[2].Add(100 + i);
    }
    tally.status_class[2] = 9;
    tally.status_class[4] = 1;
    tally.failures[static_cast<size_t>(Failure::kRefusedByServer)] = 2;
    tally.alerts[44] = 2;
    tally.body_bytes = 1000;
    tally.open_connections = 4;
    results.rows.push_back(RowOf(second, second > 0, tally));
    if (second > 0) {
      results.total.Add(tally);
    }
  }
  results.commands.push_back({"echo \"<x>\" & \x01", 1.5, 1.75, 3});
  results.commands.push_back({"sleep 100", 1.6, -1, -1});
  IdentityFate fate;
  fate.answers = 5;
  fate.refusals = 2;
  fate.last_answer_us = 1'400'000;
  fate.first_refusal_us = 1'600'000;
  results.refused.push_back({"c7", fate});
  return results;
}

TEST(Tally, SumsUp) {
  const Results results = SomeResults();
  const Tally& total = results.total;
  EXPECT_EQ(total.answers(), 20u);
  EXPECT_EQ(total.failed(), 4u);
  EXPECT_EQ(total.due, 24u);
  EXPECT_EQ(total.alerts.at(44), 4u);
  EXPECT_EQ(total.AllLatencies().count(), 20u);
  EXPECT_EQ(total.AllLatencies().max_us(), 5000);
}

TEST(Fate, OfOneIdentityInTwoWorkers) {
  IdentityFate one;
  one.answers = 2;
  one.last_answer_us = 50;
  IdentityFate other;
  other.refusals = 1;
  other.first_refusal_us = 40;
  other.last_answer_us = 30;
  other.answers_after_refusal = 1;
  one.Add(other);
  EXPECT_EQ(one.answers, 2u);
  EXPECT_EQ(one.last_answer_us, 50);
  EXPECT_EQ(one.first_refusal_us, 40);
  EXPECT_EQ(one.answers_after_refusal, 1u);
  one.Add(IdentityFate());
  EXPECT_EQ(one.first_refusal_us, 40);
}

TEST(Summary, SaysWhatHappened) {
  std::string text = Summary(SomeOptions(), SomeResults());
  for (const char* part :
       {"10.0/s", "2xx 18", "4xx 2", "refused_by_server 4", "certificate_revoked 4",
        "c7: first refusal at 1.600 s, last answer at 1.400 s, requests after the refusal "
        "answered: 0",
        "ended with 3 after 0.250 s", "'sleep 100' did not end", "3 identities"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
  EXPECT_EQ(text.find("warning"), std::string::npos);
}

TEST(Summary, WarnsOfAGeneratorAtItsLimitAndOfNoAnswers) {
  Results results;
  results.counted_s = 1;
  results.busy_share = 0.99;
  std::string text = Summary(SomeOptions(), results);
  EXPECT_NE(text.find("at its limit"), std::string::npos);
  EXPECT_NE(text.find("not one answer"), std::string::npos);
}

TEST(Json, IsJsonWithEveryFigure) {
  std::optional<admin::Json> json = admin::JsonReader::Read(Json(SomeOptions(), SomeResults()));
  ASSERT_TRUE(json.has_value());
  EXPECT_EQ((*json)["operations"]["responses"].number(), 20);
  EXPECT_EQ((*json)["operations"]["errors"].number(), 4);
  EXPECT_EQ((*json)["status"]["2xx"].number(), 18);
  EXPECT_EQ((*json)["handshakes"]["full"].number(), 2);
  EXPECT_EQ((*json)["handshakes"]["declined"].number(), 2);
  EXPECT_EQ((*json)["alerts"]["certificate_revoked"].number(), 4);
  EXPECT_EQ((*json)["latency"]["all"]["max_us"].number(), 5000);
  EXPECT_EQ((*json)["commands"][0]["began_ms"].number(), 1500);
  EXPECT_EQ((*json)["commands"][1]["ended_ms"].number(), -1);
  EXPECT_EQ((*json)["refused_identities"][0]["name"].text, "c7");
  EXPECT_EQ((*json)["refused_identities"][0]["last_response_us"].number(), 1'400'000);
  EXPECT_FALSE((*json)["seconds"][0]["counted"].boolean);
  EXPECT_TRUE((*json)["seconds"][2]["counted"].boolean);
}

// Every element is closed, and text cannot become markup.
TEST(Plot, IsWellFormed) {
  for (const Results& results : {SomeResults(), Results()}) {
    std::string text = Plot(SomeOptions(), results);
    EXPECT_EQ(text.find("nan"), std::string::npos) << text;
    EXPECT_EQ(text.find("inf"), std::string::npos) << text;
    EXPECT_EQ(text.find('\x01'), std::string::npos);
    EXPECT_EQ(text.find("<x>"), std::string::npos);
    EXPECT_TRUE(text.starts_with("<svg "));
    EXPECT_TRUE(text.ends_with("</svg>\n"));
    size_t opened = 0;
    size_t closed = 0;
    for (size_t i = 0; i + 1 < text.size(); ++i) {
      opened += text[i] == '<' && text[i + 1] != '/' ? 1u : 0u;
      closed += (text[i] == '<' && text[i + 1] == '/') || (text[i] == '/' && text[i + 1] == '>');
    }
    EXPECT_EQ(opened, closed);
  }
  EXPECT_NE(Plot(SomeOptions(), SomeResults()).find("&lt;x&gt;"), std::string::npos);
}

}  // namespace
}  // namespace postern::load
