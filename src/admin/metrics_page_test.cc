// What /metrics tells, where it is more than a number under a name.
#include <gtest/gtest.h>

#include <string>

#include "src/admin/admin_test_util.h"

namespace postern::admin {
namespace {

TEST_F(AdminTest, RefusalsByReasonAndKind) {
  Start();
  source_->shards.resize(2);
  auto refuse = [this](size_t shard, tls::Reason reason, uint64_t all, uint64_t resuming) {
    source_->shards[shard].counters.refusals[static_cast<size_t>(reason)] = all;
    source_->shards[shard].counters.refusals_resuming[static_cast<size_t>(reason)] = resuming;
  };
  refuse(0, tls::Reason::kExpired, 5, 1);
  refuse(1, tls::Reason::kExpired, 3, 2);
  refuse(0, tls::Reason::kNoCertificate, 7, 0);
  refuse(1, tls::Reason::kTicketProof, 4, 4);
  std::string page = Body(Get("/metrics"));
  std::string name = "\npostern_handshake_refusals_total{";
  for (const char* sample : {
           "reason=\"expired\",kind=\"full\"} 5\n",
           "reason=\"expired\",kind=\"resumed\"} 3\n",
           "reason=\"no_certificate\",kind=\"full\"} 7\n",
           "reason=\"ticket_proof\",kind=\"resumed\"} 4\n",
       }) {
    EXPECT_NE(page.find(name + sample), page.npos) << sample << page;
  }
  EXPECT_EQ(Count(page, name), 4u) << "none that is 0";
  Finish();
}

}  // namespace
}  // namespace postern::admin
