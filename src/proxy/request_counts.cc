#include "src/proxy/request_counts.h"

namespace postern::proxy {

void RequestCounts::Row::Count(uint16_t status, int64_t elapsed_us) {
  latency->Add(elapsed_us);
  for (auto& [code, count] : codes) {
    if (code == status) {
      ++count;
      return;
    }
  }
  codes.emplace_back(status, 1);
}

std::vector<RequestCounts::Row*> RequestCounts::RowsOf(const std::string& listener,
                                                       std::span<const config::HostRule> hosts) {
  std::vector<Row*> rows;
  for (const config::HostRule& rule : hosts) {
    rows.push_back(RowOf(listener, rule.host));
  }
  rows.push_back(RowOf(listener, kDefaultHost));
  rows.push_back(RowOf(listener, kNoHost));
  return rows;
}

RequestCounts::Row* RequestCounts::RowOf(const std::string& listener, std::string_view host) {
  Row*& row = by_name_[{listener, std::string(host)}];
  if (row == nullptr) {
    rows_.push_back(std::make_unique<Row>());
    row = rows_.back().get();
    row->listener = listener;
    row->host = host;
    row->latency = LatencyOf(listener);
  }
  return row;
}

base::Histogram* RequestCounts::LatencyOf(const std::string& listener) {
  for (const auto& latency : latencies_) {
    if (latency->listener == listener) {
      return &latency->histogram;
    }
  }
  latencies_.push_back(std::make_unique<Latency>());
  latencies_.back()->listener = listener;
  return &latencies_.back()->histogram;
}

}  // namespace postern::proxy
