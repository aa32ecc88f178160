#include "src/tls/certificate_compression.h"

#include <brotli/encode.h>
#include <openssl/bytestring.h>
#include <openssl/pool.h>
#include <openssl/ssl.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "src/base/check.h"
#include "src/tls/packed_chains.h"

namespace postern::tls {
namespace {

using Bytes = std::vector<uint8_t>;

// RFC 8879, 7.3.
constexpr uint16_t kZlib = 1;
constexpr uint16_t kBrotli = 2;

// What it has to save, the 8 bytes more of its header (RFC 8879, 4) included: less is not worth the
// client's work.
constexpr size_t kSavingBytesMin = 64;

using Kept = std::shared_ptr<const PackedChain>;

void FreeKept(void*, void* kept, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<Kept*>(kept);
}

int IndexOfKept() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, FreeKept);
  return index;
}

const PackedChain& KeptOf(const SSL* ssl) {
  return **static_cast<Kept*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), IndexOfKept()));
}

// Empty: it could not be done.
Bytes PackBrotli(std::span<const uint8_t> plain) {
  size_t size = BrotliEncoderMaxCompressedSize(plain.size());
  Bytes packed(size);
  if (BrotliEncoderCompress(BROTLI_MAX_QUALITY, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_GENERIC,
                            plain.size(), plain.data(), &size, packed.data()) != BROTLI_TRUE) {
    return {};
  }
  packed.resize(size);
  return packed;
}

Bytes PackZlib(std::span<const uint8_t> plain) {
  uLongf size = compressBound(plain.size());
  Bytes packed(size);
  if (compress2(packed.data(), &size, plain.data(), plain.size(), Z_BEST_COMPRESSION) != Z_OK) {
    return {};
  }
  packed.resize(size);
  return packed;
}

PackedChain Pack(Bytes plain) {
  PackedChain chain;
  chain.brotli = PackBrotli(plain);
  chain.zlib = PackZlib(plain);
  chain.plain = std::move(plain);
  return chain;
}

// The Certificate message of a server (RFC 8446, 4.4.2): no context, and no extensions of the
// certificates.
Bytes MessageOf(const SSL_CTX* context) {
  bssl::ScopedCBB message;
  CBB list;
  CHECK(CBB_init(message.get(), 4096) == 1 && CBB_add_u8(message.get(), 0) == 1 &&
        CBB_add_u24_length_prefixed(message.get(), &list) == 1);
  const STACK_OF(CRYPTO_BUFFER)* chain = SSL_CTX_get0_chain(context);
  for (size_t i = 0; i < sk_CRYPTO_BUFFER_num(chain); ++i) {
    const CRYPTO_BUFFER* certificate = sk_CRYPTO_BUFFER_value(chain, i);
    CBB data;
    CHECK(CBB_add_u24_length_prefixed(&list, &data) == 1 &&
          CBB_add_bytes(&data, CRYPTO_BUFFER_data(certificate), CRYPTO_BUFFER_len(certificate)) ==
              1 &&
          CBB_add_u16(&list, 0) == 1);
  }
  CHECK(CBB_flush(message.get()) == 1);
  return Bytes(CBB_data(message.get()), CBB_data(message.get()) + CBB_len(message.get()));
}

// The library asks for what it is about to say: as foreseen, or something else after all.
int Append(const Bytes& plain, const Bytes& packed, Bytes (*pack)(std::span<const uint8_t>),
           CBB* out, std::span<const uint8_t> in) {
  if (std::equal(plain.begin(), plain.end(), in.begin(), in.end())) {
    return CBB_add_bytes(out, packed.data(), packed.size());
  }
  Bytes other = pack(in);
  return other.empty() ? 0 : CBB_add_bytes(out, other.data(), other.size());
}

int OnBrotli(SSL* ssl, CBB* out, const uint8_t* in, size_t size) {
  const PackedChain& kept = KeptOf(ssl);
  return Append(kept.plain, kept.brotli, PackBrotli, out, {in, size});
}

int OnZlib(SSL* ssl, CBB* out, const uint8_t* in, size_t size) {
  const PackedChain& kept = KeptOf(ssl);
  return Append(kept.plain, kept.zlib, PackZlib, out, {in, size});
}

}  // namespace

void CompressCertificates(SSL_CTX* context, PackedChains* chains) {
  PackedChains own;
  const Kept chain = (chains != nullptr ? chains : &own)->Get(MessageOf(context), Pack);
  CHECK(SSL_CTX_set_ex_data(context, IndexOfKept(), new Kept(chain)) == 1);
  auto pays = [&chain](const Bytes& packed) {
    return !packed.empty() && packed.size() + kSavingBytesMin <= chain->plain.size();
  };
  if (pays(chain->brotli)) {
    CHECK(SSL_CTX_add_cert_compression_alg(context, kBrotli, OnBrotli, nullptr) == 1);
  }
  if (pays(chain->zlib)) {
    CHECK(SSL_CTX_add_cert_compression_alg(context, kZlib, OnZlib, nullptr) == 1);
  }
}

}  // namespace postern::tls
