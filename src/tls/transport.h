// What all TLS engines of one shard share: the byte seam to BoringSSL and the details of the last
// refusal.
//
// One BIO serves every connection (it saves two objects a connection): before each call into the
// library the engine says here whose bytes are meant. Hence the rule: an engine call is never
// nested in another.
#ifndef POSTERN_SRC_TLS_TRANSPORT_H_
#define POSTERN_SRC_TLS_TRANSPORT_H_

#include <cstdint>
#include <span>

#include "src/base/block_pool.h"
#include "src/base/byte_queue.h"
#include "src/tls/reason.h"
#include "src/tls/ticket_result.h"

struct bio_st;

namespace postern::tls {

class ChainCache;

class Transport {
 public:
  // `chains` outlives this; null: every client's chain is verified anew.
  explicit Transport(ChainCache* chains = nullptr);
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  // Once a turn: the time against which certificates are judged, in seconds since 1970.
  void set_now_s(int64_t now_s) { now_s_ = now_s; }
  int64_t now_s() const { return now_s_; }

  // For the next Handshake call: a hello that does not resume is refused with kOverloaded before it
  // costs an operation with a key.
  void set_resumed_only(bool resumed_only) { resumed_only_ = resumed_only; }

  // Refuses a hello that no engine has been given, with kOverloaded: an alert and nothing else.
  void TurnAway(base::ByteQueue* output);

  // Details of the last engine call that failed; valid until the next engine call on this shard.
  const Refusal& refusal() const { return refusal_; }

  // How the candidate trust would have judged the client of the last Handshake call.
  enum class Candidate : uint8_t { kNoOpinion, kAgrees, kWouldRefuse, kWouldAdmit };
  Candidate candidate() const { return candidate_; }
  // Who it was, and for kWouldRefuse why.
  const Refusal& candidate_refusal() const { return candidate_refusal_; }

  const Counters& counters() const { return counters_; }

 private:
  friend class Channel;
  friend class Engine;
  friend struct EngineCallbacks;
  friend struct TransportBio;

  bio_st* bio_;
  ChainCache* chains_;
  std::span<const uint8_t> input_;     // ciphertext not yet taken by the library
  base::ByteQueue* output_ = nullptr;  // where its ciphertext goes
  Refusal refusal_;
  Candidate candidate_ = Candidate::kNoOpinion;
  Refusal candidate_refusal_;
  Counters counters_;
  int64_t now_s_ = 0;
  bool resumed_only_ = false;
};

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_TRANSPORT_H_
