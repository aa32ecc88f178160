// Every bound of the data path, with its reason. What an operator may change is in config/config.h
// instead.
#ifndef POSTERN_SRC_BASE_LIMITS_H_
#define POSTERN_SRC_BASE_LIMITS_H_

#include <cstddef>
#include <cstdint>

namespace postern::base::limits {

// Completions handled in one turn: recorded and queued, a microsecond or two each. In a storm a
// turn lasts as long as its slice of handshakes, and what it does not take in waits where nobody
// sees for how long.
inline constexpr size_t kCompletionsPerTurn = 1024;

// Handshake steps in one turn while requests of established connections wait: one step is 50-300
// us, and a request should not wait much longer than one of them. Without waiting requests the
// larger number keeps batches big. A connection's first request does not count: it has just waited
// for its handshake, and in a storm of short connections there is always one.
inline constexpr int64_t kHandshakeBudgetBusyUs = 250;
inline constexpr int64_t kHandshakeBudgetIdleUs = 4000;
// After such a request the next one is expected for so long: it would come into the middle of a
// long batch.
inline constexpr int64_t kRegularsRecentUs = 50'000;

// A hello that waited longer for the processor finds a shard that is behind by as much. Then only
// resumptions go on: clients of full handshakes are refused at once, which lets the queue shrink,
// rather than let in when they have given up. Well below the default of the handshake's own
// time-out, so that whoever is let in has time to finish. Resumptions are given twice as long.
inline constexpr int64_t kHelloWaitMsMax = 2'000;

// Hellos that wait before the next ones are told apart: resumptions go ahead of full handshakes
// then, three to one, and all of them leave their receive buffers to those behind them.
inline constexpr size_t kHelloCrowd = 8;
inline constexpr int kResumptionsAhead = 3;

// How often connections that found no receive buffer ask again, and how many hellos do so at once:
// at least one step's worth, at most as many as there are buffers for them.
inline constexpr int64_t kStarvedRetryUs = 1000;
inline constexpr size_t kHellosFedMin = 8;
inline constexpr size_t kHellosFedMax = 1024;

// Connections that are judged again in one turn after a new generation was taken: about a
// microsecond each, so that a request waits no longer for them than for a handshake step.
inline constexpr size_t kReconsideredPerTurn = 256;

// Ciphertext (downstream) or plaintext (upstream) queued on one connection before its source is no
// longer read: what comes in one large receive buffer (io/machine/receive_buffers.h) and some, so
// that the next one is received while the first leaves.
inline constexpr size_t kSendQueueBytesHigh = 160 * 1024;

// Spans of one send: such a queue leaves in one, in blocks of 17 KiB.
inline constexpr size_t kSendSpans = 16;

// Decrypted bytes that one connection may relay in one turn, so that one fast upload does not
// starve the others.
inline constexpr size_t kRelayBytesPerTurn = 256 * 1024;

// Plaintext asked from the TLS engine in one call: one record (RFC 8446, 5.1).
inline constexpr size_t kRecordPlaintextMax = 16 * 1024;

// How long a connection that we end may still send before it is cut, so that the peer can read our
// last words instead of a reset (RFC 9112, 9.6), and how much of it we read and drop.
inline constexpr int64_t kLingerMs = 2'000;
inline constexpr size_t kLingerBytesMax = 1024 * 1024;

// On drain and at its age, a connection between two requests ends when it has been quiet for so
// long: one whose next request may be on its way at this moment is told with the response, not in
// its face.
inline constexpr int64_t kFarewellQuietMs = 1'000;

// A shared connection to a server, or whoever asks the admin page, that takes less than
// kProgressBytes of ours in this time is cut. (For clients, and for servers of HTTP/1.1, it is the
// listener's stall_timeout_ms.)
inline constexpr int64_t kSendStallMs = 60'000;

// Less than this within such a time is no progress: 17 bytes a second are slower than any link.
inline constexpr uint64_t kProgressBytes = 1024;

// HTTP/2: a stream for which the peer has never given us room to send, while something waited, is
// given up sooner: an honest peer grants its windows when it opens the connection.
inline constexpr int64_t kFirstWindowMs = 20'000;

// HTTP/2: response body queued on one stream before its server is no longer read, and request
// bodies held for all streams of a connection before the client gets no further credit for them.
// What a client may have sent beyond that is one connection window, 1 MiB.
inline constexpr size_t kStreamQueueBytesHigh = 32 * 1024;
inline constexpr size_t kConnectionBodyBytesMax = 1024 * 1024;

// HTTP/2: the GOAWAY that announces the end has a PING behind it. From the answer on, or for a
// client that gives none so long after the announcement, this much time is left until the GOAWAY
// that names the last stream: requests that were on their way have arrived by then (RFC 9113, 6.8).
inline constexpr int64_t kGoawayAnswerMs = 5'000;
inline constexpr int64_t kGoawayGraceMs = 500;

// HTTP/2: a client with requests under way that is silent for so long is asked for a sign of life,
// and cut if it gives none: its network may have gone without a word.
inline constexpr int64_t kPingIdleMs = 30'000;
inline constexpr int64_t kPingTimeoutMs = 15'000;

// HTTP/2 streams, and with them exchanges, of one shard: so many for each connection on average.
inline constexpr size_t kStreamsPerConnection = 4;

// HTTP/2: a connection to a server on which nothing at all has come for so long, while requests
// waited, takes no further ones once one of them has failed, however short they waited each: its
// network may have gone without a word. Neither does one that has taken nothing for so long.
inline constexpr int64_t kUpstreamSilentMs = 5'000;

// HTTP/2: a connection whose server has let us send nothing of any body for so long takes no
// further requests: bodies of some clients that it does not read would hold up those of all others.
inline constexpr int64_t kNoWindowMs = 250;

// HTTP/2: a server that has refused so many requests in a row, or takes none at all, is held off:
// asked again after a pause, by one request, and after twice the pause if it refuses that. A burst
// beyond what it takes is no reason, as a single answer ends it.
inline constexpr uint32_t kRefusalsInRow = 10;
inline constexpr int64_t kHoldOffMsMin = 100;
inline constexpr int64_t kHoldOffMsMax = 5'000;

// A held-off server's request looks at so many others of its group.
inline constexpr size_t kHoldOffOthers = 8;

// A WebSocket of which one side has ended, or that we have said goodbye to, is given so long for
// the other to follow.
inline constexpr int64_t kTunnelCloseMs = 5'000;

// Interim responses before the final one: one or two are usual, and a server that works for long
// may send 102 now and then. More of them, or more bytes, would fill memory for a client that reads
// nothing.
inline constexpr uint32_t kInterimHeadsMax = 32;
inline constexpr size_t kInterimBytesMax = 64 * 1024;

// ALB's limit of a request body (413).
inline constexpr uint64_t kRequestBodyBytesMax = 50ull * 1024 * 1024 * 1024;

// A request is tried on at most this many connections: a pooled one that turns out to have ended, a
// fresh one to the same server, and one to another server when that refuses.
inline constexpr uint32_t kAttemptsMax = 3;

// A request that may be retried keeps its sent bytes up to this size; a larger one is sent once.
inline constexpr size_t kReplayBytesMax = 32 * 1024;

// More certificates than this of one peer are not even parsed; no real chain comes near. It is also
// the longest path that is looked for.
inline constexpr size_t kChainCertificatesMax = 10;

// A whole verification checks one signature for each certificate below the anchor, at most
// verify_depth: a longer path is refused before any is checked, and of issuers that fit the library
// takes the first. So many more are: the leaf's below an issuer that is known already, and the
// peer's own (CertificateVerify). Only where CAs of one name are configured,
// kCandidateSignaturesMax come on top; and where that path does not hold, what is below.
inline constexpr size_t kSignaturesBesidePathMax = 2;

// What the search for another path (tls/path_search.h) may do for one peer, which chooses what it
// sends: signatures checked, more than a bundle of renewed and cross-signed CAs needs; paths that
// are judged; certificates looked at as issuers, and steps tried.
inline constexpr size_t kSearchSignaturesMax = 16;
inline constexpr size_t kSearchPathsMax = 8;
inline constexpr size_t kSearchStepsMax = 1024;

// Bytes of a certificate's names, times the name constraints of the CAs above it, summed over a
// path: what comparing them reads at most, counted before a signature is checked. A hundred names
// below a hundred constraints come near, and what fits into a Certificate message would be a
// hundred times as much. At this limit it costs as much as a handshake or two.
inline constexpr size_t kNameConstraintWorkMax = 256 * 1024;

// The largest file of revocation lists, and the most entries of one list: more than any CA in use
// publishes in one piece. The index of a full list takes 107 MB.
inline constexpr size_t kCrlFileBytesMax = size_t{256} << 20;
inline constexpr size_t kCrlEntriesMax = 5'000'000;

// Connections that are given up for newcomers and not yet joined, which takes a turn: as many
// newcomers of one turn find a place. Further ones are closed at once, and cost nobody his.
inline constexpr size_t kShedAtOnceMax = 256;

// Accept is tried again after this pause when the process has run out of descriptors or
// connections.
inline constexpr int64_t kAcceptPauseMs = 50;

// The most that one client connection and all that is done for it can hold, in blocks of each size:
// shard/memory_bounds.cc adds it up, and the compiler compares. Addresses, not memory: the arena is
// sized so that every connection may do that, but not larger than the machine.
inline constexpr size_t kConnectionBytesMax = size_t{22} << 20;
inline constexpr size_t kShardBytesMin = size_t{256} << 20;

// Of several CAs of one name that may have issued a certificate, so many are asked by its signature
// in one search: more than the keys that a CA has at a time. Only operators name CAs.
inline constexpr size_t kCandidateSignaturesMax = 8;

// The longest PROXY protocol header: v2 with all TLVs that are known to be sent in practice.
inline constexpr size_t kProxyHeaderBytesMax = 4096;

// The largest identity of one client: its names and, if a dialect carries them, its certificates;
// with the texts derived from it, it fills a block of 17 KiB. Names alone are bounded by what
// servers take in a header section.
inline constexpr size_t kIdentityNamesBytesMax = 4096;
inline constexpr size_t kIdentityBytesMax = 17 * 1024 - 128;

}  // namespace postern::base::limits

#endif  // POSTERN_SRC_BASE_LIMITS_H_
