#include "src/shard/memory_bounds.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>

#include "src/base/block_pool.h"
#include "src/base/byte_queue.h"
#include "src/base/limits.h"
#include "src/base/text_buffer.h"
#include "src/http/h1_body.h"
#include "src/http/h1_parser.h"
#include "src/http/h2_session.h"
#include "src/http/message.h"
#include "src/io/driver.h"
#include "src/proxy/env.h"

namespace postern::shard {
namespace {

namespace limits = base::limits;
using base::BlockBytes;
using base::BlockClass;

// A ByteQueue of so many bytes in blocks of this size: all are full but the first and the last.
constexpr size_t QueueBytes(size_t bytes, BlockClass block_class) {
  constexpr size_t kHeadBytesMax = 32;  // of a block (ByteQueue::Block)
  size_t payload = BlockBytes(block_class) - kHeadBytesMax;
  return ((bytes + payload - 1) / payload + 2) * BlockBytes(block_class);
}
constexpr size_t QueueBytes(size_t bytes) {
  return QueueBytes(bytes, BlockClass::k4k) + QueueBytes(bytes, BlockClass::k17k);
}

// A TextBuffer, which grows through all sizes.
constexpr size_t kTextBytes = BlockBytes(BlockClass::k512) + BlockBytes(BlockClass::k4k) +
                              BlockBytes(BlockClass::k17k) + BlockBytes(BlockClass::k68k);

// Body that is handed on in one piece: what one receive brings.
constexpr size_t kPieceBytes = io::kLargeBufferBytes;
// What waits to be sent: up to the mark, then a piece, a head, and the framing of all that in TLS
// and HTTP/2, which is less than a sixteenth.
constexpr size_t kOutputPlainBytes =
    base::limits::kSendQueueBytesHigh + kPieceBytes + sizeof(proxy::Scratch::head);
constexpr size_t kOutputBytes = kOutputPlainBytes + kOutputPlainBytes / 16;
constexpr size_t kParkedBytes = io::kLargeBufferBytes;

// A client's connection with its identity; in HTTP/2 its heads and all request bodies as well.
constexpr size_t kClientBytes = QueueBytes(kParkedBytes) + QueueBytes(kOutputBytes) + kTextBytes +
                                http::kTrailerBytesMax + BlockBytes(BlockClass::k17k);
constexpr size_t kClientHttp2Bytes =
    2 * kTextBytes +
    QueueBytes(base::limits::kConnectionBodyBytesMax + http::H2Settings().connection_window_bytes);
// Its stream: the ends of its share of these bodies, its own response, and trailers.
constexpr size_t kClientStreamBytes =
    QueueBytes(0) + QueueBytes(base::limits::kStreamQueueBytesHigh + kPieceBytes) + kTextBytes;
// An exchange: its head, and what it may have to send again.
constexpr size_t kExchangeBytes =
    kTextBytes + QueueBytes(base::limits::kReplayBytesMax + kPieceBytes);
// A connection to a server, with bytes to be encrypted and encrypted ones.
constexpr size_t kServerBytes =
    QueueBytes(kParkedBytes) + kTextBytes + 2 * QueueBytes(kOutputBytes) + http::kTrailerBytesMax;
constexpr size_t kServerHttp2Bytes =
    kServerBytes + 2 * kTextBytes + QueueBytes(http::H2Settings().connection_window_bytes);
constexpr size_t kServerStreamBytes = kClientStreamBytes + kTextBytes;

// The objects themselves are some KiB each.
constexpr size_t kObjectsBytes = size_t{256} * 1024;

// For each of connections_max, as many of each as the slabs have (shard.cc).
constexpr size_t kConnectionBytes = kClientBytes + kClientHttp2Bytes +
                                    base::limits::kStreamsPerConnection *
                                        (kClientStreamBytes + kExchangeBytes + kServerStreamBytes) +
                                    2 * kServerBytes + kServerHttp2Bytes + kObjectsBytes;
static_assert(kConnectionBytes <= base::limits::kConnectionBytesMax);

// Records come in blocks of three sizes, and what was carved for one is not used for another; the
// index comes on top.
constexpr size_t kChainCacheAddresses = 4;

// Memory and as much again in swap: a shard that holds so much is not ended by its arena.
size_t MachineBytes() {
  long pages = sysconf(_SC_PHYS_PAGES);
  long page_bytes = sysconf(_SC_PAGESIZE);
  return pages > 0 && page_bytes > 0
             ? 2 * static_cast<size_t>(pages) * static_cast<size_t>(page_bytes)
             : SIZE_MAX;
}

// A head or trailers that were accepted are written again with "name: value" for "name:value", at
// most a byte more for each field, and a head with what the proxy adds: nobody who writes one into
// its place (WriteHead, EndOutgoing) finds too little room.
constexpr size_t kHeadAddedBytesMax = 4096;
static_assert(sizeof(proxy::Scratch::head) >=
              http::HeadLimits().head_bytes_max + http::kFieldsMax + kHeadAddedBytesMax);
static_assert(base::TextBuffer::kBytesMax >= http::HeadLimits().head_bytes_max + http::kFieldsMax);
static_assert(base::TextBuffer::kBytesMax >= http::kTrailerBytesMax + http::kFieldsMax);

}  // namespace

size_t ChainCacheBytes(const config::Config& config) {
  return size_t{config.chain_cache_mib} << 20;
}

size_t ArenaBytes(const config::Config& config) {
  size_t connections =
      limits::kConnectionBytesMax * (config.connections_max + limits::kShedAtOnceMax);
  return std::min(connections, MachineBytes()) + limits::kShardBytesMin +
         kChainCacheAddresses * ChainCacheBytes(config);
}

}  // namespace postern::shard
