#include "src/http/h2_closed.h"

#include <gtest/gtest.h>

namespace postern::http {
namespace {

TEST(H2ClosedStreams, WhatIsForgottenMayBeNewsForAWholeMinute) {
  H2ClosedStreams closed;
  for (int32_t id = 1; id < 33; id += 2) {
    closed.Remember(id);
  }
  EXPECT_TRUE(closed.MayBeNews(1));
  EXPECT_FALSE(closed.MayBeNews(99));
  closed.Remember(33);  // in the place of 1
  EXPECT_TRUE(closed.MayBeNews(1));
  closed.OnMinute();  // perhaps a moment later
  EXPECT_TRUE(closed.MayBeNews(1));
  closed.OnMinute();
  EXPECT_FALSE(closed.MayBeNews(1));
  EXPECT_TRUE(closed.MayBeNews(33));
  closed.OnMinute();
  EXPECT_FALSE(closed.MayBeNews(1));
}

}  // namespace
}  // namespace postern::http
