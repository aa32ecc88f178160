// Requests of one shard by listener, host rule and status, and how long they took. Outlives
// generations: a name that comes back goes on counting.
#ifndef POSTERN_SRC_PROXY_REQUEST_COUNTS_H_
#define POSTERN_SRC_PROXY_REQUEST_COUNTS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/histogram.h"
#include "src/config/config.h"

namespace postern::proxy {

class RequestCounts {
 public:
  // Instead of a host's name: requests by the listener's default group, and those for no group at
  // all (404, 421, malformed ones, redirects).
  static constexpr std::string_view kDefaultHost = "*";
  static constexpr std::string_view kNoHost = "-";

  // What was counted of one host of one listener.
  struct Row {
    // `status` 0: the client was gone before there was one.
    void Count(uint16_t status, int64_t elapsed_us);

    std::string listener;
    std::string host;
    // A host sees few: looked through in order.
    std::vector<std::pair<uint16_t, uint64_t>> codes;
    base::Histogram* latency;  // of the listener
  };
  struct Latency {
    std::string listener;
    base::Histogram histogram{base::Histogram::kCoarse};
  };

  // A row for each of these host rules, for the listener's default and for neither, in this order.
  std::vector<Row*> RowsOf(const std::string& listener, std::span<const config::HostRule> hosts);

  const std::vector<std::unique_ptr<Row>>& rows() const { return rows_; }
  const std::vector<std::unique_ptr<Latency>>& latencies() const { return latencies_; }

 private:
  Row* RowOf(const std::string& listener, std::string_view host);
  base::Histogram* LatencyOf(const std::string& listener);

  // Never shrink: listeners of running requests point into them.
  std::vector<std::unique_ptr<Row>> rows_;
  std::vector<std::unique_ptr<Latency>> latencies_;
  std::map<std::pair<std::string, std::string>, Row*> by_name_;
};

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_REQUEST_COUNTS_H_
