#include "tools/load/tally.h"

#include <algorithm>
#include <numeric>

namespace postern::load {

std::string_view NameOf(Kind kind) {
  switch (kind) {
    case Kind::kFull:
      return "full";
    case Kind::kResumed:
      return "resumed";
    case Kind::kKept:
      return "kept";
  }
  return "";
}

std::string_view NameOf(Failure failure) {
  switch (failure) {
    case Failure::kConnect:
      return "connect";
    case Failure::kRefusedByServer:
      return "refused_by_server";
    case Failure::kServerCertificate:
      return "server_certificate";
    case Failure::kTls:
      return "tls";
    case Failure::kClosed:
      return "closed";
    case Failure::kStreamReset:
      return "stream_reset";
    case Failure::kMalformed:
      return "malformed";
    case Failure::kTimeout:
      return "timeout";
    case Failure::kNotSent:
      return "not_sent";
  }
  return "";
}

void Tally::Add(const Tally& other) {
  for (size_t i = 0; i < kKinds; ++i) {
    latency[i].Merge(other.latency[i]);
  }
  for (size_t i = 0; i < handshake.size(); ++i) {
    handshake[i].Merge(other.handshake[i]);
  }
  for (size_t i = 0; i < status_class.size(); ++i) {
    status_class[i] += other.status_class[i];
  }
  for (size_t i = 0; i < kFailures; ++i) {
    failures[i] += other.failures[i];
  }
  for (const auto& [alert, count] : other.alerts) {
    alerts[alert] += count;
  }
  declined += other.declined;
  due += other.due;
  body_bytes += other.body_bytes;
  last_us = std::max(last_us, other.last_us);
  open_connections += other.open_connections;
  waiting += other.waiting;
  busy_us += other.busy_us;
}

uint64_t Tally::answers() const {
  return std::accumulate(status_class.begin(), status_class.end(), uint64_t{0});
}

uint64_t Tally::failed() const {
  return std::accumulate(failures.begin(), failures.end(), uint64_t{0});
}

base::Histogram Tally::AllLatencies() const {
  base::Histogram all;
  for (const base::Histogram& one : latency) {
    all.Merge(one);
  }
  return all;
}

void IdentityFate::Add(const IdentityFate& other) {
  answers_after_refusal += other.answers_after_refusal;
  answers += other.answers;
  refusals += other.refusals;
  last_answer_us = std::max(last_answer_us, other.last_answer_us);
  if (first_refusal_us < 0 ||
      (other.first_refusal_us >= 0 && other.first_refusal_us < first_refusal_us)) {
    first_refusal_us = other.first_refusal_us;
  }
}

}  // namespace postern::load
