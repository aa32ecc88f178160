#include "src/tls/ticket_keys.h"

#include <openssl/digest.h>
#include <openssl/err.h>
#include <openssl/hkdf.h>
#include <openssl/mem.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "src/base/check.h"

namespace postern::tls {
namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kSecretsMax = 16;
constexpr size_t kNonceBytes = 24;
constexpr size_t kAdditionalBytes = 1 + 4 + 4;  // version, secret id, epoch
constexpr std::string_view kWhitespace = " \t\r";

std::span<const uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// RFC 5869 with SHA-256, no salt: the secret is uniformly random already.
void Derive(const TicketSecret& secret, std::span<const uint8_t> info, std::span<uint8_t> out) {
  CHECK(HKDF(out.data(), out.size(), EVP_sha256(), secret.data(), secret.size(), nullptr, 0,
             info.data(), info.size()) == 1);
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool ParseHex(std::string_view text, TicketSecret* secret) {
  if (text.size() != 2 * secret->size()) {
    return false;
  }
  for (size_t i = 0; i < secret->size(); ++i) {
    int high = HexValue(text[2 * i]);
    int low = HexValue(text[2 * i + 1]);
    if (high < 0 || low < 0) {
      return false;
    }
    (*secret)[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return true;
}

void PutBigEndian(uint32_t value, uint8_t* out) {
  for (size_t i = 0; i < 4; ++i) {
    out[i] = static_cast<uint8_t>(value >> (24 - 8 * i));
  }
}

uint32_t GetBigEndian(const uint8_t* in) {
  return static_cast<uint32_t>(in[0]) << 24 | static_cast<uint32_t>(in[1]) << 16 |
         static_cast<uint32_t>(in[2]) << 8 | in[3];
}

}  // namespace

TicketSecret RandomTicketSecret() {
  TicketSecret secret;
  RAND_bytes(secret.data(), secret.size());
  return secret;
}

absl::StatusOr<std::vector<TicketSecret>> ParseTicketSecrets(std::string_view text) {
  std::vector<TicketSecret> secrets;
  size_t number = 0;
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    size_t first = line.find_first_not_of(kWhitespace);
    if (first == std::string_view::npos || line[first] == '#') {
      continue;
    }
    line = line.substr(first, line.find_last_not_of(kWhitespace) + 1 - first);
    TicketSecret secret;
    if (!ParseHex(line, &secret)) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", number, ": not a secret of 64 hexadecimal digits; make one with ",
                       "'openssl rand -hex 32'"));
    }
    if (std::find(secrets.begin(), secrets.end(), secret) != secrets.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", number, ": this secret stands in an earlier line already"));
    }
    if (secrets.size() == kSecretsMax) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", number, ": more than ", kSecretsMax, " secrets; remove old ones"));
    }
    secrets.push_back(secret);
  }
  if (secrets.empty()) {
    return absl::InvalidArgumentError(
        "no secret in it; add a line with the output of 'openssl rand -hex 32'");
  }
  return secrets;
}

TicketKeys::TicketKeys(std::vector<TicketSecret> secrets, uint32_t lifetime_s)
    : secrets_(secrets.size()), lifetime_s_(lifetime_s) {
  CHECK(!secrets.empty());
  for (size_t i = 0; i < secrets.size(); ++i) {
    secrets_[i].bytes = secrets[i];
    Derive(secrets[i], Bytes("postern ticket secret id 1"), secrets_[i].id);
  }
}

std::unique_ptr<TicketKeys> TicketKeys::Again() const {
  std::vector<TicketSecret> secrets;
  for (const Secret& secret : secrets_) {
    secrets.push_back(secret.bytes);
  }
  return std::make_unique<TicketKeys>(std::move(secrets), lifetime_s_);
}

TicketKeys::~TicketKeys() {
  for (Secret& secret : secrets_) {
    OPENSSL_cleanse(secret.bytes.data(), secret.bytes.size());
  }
}

