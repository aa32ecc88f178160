#include "src/control/expiry_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "absl/strings/str_cat.h"

namespace postern::control {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int64_t kNow = 1'800'000'000;
constexpr int64_t kDay = 86'400;

class ExpiryWatchTest : public ::testing::Test {
 protected:
  void Add(std::string_view role, int64_t lifetime_s, int64_t left_s, std::string file = "a.crt") {
    list_.certificates.push_back(
        {role, std::move(file), "CN=a", kNow + left_s, kNow + left_s - lifetime_s});
  }
  std::vector<std::string> Look(int64_t after_s = 0) {
    std::vector<const tls::RevocationIndex*> indexes;
    for (const auto& index : indexes_) {
      indexes.push_back(index.get());
    }
    return watch_.Look(list_, indexes, kNow + after_s);
  }
  void AddList(int64_t period_s, int64_t left_s) {
    tls::RevocationIndex::Builder builder(0);
    builder.AddList({.name = "a.crl",
                     .issuer = "CN=ca",
                     .this_update_s = kNow + left_s - period_s,
                     .next_update_s = kNow + left_s,
                     .number = "2A"});
    indexes_.push_back(builder.Build());
  }

  ExpiryWatch watch_;
  CertificateList list_;
  std::vector<std::unique_ptr<tls::RevocationIndex>> indexes_;
};

TEST_F(ExpiryWatchTest, WhatHasNotBegun) {
  Add("server", 30 * kDay, 31 * kDay);
  Add("client_ca", 30 * kDay, 31 * kDay, "told_when_loaded.crt");
  EXPECT_THAT(Look(), ElementsAre("a.crt: the certificate that listeners present CN=a is not valid "
                                  "before 2027-01-16T08:00:00Z"));
  EXPECT_THAT(Look(60), IsEmpty());
  EXPECT_THAT(Look(kDay), IsEmpty());
}

TEST_F(ExpiryWatchTest, EachStageOnce) {
  Add("server", 365 * kDay, 20 * kDay);
  EXPECT_THAT(Look(), IsEmpty());
  EXPECT_THAT(Look(6 * kDay),
              ElementsAre("a.crt: the certificate that listeners present CN=a expires in 14 days, "
                          "at 2027-02-04T08:00:00Z"));
  EXPECT_THAT(Look(7 * kDay), IsEmpty());
  EXPECT_THAT(Look(19 * kDay), ElementsAre(HasSubstr("expires in 24 hours")));
  EXPECT_THAT(Look(20 * kDay), IsEmpty()) << "the last second counts";
  EXPECT_THAT(Look(20 * kDay + 1), ElementsAre(HasSubstr("CN=a has expired at 2027-02-04T")));
  EXPECT_THAT(Look(21 * kDay), IsEmpty());
  EXPECT_THAT(Look(), IsEmpty()) << "a clock that is set back";
}

// Those of a day are renewed all the time; only one that is late is worth a word.
TEST_F(ExpiryWatchTest, ShortLives) {
  Add("upstream", kDay, kDay / 3);
  EXPECT_THAT(Look(), IsEmpty());
  EXPECT_THAT(Look(kDay / 3 - kDay / 4), ElementsAre(HasSubstr("expires in 6 hours")));
  EXPECT_THAT(Look(kDay / 3 - kDay / 16), ElementsAre(HasSubstr("expires in 90 minutes")));
}

TEST_F(ExpiryWatchTest, ARenewedOneIsAnother) {
  Add("server", 90 * kDay, kDay);
  EXPECT_THAT(Look(), SizeIs(1));
  list_.certificates.clear();
  Add("server", 90 * kDay, 90 * kDay);
  EXPECT_THAT(Look(), IsEmpty());
  list_.certificates.clear();
  Add("server", 90 * kDay, kDay);
  EXPECT_THAT(Look(), SizeIs(1)) << "the old one again";
}

// What is over already when it is loaded, the loader says, but for what we present.
TEST_F(ExpiryWatchTest, OverFromTheBeginning) {
  Add("client_ca", 90 * kDay, -kDay);
  AddList(kDay, -kDay);
  EXPECT_THAT(Look(), IsEmpty());
  Add("server", 90 * kDay, -kDay);
  EXPECT_THAT(Look(), ElementsAre(HasSubstr("has expired")));
  list_.certificates.clear();
  Add("client_ca", 90 * kDay, 10, "b.crt");
  EXPECT_THAT(Look(), ElementsAre(AllOf(HasSubstr("b.crt: the client CA CN=a"),
                                        HasSubstr("expires in less than 2 minutes"))));
  EXPECT_THAT(Look(11), ElementsAre(HasSubstr("b.crt: the client CA CN=a has expired")));
}

TEST_F(ExpiryWatchTest, Lists) {
  AddList(10 * kDay, 2 * kDay);
  EXPECT_THAT(Look(), IsEmpty());
  EXPECT_THAT(Look(kDay),
              ElementsAre("a.crl: the revocation list of CN=ca, number 2A has no successor yet: it "
                          "is due in 24 hours, at 2027-01-17T08:00:00Z"));
  EXPECT_THAT(Look(2 * kDay + 1),
              ElementsAre("a.crl: the revocation list of CN=ca, number 2A is past its nextUpdate, "
                          "2027-01-17T08:00:00Z"));
  EXPECT_THAT(Look(2 * kDay + 2), IsEmpty());
}

TEST_F(ExpiryWatchTest, OfAGreatManyTheFirst) {
  for (size_t i = 0; i < ExpiryWatch::kLinesMax + 5; ++i) {
    Add("client_ca", 90 * kDay, kDay, absl::StrCat(i, ".crt"));
  }
  const std::vector<std::string> lines = Look();
  ASSERT_THAT(lines, SizeIs(ExpiryWatch::kLinesMax + 1));
  EXPECT_THAT(lines.back(), HasSubstr("5 more certificates and lists come to their end"));
  EXPECT_THAT(Look(), IsEmpty());
}

}  // namespace
}  // namespace postern::control
