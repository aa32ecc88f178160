// The last clients that a shard has refused, for the status page: enough to see who and why without
// opening a log. Fixed memory; a storm of refusals only makes the oldest ones go sooner.
#ifndef POSTERN_SRC_PROXY_RECENT_REFUSALS_H_
#define POSTERN_SRC_PROXY_RECENT_REFUSALS_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "src/tls/reason.h"

namespace postern::proxy {

// Texts are a peer's, in whatever bytes it likes, and cut to their room; the log has them whole.
struct RecentRefusal {
  template <size_t kSize>
  struct Text {
    std::array<char, kSize> bytes;
    uint16_t size = 0;
    void Set(std::string_view text) {
      size = static_cast<uint16_t>(std::min(text.size(), kSize));
      std::copy_n(text.begin(), size, bytes.begin());
    }
    std::string_view view() const { return {bytes.data(), size}; }
  };

  int64_t wall_ms = 0;
  tls::Reason reason = tls::Reason::kNone;
  uint16_t client_port = 0;
  Text<46> client_host;  // the longest text of an IPv6 address has 45 characters
  Text<64> listener;
  Text<128> server_name;
  Text<192> subject;
};

class RecentRefusals {
 public:
  static constexpr size_t kSize = 32;

  void Add(int64_t wall_ms, std::string_view listener, std::string_view client_host,
           uint16_t client_port, std::string_view server_name, const tls::Refusal& refusal) {
    RecentRefusal& entry = entries_[added_++ % kSize];
    entry.wall_ms = wall_ms;
    entry.reason = refusal.reason;
    entry.client_port = client_port;
    entry.client_host.Set(client_host);
    entry.listener.Set(listener);
    entry.server_name.Set(server_name);
    entry.subject.Set(refusal.subject.view());
  }

  size_t size() const { return static_cast<size_t>(std::min<uint64_t>(added_, kSize)); }
  // 0 is the newest; `index` is below size().
  const RecentRefusal& newest(size_t index) const { return entries_[(added_ - 1 - index) % kSize]; }

 private:
  std::array<RecentRefusal, kSize> entries_;
  uint64_t added_ = 0;
};

}  // namespace postern::proxy

#endif  // POSTERN_SRC_PROXY_RECENT_REFUSALS_H_
