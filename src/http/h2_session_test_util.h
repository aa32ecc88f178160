// What a session under test talks to: frames as bytes, and what it has said.
#ifndef POSTERN_SRC_HTTP_H2_SESSION_TEST_UTIL_H_
#define POSTERN_SRC_HTTP_H2_SESSION_TEST_UTIL_H_

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "src/base/blocks_test_util.h"
#include "src/http/h2_frames_test_util.h"
#include "src/http/h2_session.h"

namespace postern::http {

using Role = H2Session::Role;

using frames::Frame;
using frames::kAck;
using frames::kContinuation;
using frames::kData;
using frames::kEndHeaders;
using frames::kEndStream;
using frames::kGoaway;
using frames::kHeaders;
using frames::kPadded;
using frames::kPing;
using frames::kPriority;
using frames::kPushPromise;
using frames::kResetStream;
using frames::kSettings;
using frames::kUnknown;
using frames::kWindowUpdate;
using frames::Number;
using frames::Type;

// RFC 7541, Appendix A: ":method: GET", ":scheme: https", ":path: /"; then ":authority: a".
inline constexpr std::string_view kRequest(
    "\x82\x87\x84\x01\x01"
    "a",
    6);
inline constexpr std::string_view kResponse("\x88");  // ":status: 200"
inline constexpr std::string_view kTrailers("\x00\x01x\x01y", 5);
// "x" and 3,900 bytes, which become entry 62 of the table; then one byte names them again.
inline const std::string kLargeField =
    std::string("\x40\x01x\x7f") + static_cast<char>(0xbd) + "\x1d" + std::string(3900, 'y');
inline const std::string kBomb(16'000, '\xbe');

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

}  // namespace postern::http

#endif  // POSTERN_SRC_HTTP_H2_SESSION_TEST_UTIL_H_
