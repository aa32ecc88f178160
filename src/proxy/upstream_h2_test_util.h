// A server of HTTP/2 that is the test, frame by frame, behind the world of proxy_test_util.h.
#ifndef POSTERN_SRC_PROXY_UPSTREAM_H2_TEST_UTIL_H_
#define POSTERN_SRC_PROXY_UPSTREAM_H2_TEST_UTIL_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "src/http/h2_frames_test_util.h"
#include "src/proxy/user_test_util.h"

namespace postern::proxy {

using http::frames::Frame;
using http::frames::kData;
using http::frames::kEndHeaders;
using http::frames::kEndStream;
using http::frames::kGoaway;
using http::frames::kHeaders;
using http::frames::kResetStream;
using http::frames::kSettings;
using http::frames::kWindowUpdate;
using http::frames::Number;

// RFC 7541, Appendix A: index 8 is ":status: 200".
inline std::string Ok(uint32_t stream, const std::string& body) {
  return Frame(kHeaders, kEndHeaders, stream, "\x88") + Frame(kData, kEndStream, stream, body);
}

inline constexpr uint32_t kRefusedStream = 7;

// The frames that a server has been sent after the preface, one after the other.
struct SentFrame {
  uint8_t type = 0;
  std::string_view payload;
};
inline std::vector<SentFrame> FramesOf(std::string_view sent) {
  std::vector<SentFrame> frames;
  sent.remove_prefix(std::min<size_t>(sent.size(), 24));
  while (sent.size() >= 9) {
    auto byte = [&sent](size_t i) { return static_cast<uint8_t>(sent[i]); };
    size_t size = size_t{byte(0)} << 16 | size_t{byte(1)} << 8 | byte(2);
    frames.push_back({byte(3), sent.substr(9, size)});
    sent.remove_prefix(std::min(sent.size(), 9 + size));
  }
  return frames;
}

class UpstreamH2Test : public ::testing::Test {
 protected:
  static WorldOptions Options() {
    WorldOptions options;
    options.servers = 1;
    options.config.groups.emplace_back();
    options.config.groups[0].name = "app";
    options.config.groups[0].protocol = config::UpstreamProtocol::kHttp2;
    return options;
  }

  FakeSocket& server(size_t index = 0) { return *world_.driver.upstreams.at(index); }
  void Greet(size_t index = 0) { server(index).inbound += Frame(kSettings, 0, 0); }
  // How many request heads the server has been sent.
  static size_t Heads(std::string_view sent) {
    std::vector<SentFrame> frames = FramesOf(sent);
    return static_cast<size_t>(std::count_if(
        frames.begin(), frames.end(), [](const SentFrame& f) { return f.type == kHeaders; }));
  }

  TestWorld world_{Options()};
};

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_UPSTREAM_H2_TEST_UTIL_H_
