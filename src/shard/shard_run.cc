// What runs in a turn, and how much of it.
#include <algorithm>

#include "src/shard/shard.h"

namespace postern::shard {
namespace {

namespace limits = base::limits;

}  // namespace

void Shard::Describe(base::RawLine* line) const {
  line->Text(" ").Number(options_.index).Text(", turn ").Number(env_.counters.turns);
  if (env_.at_work != nullptr) {
    line->Text(", ");
    env_.at_work->Describe(line);
  }
}

void Shard::Advance(proxy::DownstreamConnection* connection) {
  env_.at_work = connection;
  connection->Advance();
}

void Shard::RunRelays() {
  // Only what was listed before: a connection that lists itself again waits for the next turn.
  for (size_t count = env_.run_upstreams.size(); count > 0; --count) {
    env_.run_upstreams.PopFront()->Advance();
  }
  RunH2Upstreams();
  for (size_t count = env_.run_downstreams.size(); count > 0; --count) {
    Advance(env_.run_downstreams.PopFront());
  }
  env_.at_work = nullptr;
  // What their exchanges have written for servers leaves in the same turn.
  RunH2Upstreams();
}

void Shard::RunH2Upstreams() {
  for (size_t count = env_.run_h2_upstreams.size(); count > 0; --count) {
    env_.run_h2_upstreams.PopFront()->Advance();
  }
}

void Shard::RunHandshakes() {
  bool busy = env_.regular_requests > 0 ||
              env_.now.monotonic_us - env_.regular_seen_us < limits::kRegularsRecentUs;
  int64_t budget_us = busy ? limits::kHandshakeBudgetBusyUs : limits::kHandshakeBudgetIdleUs;
  int64_t end_us = options_.driver->MonotonicUs() + budget_us;
  for (size_t count = HandshakesWaiting(); count > 0; --count) {
    Advance(NextHandshake());
    if (options_.driver->MonotonicUs() >= end_us) {
      break;
    }
  }
  env_.at_work = nullptr;
  env_.counters.handshakes_deferred += HandshakesWaiting();
}

size_t Shard::HandshakesWaiting() const {
  return env_.run_second_flights.size() + env_.run_resumptions.size() + env_.run_hellos.size();
}

// A second flight has already cost a signature: it is never made to wait behind a hello. Of hellos,
// those that will cost none go first, yet not so that full handshakes stand still: the offer of a
// session may be a lie.
proxy::DownstreamConnection* Shard::NextHandshake() {
  if (!env_.run_second_flights.empty()) {
    return env_.run_second_flights.PopFront();
  }
  bool resumption = env_.run_hellos.empty() || (!env_.run_resumptions.empty() &&
                                                resumptions_ahead_ < limits::kResumptionsAhead);
  resumptions_ahead_ = resumption && !env_.run_hellos.empty() ? resumptions_ahead_ + 1 : 0;
  return resumption ? env_.run_resumptions.Pop() : env_.run_hellos.Pop();
}

// Whoever asks in vain costs as much as whoever is served. So as many hellos ask as have lately
// been given a buffer: half as many if one of them came back without, twice as many if none did.
void Shard::FeedHellos() {
  size_t came_back = env_.starved_hellos_again;
  env_.starved_hellos_again = 0;
  hellos_fed_ = came_back > 0 ? std::max(hellos_fed_ / 2, limits::kHellosFedMin)
                              : std::min(hellos_fed_ * 2, limits::kHellosFedMax);
  for (size_t count = std::min(env_.starved_hellos.size(), hellos_fed_); count > 0; --count) {
    env_.starved_hellos.Pop()->OnBuffersAvailable();
  }
}

void Shard::FeedStarved() {
  // Not every turn: what is in vain completes at once, and would make the next turn begin at once.
  if (env_.now.monotonic_us - starved_fed_us_ < limits::kStarvedRetryUs) {
    return;
  }
  starved_fed_us_ = env_.now.monotonic_us;
  FeedHellos();
  for (size_t count = env_.starved_downstreams.size(); count > 0; --count) {
    env_.starved_downstreams.PopFront()->OnBuffersAvailable();
  }
  for (size_t count = env_.starved_upstreams.size(); count > 0; --count) {
    env_.starved_upstreams.PopFront()->OnBuffersAvailable();
  }
  for (size_t count = env_.starved_h2_upstreams.size(); count > 0; --count) {
    env_.starved_h2_upstreams.PopFront()->OnBuffersAvailable();
  }
}

}  // namespace postern::shard
