#include "src/proxy/serving.h"

#include <algorithm>
#include <array>

namespace postern::proxy {
namespace {

// RFC 1035, 2.3.4; a longer host matches no rule.
constexpr size_t kHostMax = 255;

ServerGroup* Find(const std::vector<Listener::Rule>& rules, std::string_view host) {
  auto at = std::lower_bound(
      rules.begin(), rules.end(), host,
      [](const Listener::Rule& rule, std::string_view key) { return rule.host < key; });
  return at != rules.end() && at->host == host ? at->group : nullptr;
}

// The host part of an authority: without port, without a final dot.
std::string_view HostOf(std::string_view authority) {
  if (!authority.empty() && authority.front() == '[') {
    size_t end = authority.find(']');
    return end == std::string_view::npos ? authority : authority.substr(0, end + 1);
  }
  std::string_view host = authority.substr(0, authority.find(':'));
  if (!host.empty() && host.back() == '.') {
    host.remove_suffix(1);
  }
  return host;
}

}  // namespace

ServerGroup* Listener::Route(std::string_view authority) const {
  std::string_view host = HostOf(authority);
  if (host.empty() || host.size() > kHostMax || (exact.empty() && wildcard.empty())) {
    return default_group;
  }
  std::array<char, kHostMax> folded;
  std::transform(host.begin(), host.end(), folded.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  std::string_view key(folded.data(), host.size());
  ServerGroup* group = Find(exact, key);
  size_t dot = key.find('.');
  // One label stands for the star, and it is not empty.
  if (group == nullptr && dot != std::string_view::npos && dot > 0) {
    group = Find(wildcard, key.substr(dot));
  }
  return group != nullptr ? group : default_group;
}

void BuildRoutes(const std::vector<std::unique_ptr<ServerGroup>>& groups, Listener* listener) {
  const config::ListenerConfig& config = listener->config;
  for (const config::HostRule& rule : config.hosts) {
    ServerGroup* group = groups[rule.group_index].get();
    if (rule.host.starts_with("*.")) {
      listener->wildcard.push_back({rule.host.substr(1), group});
    } else {
      listener->exact.push_back({rule.host, group});
    }
  }
  auto by_host = [](const Listener::Rule& a, const Listener::Rule& b) { return a.host < b.host; };
  std::sort(listener->exact.begin(), listener->exact.end(), by_host);
  std::sort(listener->wildcard.begin(), listener->wildcard.end(), by_host);
  if (config.default_group_index >= 0) {
    listener->default_group = groups[static_cast<size_t>(config.default_group_index)].get();
  }
}

}  // namespace postern::proxy
