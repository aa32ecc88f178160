// Application data through an established engine, and how it ends.
#include <gtest/gtest.h>

#include <random>

#include "src/tls/tls_test_util.h"

namespace postern::tls {
namespace {

using HandshakeStep = Engine::HandshakeStep;
using ReadStep = Engine::ReadStep;

std::string Noise(size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string text(size, '\0');
  for (char& c : text) {
    c = static_cast<char>(random());
  }
  return text;
}

class EngineData : public ::testing::TestWithParam<uint16_t> {
 protected:
  static ClientOptions Options() {
    ClientOptions options;
    options.version_min = options.version_max = GetParam();
    return options;
  }
  void SetUp() override { ASSERT_EQ(Connect(&client_, &server_), HandshakeStep::kDone); }

  TestServer server_{BasicInput()};
  TestClient client_{Options()};
};
INSTANTIATE_TEST_SUITE_P(All, EngineData, ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION));

TEST_P(EngineData, LargeInRandomPieces) {
  std::string text = Noise(200'000, 1);
  client_.Write(text);
  std::string wire = client_.Take();
  std::mt19937 random(7);
  std::string got;
  for (std::string_view rest = wire; !rest.empty();) {
    size_t size = std::min<size_t>(rest.size(), 1 + random() % 40'000);
    server_.Feed(rest.substr(0, size));
    got += server_.Read(SIZE_MAX, 1 + random() % 20'000);
    EXPECT_EQ(server_.read_step(), ReadStep::kNeedInput);
    rest.remove_prefix(size);
  }
  EXPECT_TRUE(got == text);
}

TEST_P(EngineData, ByteByByte) {
  std::string text = Noise(20'000, 2);
  client_.Write(text);
  server_.Feed(client_.Take());
  EXPECT_TRUE(server_.Read(1) == text);
}

TEST_P(EngineData, SmallRoomKeepsTheRestOfTheRecord) {
  std::string text = Noise(16 * 1024, 3);
  client_.Write(text);
  server_.Feed(client_.Take());
  EXPECT_TRUE(server_.Read(SIZE_MAX, 100) == text);
}

TEST_P(EngineData, LargeOut) {
  std::string text = Noise(300'000, 4);
  ASSERT_TRUE(server_.Write(text));
  std::string wire = server_.Take();
  EXPECT_GT(wire.size(), text.size());
  EXPECT_LT(wire.size(), text.size() + 19 * 64 + 64);  // one header and tag a full record
  client_.Feed(wire);
  EXPECT_TRUE(client_.Read() == text);
}

TEST_P(EngineData, ManySmallWrites) {
  std::string text;
  for (int i = 0; i < 500; ++i) {
    std::string piece = Noise(static_cast<size_t>(i % 37 + 1), static_cast<unsigned>(i));
    ASSERT_TRUE(server_.Write(piece));
    text += piece;
  }
  client_.Feed(server_.Take());
  EXPECT_TRUE(client_.Read() == text);
}

TEST_P(EngineData, WriteOfNothingIsNothing) {
  EXPECT_TRUE(server_.Write(""));
  EXPECT_TRUE(server_.output().empty());
}

TEST_P(EngineData, BothWaysAtOnce) {
  for (int i = 0; i < 20; ++i) {
    client_.Write(std::string(static_cast<size_t>(i * 991), 'c'));
    ASSERT_TRUE(server_.Write(std::string(static_cast<size_t>(i * 1009), 's')));
    server_.Feed(client_.Take());
    client_.Feed(server_.Take());
    EXPECT_EQ(server_.Read(777).size(), static_cast<size_t>(i * 991));
    EXPECT_EQ(client_.Read().size(), static_cast<size_t>(i * 1009));
  }
}

TEST_P(EngineData, CloseNotifyFromClient) {
  client_.Write("last");
  client_.Shutdown();
  server_.Feed(client_.Take());
  EXPECT_EQ(server_.Read(), "last");
  EXPECT_EQ(server_.read_step(), ReadStep::kCloseNotify);
  // Again and again.
  EXPECT_EQ(server_.Read(), "");
  EXPECT_EQ(server_.read_step(), ReadStep::kCloseNotify);
  // Our half is open yet.
  ASSERT_TRUE(server_.Write("answer"));
  server_.Shutdown();
  client_.Feed(server_.Take());
  EXPECT_EQ(client_.Read(), "answer");
  EXPECT_TRUE(client_.close_notified());
}

TEST_P(EngineData, ShutdownFirst) {
  ASSERT_TRUE(server_.Write("bye"));
  server_.Shutdown();
  client_.Feed(server_.Take());
  EXPECT_EQ(client_.Read(), "bye");
  EXPECT_TRUE(client_.close_notified());
}

TEST_P(EngineData, ShutdownTwiceSaysItOnce) {
  server_.Shutdown();
  EXPECT_FALSE(server_.Take().empty());
  server_.Shutdown();
  EXPECT_TRUE(server_.Take().empty());
}

TEST_P(EngineData, WriteAfterShutdownFailsAndSaysNothing) {
  server_.Shutdown();
  server_.Take();
  EXPECT_FALSE(server_.Write("too late"));
  EXPECT_TRUE(server_.output().empty());
  EXPECT_TRUE(server_.Write(""));
}

TEST_P(EngineData, FlippedBitIsABadRecord) {
  client_.Write("secret");
  std::string wire = client_.Take();
  wire.back() = static_cast<char>(wire.back() ^ 1);
  server_.Feed(wire);
  EXPECT_EQ(server_.Read(), "");
  EXPECT_EQ(server_.read_step(), ReadStep::kFailed);
  EXPECT_EQ(server_.refusal().reason, Reason::kBadRecord);
  client_.Feed(server_.Take());
  client_.Read();
  EXPECT_EQ(client_.alert(), SSL_AD_BAD_RECORD_MAC);
  // And it stays failed.
  server_.Feed(wire);
  EXPECT_EQ(server_.Read(), "");
  EXPECT_EQ(server_.read_step(), ReadStep::kFailed);
}

TEST_P(EngineData, PlaintextAfterTheHandshakeFails) {
  server_.Feed("GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(server_.Read(), "");
  EXPECT_EQ(server_.read_step(), ReadStep::kFailed);
}

TEST_P(EngineData, ReplayedRecordFails) {
  client_.Write("once");
  std::string wire = client_.Take();
  server_.Feed(wire);
  EXPECT_EQ(server_.Read(), "once");
  server_.Feed(wire);
  EXPECT_EQ(server_.Read(), "");
  EXPECT_EQ(server_.read_step(), ReadStep::kFailed);
  EXPECT_EQ(server_.refusal().reason, Reason::kBadRecord);
}

TEST_P(EngineData, ClientAlertAfterTheHandshake) {
  SSL_send_fatal_alert(client_.ssl(), SSL_AD_INTERNAL_ERROR);
  server_.Feed(client_.Take());
  EXPECT_EQ(server_.Read(), "");
  EXPECT_EQ(server_.read_step(), ReadStep::kFailed);
  EXPECT_EQ(server_.refusal().reason, Reason::kPeerAlert);
  EXPECT_EQ(server_.refusal().peer_alert, SSL_AD_INTERNAL_ERROR);
}

TEST(EngineKeyUpdate, IsAnsweredWithTheNextWrite) {
  TestServer server{BasicInput()};
  ClientOptions options;
  options.version_min = TLS1_3_VERSION;
  TestClient client{options};
  ASSERT_EQ(Connect(&client, &server), HandshakeStep::kDone);
  ASSERT_EQ(SSL_key_update(client.ssl(), SSL_KEY_UPDATE_REQUESTED), 1);
  client.Write("after");
  server.Feed(client.Take());
  EXPECT_EQ(server.Read(), "after");
  ASSERT_TRUE(server.Write("answer"));
  client.Feed(server.Take());
  EXPECT_EQ(client.Read(), "answer");
}

// A client may ask for new keys without end; that costs us, so it has an end.
TEST(EngineKeyUpdate, FloodIsRefused) {
  TestServer server{BasicInput()};
  ClientOptions options;
  options.version_min = TLS1_3_VERSION;
  TestClient client{options};
  ASSERT_EQ(Connect(&client, &server), HandshakeStep::kDone);
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(SSL_key_update(client.ssl(), SSL_KEY_UPDATE_NOT_REQUESTED), 1);
    ASSERT_EQ(SSL_write(client.ssl(), "", 0), 0);
  }
  server.Feed(client.Take());
  EXPECT_EQ(server.Read(), "");
  EXPECT_EQ(server.read_step(), ReadStep::kFailed);
}

TEST(EngineRenegotiation, IsRefused) {
  TestServer server{BasicInput()};
  ClientOptions options;
  options.version_max = TLS1_2_VERSION;
  TestClient client{options};
  ASSERT_EQ(Connect(&client, &server), HandshakeStep::kDone);
  // BoringSSL has no way to ask for it; a second hello inside the encrypted stream is made by hand
  // only with its keys, so a bare one must do.
  server.Feed(std::string_view("\x16\x03\x03\x00\x04\x01\x00\x00\x00", 9));
  EXPECT_EQ(server.Read(), "");
  EXPECT_EQ(server.read_step(), ReadStep::kFailed);
}

}  // namespace
}  // namespace postern::tls
