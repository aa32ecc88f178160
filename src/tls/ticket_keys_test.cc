#include "src/tls/ticket_keys.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/status/statusor.h"
#include "src/tls/tls_test_util.h"

namespace postern::tls {
namespace {

constexpr uint32_t kLifetimeS = 7200;

std::string Line(char digit) {
  return std::string(64, digit) + "\n";
}

std::string ErrorOf(std::string_view text) {
  auto secrets = ParseTicketSecrets(text);
  return secrets.ok() ? "" : std::string(secrets.status().message());
}

TicketSecret Filled(uint8_t filler) {
  TicketSecret secret;
  secret.fill(filler);
  return secret;
}

std::string Seal(TicketKeys* keys, std::string_view text, int64_t now_s = kNow) {
  std::string ticket(text.size() + TicketKeys::kOverheadBytes, '\0');
  std::span<const uint8_t> parts[] = {Bytes(text)};
  size_t size =
      keys->Seal(parts, now_s, {reinterpret_cast<uint8_t*>(ticket.data()), ticket.size()});
  EXPECT_EQ(size, ticket.size());
  return ticket;
}

TicketKeys::Result Open(TicketKeys* keys, const std::string& ticket, std::string* text,
                        int64_t now_s = kNow) {
  text->assign(ticket.size(), '\0');
  size_t size = 0;
  TicketKeys::Result result = keys->Open(
      Bytes(ticket), now_s, {reinterpret_cast<uint8_t*>(text->data()), text->size()}, &size);
  text->resize(size);
  return result;
}

TEST(TicketSecrets, AreLinesOfHex) {
  auto secrets = ParseTicketSecrets("# fleet\n\n" + Line('a') + "  " + std::string(64, 'B') +
                                    " \r\n" + std::string(64, '0'));
  ASSERT_TRUE(secrets.ok()) << secrets.status();
  ASSERT_EQ(secrets->size(), 3u);
  EXPECT_EQ((*secrets)[0], Filled(0xaa));
  EXPECT_EQ((*secrets)[1], Filled(0xbb));
  EXPECT_EQ((*secrets)[2], Filled(0));
}

TEST(TicketSecrets, ErrorsNameTheLineAndWhatToDo) {
  EXPECT_NE(ErrorOf("").find("openssl rand -hex 32"), std::string::npos);
  EXPECT_NE(ErrorOf("# only words\n").find("no secret"), std::string::npos);
  EXPECT_NE(ErrorOf(Line('a') + std::string(63, 'b')).find("line 2"), std::string::npos);
  EXPECT_NE(ErrorOf(std::string(65, 'b')).find("line 1"), std::string::npos);
  EXPECT_NE(ErrorOf(std::string(63, 'b') + "g").find("line 1"), std::string::npos);
  EXPECT_NE(ErrorOf(Line('a') + Line('A')).find("line 2: this secret stands"), std::string::npos);
  std::string many;
  for (char c : std::string_view("0123456789abcdef")) {
    many += Line(c);
  }
  EXPECT_EQ(ErrorOf(many), "");
  EXPECT_NE(ErrorOf(many + std::string(62, '0') + "11").find("line 17"), std::string::npos);
}

TEST(TicketKeysTest, OpensWhatItSealed) {
  TicketKeys keys({Filled(1)}, kLifetimeS);
  TicketKeys others({Filled(9), Filled(1)}, kLifetimeS);
  std::string ticket = Seal(&keys, "hello");
  std::string text;
  EXPECT_EQ(Open(&keys, ticket, &text), TicketKeys::Result::kOpened);
  EXPECT_EQ(text, "hello");
  EXPECT_EQ(Open(&others, ticket, &text), TicketKeys::Result::kOpened);
  EXPECT_EQ(text, "hello");
  EXPECT_EQ(Open(&keys, Seal(&others, "x"), &text), TicketKeys::Result::kUnknownSecret);
  EXPECT_NE(ticket, Seal(&keys, "hello")) << "a nonce of its own";
  EXPECT_EQ(Open(&keys, Seal(&keys, ""), &text), TicketKeys::Result::kOpened);
  EXPECT_EQ(text, "");
}

TEST(TicketKeysTest, EpochsAtTheirEdges) {
  TicketKeys keys({Filled(1)}, kLifetimeS);
  int64_t begin = kNow / TicketKeys::kEpochSeconds * TicketKeys::kEpochSeconds;
  std::string ticket = Seal(&keys, "x", begin);
  std::string text;
  auto at = [&](int64_t epochs, int64_t seconds) {
    return Open(&keys, ticket, &text, begin + epochs * TicketKeys::kEpochSeconds + seconds);
  };
  EXPECT_EQ(at(0, 0), TicketKeys::Result::kOpened);
  // A clock that is behind by less than an epoch.
  EXPECT_EQ(at(-1, 0), TicketKeys::Result::kOpened);
  EXPECT_EQ(at(-1, -1), TicketKeys::Result::kOldEpoch);
  // now - lifetime - 1: two epochs of lifetime and one more.
  EXPECT_EQ(at(3, 3599), TicketKeys::Result::kOpened);
  EXPECT_EQ(at(4, 0), TicketKeys::Result::kOldEpoch);
}

TEST(TicketKeysTest, RefusesWhatIsNone) {
  TicketKeys keys({Filled(1)}, kLifetimeS);
  std::string ticket = Seal(&keys, "hello");
  std::string text;
  for (size_t size = 0; size < ticket.size(); ++size) {
    EXPECT_NE(Open(&keys, ticket.substr(0, size), &text), TicketKeys::Result::kOpened) << size;
    EXPECT_EQ(text, "");
  }
  EXPECT_EQ(Open(&keys, ticket + "x", &text), TicketKeys::Result::kForged);
  for (size_t at = 0; at < ticket.size(); ++at) {
    std::string bent = ticket;
    bent[at] = static_cast<char>(bent[at] ^ 1);
    EXPECT_NE(Open(&keys, bent, &text), TicketKeys::Result::kOpened) << at;
  }
  EXPECT_EQ(ERR_peek_error(), 0u) << "a bad ticket is no error of the handshake";
}

TEST(TicketKeysTest, NeedsRoom) {
  TicketKeys keys({Filled(1)}, kLifetimeS);
  std::array<uint8_t, TicketKeys::kOverheadBytes + 4> small;
  std::span<const uint8_t> parts[] = {Bytes("hello")};
  EXPECT_EQ(keys.Seal(parts, kNow, small), 0u);
}

}  // namespace
}  // namespace postern::tls
