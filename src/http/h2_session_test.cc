// Every kind of frame in every state of a stream, for both sides, and what brings no progress.
#include "src/http/h2_session.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "src/base/blocks_test_util.h"

namespace postern::http {
namespace {

using Role = H2Session::Role;

enum Type : char {
  kData = 0,
  kHeaders = 1,
  kPriority = 2,
  kResetStream = 3,
  kSettings = 4,
  kPushPromise = 5,
  kPing = 6,
  kGoaway = 7,
  kWindowUpdate = 8,
  kContinuation = 9,
  kUnknown = 0x77,
};
constexpr int kEndStream = 1;
constexpr int kAck = 1;
constexpr int kEndHeaders = 4;
constexpr int kPadded = 8;

std::string Number(uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes += static_cast<char>(value >> shift);
  }
  return bytes;
}

std::string Frame(Type type, int flags, int32_t stream, std::string_view payload = "") {
  return Number(static_cast<uint32_t>(payload.size())).substr(1) + static_cast<char>(type) +
         static_cast<char>(flags) + Number(static_cast<uint32_t>(stream)) + std::string(payload);
}

// RFC 7541, Appendix A: ":method: GET", ":scheme: https", ":path: /"; then ":authority: a".
constexpr std::string_view kRequest(
    "\x82\x87\x84\x01\x01"
    "a",
    6);
constexpr std::string_view kResponse("\x88");  // ":status: 200"
constexpr std::string_view kTrailers("\x00\x01x\x01y", 5);
// "x" and 3,900 bytes, which become entry 62 of the table; then one byte names them again.
const std::string kLargeField =
    std::string("\x40\x01x\x7f") + static_cast<char>(0xbd) + "\x1d" + std::string(3900, 'y');
const std::string kBomb(16'000, '\xbe');

class Peer;

class Stream final : public H2Stream {
 public:
  Stream(int32_t id, H2Session* session) : H2Stream(base::TestBlocks(), id), session_(session) {}
  void OnHead(std::string_view, HeadError) override { ++heads_; }
  void OnTrailers(std::string_view, HeadError) override {}
  void OnData(std::string_view data) override {
    session_->CreditStream(*this, data.size());
    session_->CreditConnection(data.size());
  }
  void OnEnd() override { ended_ = true; }
  void OnClosed(H2Error error) override { closed_ = error; }
  void OnSent() override {}

  int heads_ = 0;
  bool ended_ = false;
  std::optional<H2Error> closed_;

 private:
  H2Session* session_;
};

// What the session under test talks to.
class Peer final : public H2Sink {
 public:
  explicit Peer(Role role) : role_(role), session_(role, {}, &library_, base::TestBlocks(), this) {
    Say((role == Role::kServer ? "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" : "") + Frame(kSettings, 0, 0) +
        Frame(kSettings, 1, 0));
  }
  ~Peer() override = default;

  H2Stream* OnRequest(int32_t id, std::string_view, HeadError, bool) override {
    if (refuse_) {
      return nullptr;
    }
    return (streams_[id] = std::make_unique<Stream>(id, &session_)).get();
  }
  void Output(std::string_view bytes) override { said_ += bytes; }
  bool HasOutputRoom() const override { return true; }

  void Say(const std::string& frames) {
    // In pieces, as they come.
    std::string_view left = frames;
    while (!left.empty() && session_.Receive(left.substr(0, 16'384), now_ms_)) {
      left.remove_prefix(std::min<size_t>(left.size(), 16'384));
      session_.Send();
    }
    session_.Send();
  }
  // The client's side: a request of ours.
  int32_t Ask(bool end_stream = true) {
    auto stream = std::make_unique<Stream>(0, &session_);
    std::string lines = "x: y\r\n";
    EXPECT_TRUE(
        session_.SubmitRequest(stream.get(), {"GET", "https", "a", "/"}, lines, end_stream));
    session_.Send();
    int32_t id = stream->id();
    streams_[id] = std::move(stream);
    return id;
  }
  void Answer(int32_t id) {
    session_.SubmitResponse(streams_[id].get(), 200, {}, true);
    session_.Send();
  }
  void Reset(int32_t id) {
    session_.Reset(*streams_[id], H2Error::kCancel);
    session_.Send();
  }
  Stream& stream(int32_t id) { return *streams_.at(id); }
  H2Session& session() { return session_; }

  // How the connection stands: the error of the last GOAWAY, or nothing.
  std::optional<uint32_t> Verdict() const {
    std::optional<uint32_t> error;
    EachFrame([&](char type, int32_t, std::string_view payload) {
      if (type == kGoaway) {
        error = static_cast<uint8_t>(payload[7]);
      }
    });
    return session_.failed() ? error : std::nullopt;
  }
  // The types of all frames so far, a character each.
  std::string Types() const {
    std::string types;
    EachFrame([&](char type, int32_t, std::string_view) { types += type; });
    return types;
  }
  // Error codes of RST_STREAM on this stream.
  std::string Resets(int32_t id) const {
    std::string codes;
    EachFrame([&](char type, int32_t stream, std::string_view payload) {
      codes += type == kResetStream && stream == id ? std::to_string(payload[3]) + " " : "";
    });
    return codes;
  }

  bool refuse_ = false;
  int64_t now_ms_ = 1'000'000;

 private:
  template <typename Visit>
  void EachFrame(Visit visit) const {
    std::string_view left = said_;
    left.remove_prefix(role_ == Role::kClient ? 24 : 0);
    while (left.size() >= 9) {
      auto byte = [&left](size_t i) { return static_cast<uint8_t>(left[i]); };
      size_t size = size_t{byte(0)} << 16 | size_t{byte(1)} << 8 | byte(2);
      visit(left[3], byte(7) << 8 | byte(8), left.substr(9, size));
      left.remove_prefix(9 + size);
    }
  }

  Role role_;
  std::string said_;
  H2Library library_;
  std::map<int32_t, std::unique_ptr<Stream>> streams_;
  H2Session session_;
};

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
    for (int32_t id = 3; id < 2000 && !peer.session().failed(); id += 2, ++taken) {
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