const EVP_AEAD_CTX* TicketKeys::KeyOf(Secret* secret, uint32_t epoch) {
  Key& key = secret->keys[epoch % secret->keys.size()];
  if (!key.set || key.epoch != epoch) {
    std::array<uint8_t, 24> info;
    std::copy_n("postern ticket key 1", 20, info.begin());
    PutBigEndian(epoch, info.data() + 20);
    std::array<uint8_t, 32> bytes;
    Derive(secret->bytes, info, bytes);
    key.aead.Reset();
    key.set = EVP_AEAD_CTX_init(key.aead.get(), EVP_aead_xchacha20_poly1305(), bytes.data(),
                                bytes.size(), EVP_AEAD_DEFAULT_TAG_LENGTH, nullptr) == 1;
    key.epoch = epoch;
    OPENSSL_cleanse(bytes.data(), bytes.size());
  }
  return key.set ? key.aead.get() : nullptr;
}

size_t TicketKeys::Seal(std::span<const std::span<const uint8_t>> parts, int64_t now_s,
                        std::span<uint8_t> out) {
  Secret* secret = &secrets_.front();
  auto epoch = static_cast<uint32_t>(now_s / kEpochSeconds);
  const EVP_AEAD_CTX* key = KeyOf(secret, epoch);
  if (key == nullptr || out.size() < kOverheadBytes) {
    return 0;
  }
  out[0] = kVersion;
  std::copy(secret->id.begin(), secret->id.end(), out.begin() + 1);
  PutBigEndian(epoch, out.data() + 5);
  uint8_t* nonce = out.data() + kAdditionalBytes;
  RAND_bytes(nonce, kNonceBytes);
  std::span<uint8_t> body = out.subspan(kHeaderBytes);
  size_t size = 0;
  for (std::span<const uint8_t> part : parts) {
    if (part.size() > body.size() - size) {
      return 0;
    }
    if (!part.empty()) {
      std::memmove(body.data() + size, part.data(), part.size());
    }
    size += part.size();
  }
  size_t sealed = 0;
  if (EVP_AEAD_CTX_seal(key, body.data(), &sealed, body.size(), nonce, kNonceBytes, body.data(),
                        size, out.data(), kAdditionalBytes) != 1) {
    return 0;
  }
  return kHeaderBytes + sealed;
}

TicketKeys::Result TicketKeys::Open(std::span<const uint8_t> ticket, int64_t now_s,
                                    std::span<uint8_t> out, size_t* out_size) {
  *out_size = 0;
  if (ticket.size() < kOverheadBytes || ticket[0] != kVersion) {
    return Result::kMalformed;
  }
  auto secret = std::find_if(secrets_.begin(), secrets_.end(), [ticket](const Secret& known) {
    return std::equal(known.id.begin(), known.id.end(), ticket.begin() + 1);
  });
  if (secret == secrets_.end()) {
    return Result::kUnknownSecret;
  }
  uint32_t epoch = GetBigEndian(ticket.data() + 5);
  int64_t oldest = (now_s - int64_t{lifetime_s_}) / kEpochSeconds - 1;
  int64_t newest = now_s / kEpochSeconds + 1;
  if (epoch < oldest || epoch > newest) {
    return Result::kOldEpoch;
  }
  const EVP_AEAD_CTX* key = KeyOf(&*secret, epoch);
  std::span<const uint8_t> body = ticket.subspan(kHeaderBytes);
  if (key == nullptr ||
      EVP_AEAD_CTX_open(key, out.data(), out_size, out.size(), ticket.data() + kAdditionalBytes,
                        kNonceBytes, body.data(), body.size(), ticket.data(),
                        kAdditionalBytes) != 1) {
    // Left in the queue, it would be taken for an error of the handshake, which goes on.
    ERR_clear_error();
    *out_size = 0;
    return Result::kForged;
  }
  return Result::kOpened;
}

}  // namespace postern::tls
