// Host names to numbers: exact names first, then one-label wildcards. Built once, then only read.
#ifndef POSTERN_SRC_BASE_HOST_MAP_H_
#define POSTERN_SRC_BASE_HOST_MAP_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::base {

class HostMap {
 public:
  // `host` is lower case: "a.example.test", or "*.example.test" for every name with exactly one
  // label more. Each is added once.
  void Add(std::string_view host, uint32_t value);

  // For a name in any case, without port; a final dot does not count.
  std::optional<uint32_t> Find(std::string_view host) const;

  bool empty() const { return exact_.empty() && wildcard_.empty(); }

 private:
  struct Entry {
    std::string host;  // of a wildcard without its star: ".example.test"
    uint32_t value;
  };
  static void Insert(std::vector<Entry>* entries, std::string_view host, uint32_t value);
  static std::optional<uint32_t> Look(const std::vector<Entry>& entries, std::string_view host);

  std::vector<Entry> exact_;  // both sorted by host
  std::vector<Entry> wildcard_;
};

}  // namespace postern::base

#endif  // POSTERN_SRC_BASE_HOST_MAP_H_
