#include "src/proxy/serving.h"

#include <utility>

namespace postern::proxy {

std::string_view HostOf(std::string_view authority) {
  if (!authority.empty() && authority.front() == '[') {
    size_t end = authority.find(']');
    return end == std::string_view::npos ? authority : authority.substr(0, end + 1);
  }
  return authority.substr(0, authority.find(':'));
}

ServerGroup* Listener::Route(std::string_view authority, RequestCounts::Row** row) const {
  std::optional<uint32_t> rule = rules.Find(HostOf(authority));
  size_t place = rule.value_or(config.hosts.size());
  bool found = rule.has_value() || config.default_group_index >= 0;
  if (row != nullptr) {
    *row = rows.empty() ? nullptr : rows[found ? place : place + 1];
  }
  if (!found) {
    return nullptr;
  }
  size_t group = rule.has_value() ? config.hosts[*rule].group_index
                                  : static_cast<size_t>(config.default_group_index);
  return serving->upstreams->groups[group].get();
}

bool Listener::MayServe(std::string_view server_name, std::string_view authority) const {
  return tls->IsSamePolicy(server_name, HostOf(authority));
}

Listener* Serving::Find(std::string_view listener_name) const {
  for (const auto& listener : listeners) {
    if (listener->config.name == listener_name) {
      return listener.get();
    }
  }
  return nullptr;
}

Listener* AddListener(std::unique_ptr<Listener> listener, Serving* serving) {
  for (size_t i = 0; i < listener->config.hosts.size(); ++i) {
    listener->rules.Add(listener->config.hosts[i].host, static_cast<uint32_t>(i));
  }
  listener->serving = serving;
  serving->claims.AddNamesOf(listener->config.identity_headers);
  serving->listeners.push_back(std::move(listener));
  return serving->listeners.back().get();
}

}  // namespace postern::proxy
