#include "src/http/websocket.h"

#include <gtest/gtest.h>

#include <string>

namespace postern::http {
namespace {

std::string Frame(size_t size, bool masked, std::string_view length) {
  std::string frame = "\x82";
  frame += static_cast<char>((masked ? 0x80 : 0) | length[0]);
  frame += length.substr(1);
  frame.append(masked ? 4 : 0, 'm');
  return frame + std::string(size, 'x');
}

struct Case {
  const char* name;
  std::string frame;
};

// RFC 6455, 5.2: the three forms of a length, with and without a mask.
const Case kFrames[] = {
    {"empty", Frame(0, false, std::string("\x00", 1))},
    {"short", Frame(125, false, "\x7d")},
    {"short masked", Frame(5, true, "\x05")},
    {"16 bits", Frame(300, false, "\x7e\x01\x2c")},
    {"16 bits masked", Frame(300, true, "\x7e\x01\x2c")},
    {"64 bits", Frame(65536, false, std::string("\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 9))},
    {"64 bits masked", Frame(65536, true, std::string("\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 9))},
    {"going away", std::string(kWebSocketGoingAway)},
};

TEST(WebSocketFramesTest, IsAtABoundaryOnlyBetweenFrames) {
  for (const Case& test : kFrames) {
    SCOPED_TRACE(test.name);
    WebSocketFrames frames;
    EXPECT_TRUE(frames.at_boundary());
    for (size_t i = 0; i < test.frame.size(); ++i) {
      frames.Take(std::string_view(test.frame).substr(i, 1));
      ASSERT_EQ(frames.at_boundary(), i + 1 == test.frame.size()) << i;
    }
  }
}

TEST(WebSocketFramesTest, TakesManyFramesInAnySplit) {
  std::string all;
  for (const Case& test : kFrames) {
    all += test.frame;
  }
  for (size_t piece : {size_t{1}, size_t{2}, size_t{3}, size_t{7}, size_t{125}, size_t{4096}}) {
    WebSocketFrames frames;
    for (size_t i = 0; i < all.size(); i += piece) {
      frames.Take(std::string_view(all).substr(i, piece));
    }
    EXPECT_TRUE(frames.at_boundary()) << piece;
    frames.Take("\x82");
    EXPECT_FALSE(frames.at_boundary()) << piece;
  }
}

}  // namespace
}  // namespace postern::http
