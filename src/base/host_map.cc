#include "src/base/host_map.h"

#include <algorithm>
#include <array>

namespace postern::base {
namespace {

// RFC 1035, 2.3.4; a longer name matches nothing.
constexpr size_t kHostMax = 255;

}  // namespace

void HostMap::Insert(std::vector<Entry>* entries, std::string_view host, uint32_t value) {
  auto at =
      std::lower_bound(entries->begin(), entries->end(), host,
                       [](const Entry& entry, std::string_view key) { return entry.host < key; });
  entries->insert(at, {std::string(host), value});
}

void HostMap::Add(std::string_view host, uint32_t value) {
  bool wildcard = host.starts_with("*.");
  Insert(wildcard ? &wildcard_ : &exact_, wildcard ? host.substr(1) : host, value);
}

std::optional<uint32_t> HostMap::Look(const std::vector<Entry>& entries, std::string_view host) {
  auto at =
      std::lower_bound(entries.begin(), entries.end(), host,
                       [](const Entry& entry, std::string_view key) { return entry.host < key; });
  bool found = at != entries.end() && at->host == host;
  return found ? std::optional<uint32_t>(at->value) : std::nullopt;
}

std::optional<uint32_t> HostMap::Find(std::string_view host) const {
  if (!host.empty() && host.back() == '.') {
    host.remove_suffix(1);
  }
  if (host.empty() || host.size() > kHostMax || empty()) {
    return std::nullopt;
  }
  std::array<char, kHostMax> folded;
  std::transform(host.begin(), host.end(), folded.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  std::string_view key(folded.data(), host.size());
  std::optional<uint32_t> value = Look(exact_, key);
  size_t dot = key.find('.');
  // One label stands for the star, and it is not empty.
  if (!value.has_value() && dot != std::string_view::npos && dot > 0) {
    value = Look(wildcard_, key.substr(dot));
  }
  return value;
}

}  // namespace postern::base
