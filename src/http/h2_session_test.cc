// Every kind of frame in every state of a stream, for both sides, and what brings no progress.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "src/http/h2_budget.h"
#include "src/http/h2_session_test_util.h"

namespace postern::http {
namespace {

constexpr uint32_t kProtocolError = 1, kStreamClosed = 5, kCalm = 11;

// States that a stream of the peer under test is in when the frame comes; stream 1 is it.
void Finished(Peer* peer, Role role) {
  if (role == Role::kServer) {
    peer->Say(Frame(kHeaders, kEndHeaders | kEndStream, 1, kRequest));
    peer->Answer(1);
  } else {
    peer->Ask();
    peer->Say(Frame(kHeaders, kEndHeaders | kEndStream, 1, kResponse));
  }
}
void ResetByPeer(Peer* peer, Role role) {
  if (role == Role::kServer) {
    peer->Say(Frame(kHeaders, kEndHeaders, 1, kRequest));
  } else {
    peer->Ask();
  }
  peer->Say(Frame(kResetStream, 0, 1, Number(8)));
}
void ResetByUs(Peer* peer, Role role) {
  if (role == Role::kServer) {
    peer->Say(Frame(kHeaders, kEndHeaders, 1, kRequest));
  } else {
    peer->Ask();
  }
  peer->Reset(1);
}

std::string_view HeadOf(Role role) {
  return role == Role::kServer ? kRequest : kResponse;
}

class H2SessionTest : public ::testing::TestWithParam<Role> {
 protected:
  Peer peer_{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Sides, H2SessionTest, ::testing::Values(Role::kServer, Role::kClient));

TEST_P(H2SessionTest, NothingFollowsTheEndOfAStream) {
  for (auto end : {Finished, ResetByPeer}) {
    for (const std::string& frame :
         {Frame(kData, 0, 1, "late"), Frame(kData, kEndStream, 1),
          Frame(kHeaders, kEndHeaders, 1, HeadOf(GetParam())),
          Frame(kHeaders, kEndHeaders | kEndStream, 1, kTrailers), Frame(kHeaders, 0, 1, "")}) {
      Peer peer(GetParam());
      end(&peer, GetParam());
      EXPECT_EQ(peer.Verdict(), std::nullopt);
      peer.Say(frame);
      EXPECT_EQ(peer.Verdict(), kStreamClosed) << static_cast<int>(frame[3]);
    }
  }
}

TEST_P(H2SessionTest, WhatCrossesTheEndIsHarmless) {
  for (auto end : {Finished, ResetByPeer, ResetByUs}) {
    Peer peer(GetParam());
    end(&peer, GetParam());
    peer.Say(Frame(kResetStream, 0, 1, Number(8)) + Frame(kWindowUpdate, 0, 1, Number(9)) +
             Frame(kPriority, 0, 1, std::string(5, '\0')) + Frame(kUnknown, 0, 1, "x"));
    EXPECT_EQ(peer.Verdict(), std::nullopt);
  }
}

TEST_P(H2SessionTest, WhatCrossesAResetOfOursIsHarmless) {
  ResetByUs(&peer_, GetParam());
  peer_.Say(Frame(kData, 0, 1, std::string(16'000, 'x')) + Frame(kData, 0, 1, "x") +
            Frame(kHeaders, kEndHeaders | kEndStream, 1, kTrailers));
  EXPECT_EQ(peer_.Verdict(), std::nullopt);
  EXPECT_EQ(peer_.Resets(1), "8 ");
}

TEST_P(H2SessionTest, IdleStreamsTakeNothing) {
  for (const std::string& frame :
       {Frame(kData, 0, 7, "early"), Frame(kResetStream, 0, 7, Number(8)),
        Frame(kWindowUpdate, 0, 7, Number(9))}) {
    Peer peer(GetParam());
    Finished(&peer, GetParam());
    peer.Say(frame);
    EXPECT_EQ(peer.Verdict(), kProtocolError) << static_cast<int>(frame[3]);
  }
}

// RFC 7540, 5.3.1, whatever pieces it comes in; streams of other numbers are nobody's matter.
TEST_P(H2SessionTest, NoStreamDependsOnItself) {
  for (const bool is_bytewise : {false, true}) {
    Peer peer(GetParam());
    const auto say = [&](const std::string& frame) {
      if (!is_bytewise) {
        peer.Say(frame);
      }
      for (size_t i = 0; is_bytewise && i < frame.size(); ++i) {
        peer.Say(frame.substr(i, 1));
      }
    };
    say(Frame(kPriority, 0, 5, Number(7) + "x") + Frame(kPriority, 0, 7, Number(5) + "x") +
        Frame(kPing, 0, 0, std::string(8, 'x')));
    EXPECT_EQ(peer.Verdict(), std::nullopt);
    say(Frame(kPriority, 0, 5, Number(5) + "x"));
    EXPECT_EQ(peer.Verdict(), kProtocolError);
  }
}

TEST_P(H2SessionTest, NobodyPromises) {
  peer_.Say(Frame(kPushPromise, kEndHeaders, 1, Number(2) + std::string(kRequest)));
  EXPECT_EQ(peer_.Verdict(), kProtocolError);
}

class H2FloodTest : public H2SessionTest {};
INSTANTIATE_TEST_SUITE_P(Sides, H2FloodTest, ::testing::Values(Role::kServer, Role::kClient));

// How many of `frames` identical frames are taken before the connection ends, and how it does.
struct Flood {
  size_t taken = 0;
  std::optional<uint32_t> verdict;
  H2Abuse abuse = H2Abuse::kNone;
};
Flood FloodOf(Peer* peer, const std::string& frame, size_t frames) {
  Flood flood;
  while (flood.taken < frames && !peer->session().failed()) {
    peer->Say(frame);
    flood.taken += peer->session().failed() ? 0u : 1u;
  }
  flood.verdict = peer->Verdict();
  flood.abuse = peer->session().abuse();
  return flood;
}

TEST_P(H2FloodTest, TheTableIsNotUnfoldedOnAStreamThatWasReset) {
  ResetByUs(&peer_, GetParam());
  peer_.Say(Frame(kHeaders, kEndHeaders, 1, kLargeField));
  Flood flood = FloodOf(&peer_, Frame(kHeaders, kEndHeaders, 1, kBomb), 1000);
  EXPECT_LE(flood.taken, 20u);
  EXPECT_EQ(flood.verdict, kCalm);
  EXPECT_EQ(flood.abuse, H2Abuse::kClosedStreams);
}

TEST_P(H2FloodTest, NorBehindAMalformedField) {
  if (GetParam() == Role::kClient) {
    peer_.Ask();
  }
  peer_.Say(
      Frame(kHeaders, 0, 1,
            std::string(HeadOf(GetParam())) + kLargeField + std::string("\x00\x01X\x01y", 5)));
  Flood flood = FloodOf(&peer_, Frame(kContinuation, 0, 1, kBomb), 1000);
  EXPECT_LE(flood.taken, 20u);
  EXPECT_EQ(flood.abuse, H2Abuse::kClosedStreams);
}

TEST_P(H2FloodTest, BodiesOnAStreamThatWasResetEnd) {
  ResetByUs(&peer_, GetParam());
  Flood flood = FloodOf(&peer_, Frame(kData, 0, 1, std::string(16'000, 'x')), 1000);
  EXPECT_GE(flood.taken * 16'000, h2_limits::kLateDataBytesMax - 16'000);
  EXPECT_LT(flood.taken, 1000u);
  EXPECT_EQ(flood.abuse, H2Abuse::kClosedStreams);
}

TEST_P(H2FloodTest, ResetsOfFinishedStreamsEnd) {
  Finished(&peer_, GetParam());
  Flood flood = FloodOf(&peer_, Frame(kResetStream, 0, 1, Number(8)), 10'000);
  EXPECT_EQ(flood.taken, h2_limits::kLateResetsMax + 1);  // and one for the request
  EXPECT_EQ(flood.abuse, H2Abuse::kClosedStreams);
}

TEST_P(H2FloodTest, UnknownTypesEnd) {
  EXPECT_EQ(FloodOf(&peer_, Frame(kUnknown, 0, 0), 10'000).taken, h2_limits::kUnknownFramesMax);
}

TEST_P(H2FloodTest, GoawaysEnd) {
  Flood flood = FloodOf(&peer_, Frame(kGoaway, 0, 0, Number(1) + Number(0)), 10'000);
  EXPECT_LE(flood.taken, h2_limits::kGoawaysMax);
}

TEST_P(H2FloodTest, PaddingIsNoBody) {
  if (GetParam() == Role::kServer) {
    peer_.Say(Frame(kHeaders, kEndHeaders, 1, kRequest));
  } else {
    peer_.Ask();
    peer_.Say(Frame(kHeaders, kEndHeaders, 1, kResponse));
  }
  Flood flood = FloodOf(&peer_, Frame(kData, kPadded, 1, std::string("\x01\0", 2)), 10'000);
  EXPECT_EQ(flood.abuse, H2Abuse::kEmptyData);
}

// Refused, and above the last stream of a GOAWAY: the same, though nghttp2 tells of neither.
TEST(H2ServerSessionTest, UnwantedRequestsAreDecodedOnlySoFar) {
  for (bool goaway : {true, false}) {
    Peer peer(Role::kServer);
    peer.Say(Frame(kHeaders, kEndHeaders, 1, std::string(kRequest) + kLargeField));
    peer.refuse_ = true;
    if (goaway) {
      peer.session().Goaway(H2Error::kNoError);
      peer.session().Send();
    }
    size_t taken = 0;
    for (uint32_t id = 3; id < 2000 && !peer.session().failed(); id += 2, ++taken) {
      peer.Say(Frame(kHeaders, 0, id, kRequest) + Frame(kContinuation, kEndHeaders, id, kBomb));
    }
    EXPECT_LT(taken, 25u);
    EXPECT_NE(peer.session().abuse(), H2Abuse::kNone);
  }
}

// Whoever has answered the PING behind the announcement has read the announcement.
TEST(H2ServerSessionTest, HearsThatTheClientKnows) {
  Peer peer(Role::kServer);
  std::string answer = Frame(kPing, kAck, 0, "farewell");
  peer.Say(Frame(kSettings, 0, 0) + answer);
  EXPECT_FALSE(peer.session().goaway_heard()) << "nothing was announced";
  peer.session().AnnounceGoaway();
  peer.session().Send();
  EXPECT_TRUE(peer.Types().ends_with(std::string{kGoaway, kPing})) << "in this order";
  peer.Say(Frame(kPing, kAck, 0, "whatever"));
  EXPECT_FALSE(peer.session().goaway_heard());
  peer.Say(answer);
  EXPECT_TRUE(peer.session().goaway_heard());
}

TEST(H2ServerSessionTest, WhetherAStreamHasWindow) {
  Peer peer(Role::kServer);
  const std::string none("\0\4\0\0\0\0", 6);  // SETTINGS_INITIAL_WINDOW_SIZE
  peer.Say(Frame(kSettings, 0, 0, none) + Frame(kHeaders, kEndHeaders | kEndStream, 1, kRequest));
  EXPECT_FALSE(peer.session().HasWindow(peer.stream(1)));
  peer.Say(Frame(kWindowUpdate, 0, 1, Number(1)));
  EXPECT_TRUE(peer.session().HasWindow(peer.stream(1)));
}

// A client may have sent its body before it learns that the request is above the last one.
TEST(H2ServerSessionTest, ABodyAboveGoawayIsHarmless) {
  Peer peer(Role::kServer);
  peer.Say(Frame(kHeaders, kEndHeaders | kEndStream, 1, kRequest));
  peer.session().Goaway(H2Error::kNoError);
  peer.session().Send();
  peer.Say(Frame(kHeaders, kEndHeaders, 3, kRequest) + Frame(kData, kEndStream, 3, "body"));
  EXPECT_FALSE(peer.session().failed());
}

TEST(H2ServerSessionTest, HalfClosedStreamsTakeNoMore) {
  for (const std::string& frame :
       {Frame(kData, 0, 1, "more"), Frame(kHeaders, kEndHeaders | kEndStream, 1, kTrailers)}) {
    Peer peer(Role::kServer);
    peer.Say(Frame(kHeaders, kEndHeaders | kEndStream, 1, kRequest) + frame);
    EXPECT_EQ(peer.Verdict(), kStreamClosed);
  }
}

TEST(H2ServerSessionTest, MalformedIsAProtocolError) {
  Peer peer(Role::kServer);
  // ":path" behind a field.
  peer.Say(Frame(kHeaders, kEndHeaders | kEndStream, 1,
                 std::string("\x82\x87") + std::string(kTrailers) + "\x84"));
  EXPECT_EQ(peer.Resets(1), "1 ");
}

}  // namespace
}  // namespace postern::http
