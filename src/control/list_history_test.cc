// What a reload, and a successor, does not go behind.
#include "src/control/list_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "src/control/trust_files_test_util.h"

namespace postern::control {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using tls::kDay;
using tls::kNow;

constexpr char kOlder[] = "root.crl: the CRL of CN=Test Root is older than the one in force";

class ListHistoryTest : public TrustFilesTest {};

TEST_F(ListHistoryTest, AnOlderListTakesNoNewerOnesPlace) {
  trust().crl_files = {"root.crl"};
  host_.SetFile("root.crl", List(Pki().root, {.this_update_s = kNow - 100, .number = 7}));
  EXPECT_THAT(Load(), IsEmpty());
  host_.SetFile("root.crl", List(Pki().root, {.this_update_s = kNow - 101, .number = 6}));
  EXPECT_THAT(Error(), HasSubstr(kOlder));
  // A CA that has begun to count anew has a newer list all the same.
  host_.SetFile("root.crl", List(Pki().root, {.this_update_s = kNow - 50, .number = 1}));
  EXPECT_THAT(Load(), ElementsAre(HasSubstr("has number 01, lower than 07")));
  // Of the same moment the number decides.
  host_.SetFile("root.crl", List(Pki().root, {.this_update_s = kNow - 50, .number = 0}));
  EXPECT_THAT(Load(), IsEmpty());
  host_.SetFile("root.crl", List(Pki().root, {.this_update_s = kNow - 50, .number = 3}));
  EXPECT_THAT(Load(), IsEmpty());
  host_.SetFile("root.crl", List(Pki().root, {.this_update_s = kNow - 50, .number = 2}));
  EXPECT_THAT(Error(), HasSubstr(kOlder));
}

// Those of a part of what it covered tell less, and of an older time.
TEST_F(ListHistoryTest, AnOlderListOfAnotherKind) {
  trust().crl_files = {"root.crl"};
  host_.SetFile("root.crl", List(Pki().root));
  Load();
  const std::string leaves_before = List(
      Pki().root, {.this_update_s = kNow - 2 * kDay, .extensions = tls::DistributionPointDer({1})});
  host_.SetFile("root.crl", leaves_before);
  EXPECT_THAT(Error(), HasSubstr(kOlder));
  // Beside the one in force it takes nothing away.
  trust().crl_files = {"root.crl", "leaves.crl"};
  host_.SetFile("root.crl", List(Pki().root));
  host_.SetFile("leaves.crl", leaves_before);
  EXPECT_THAT(Load(), IsEmpty());
  EXPECT_EQ(index()->lists().size(), 2u);
  // Neither does the end of one of two.
  trust().crl_files = {"leaves.crl"};
  Load();
  EXPECT_EQ(index()->lists().size(), 1u);
}

// Of which the others have told more since.
TEST_F(ListHistoryTest, AListThatOthersHadReplaced) {
  const std::string whole = List(Pki().root);
  const auto part = [](size_t kind) {
    return List(Pki().root,
                {.this_update_s = kNow - 100,
                 .extensions = tls::DistributionPointDer({static_cast<uint8_t>(kind)})});
  };
  trust().crl_files = {"root.crl"};
  host_.SetFile("root.crl", whole);
  Load();
  host_.SetFile("root.crl", part(1) + part(2));
  Load();
  EXPECT_EQ(index()->lists().size(), 2u);
  host_.SetFile("root.crl", whole);
  EXPECT_THAT(Error(), HasSubstr(kOlder));
  // Beside them it may be again.
  host_.SetFile("root.crl", whole + part(1) + part(2));
  Load();
  EXPECT_EQ(index()->lists().size(), 3u);
}

TEST_F(ListHistoryTest, AListThatWasGoneForAWhile) {
  trust().ca_files = {};
  trust().ca_directories = {"cas"};
  host_.SetFile("cas/root.pem", Pki().root.pem());
  host_.SetFile("cas/root.crl", List(Pki().root));
  Load();
  host_.RemoveFile("cas/root.crl");
  Load();
  host_.SetFile("cas/root.crl", List(Pki().root, {.this_update_s = kNow - 2 * kDay}));
  EXPECT_THAT(Error(), HasSubstr(kOlder));
}

// An index that is known already is asked as well.
TEST_F(ListHistoryTest, AnOlderListOfTheCandidate) {
  host_.SetFile("root.crl", List(Pki().root));
  host_.SetFile("old.crl", List(Pki().root, {.this_update_s = kNow - 2 * kDay}));
  trust().crl_files = {"root.crl"};
  config_.listeners[0].client_auth.candidate = trust();
  config_.listeners[0].client_auth.candidate->crl_files = {"old.crl"};
  Load();
  trust().crl_files = {"old.crl"};
  EXPECT_THAT(Error(), HasSubstr("old.crl: the CRL of CN=Test Root is older"));
}

TEST_F(ListHistoryTest, GoesOverToASuccessor) {
  trust().crl_files = {"root.crl"};
  host_.SetFile("root.crl", List(Pki().root, {.extensions = tls::DistributionPointDer({}, "a")}));
  Load();
  const std::string text = materials_.lists.Encode();
  const ListHistory inherited = ListHistory::Decode(text + "list of another version\nlist\n");
  EXPECT_EQ(inherited.Encode(), text);
  EXPECT_THAT(inherited.Compare("listener 'https', CRL", *index()).errors, IsEmpty());
  host_.SetFile("root.crl", List(Pki().root, {.this_update_s = kNow - 2 * kDay,
                                              .extensions = tls::DistributionPointDer({}, "a")}));
  LoadTerms terms;
  terms.host = &host_;
  EXPECT_TRUE(LoadMaterials(materials_.config, terms).ok()) << "a restart takes what it finds";
  terms.lists = &inherited;
  EXPECT_THAT(std::string(LoadMaterials(materials_.config, terms).status().message()),
              HasSubstr(kOlder));
}

// Two listeners read it, and somebody replaces it in between: else the first would keep what was
// before for ever, as nothing changes any more.
TEST_F(ListHistoryTest, AListThatChangesWhileItIsRead) {
  trust().crl_files = {"root.crl"};
  host_.SetFile("root.crl", List(Pki().root));
  config_.listeners.push_back(config_.listeners[0]);
  config_.listeners[1].name = "other";
  // With another list beside it, it is another index, and it is read once more.
  host_.SetFile("sub.crl", List(Pki().sub_ca));
  config_.listeners[1].client_auth.trust.ca_files = {"ca.pem", "sub.pem"};
  config_.listeners[1].client_auth.trust.crl_files = {"root.crl", "sub.crl"};
  host_.SetFile("sub.pem", Pki().sub_ca.pem());
  host_.AfterRead("root.crl", [this] {
    host_.SetFile("root.crl", List(Pki().root, {.this_update_s = kNow - 1, .number = 2}));
  });
  Load();
  EXPECT_TRUE(materials_.changed_while_read);
  Load();
  EXPECT_FALSE(materials_.changed_while_read);
  EXPECT_FALSE(materials_.SameAs(before_));
  EXPECT_EQ(materials_.contexts[1].hosts[0].trust.revocation->lists()[0].this_update_s, kNow - 1);
  EXPECT_EQ(index()->lists()[0].this_update_s, kNow - 1);
  Load();
  EXPECT_TRUE(materials_.SameAs(before_));
}

}  // namespace
}  // namespace postern::control
