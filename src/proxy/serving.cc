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

ServerGroup* Listener::Route(std::string_view authority) const {
  std::optional<uint32_t> index = groups.Find(HostOf(authority));
  if (!index.has_value() && config.default_group_index >= 0) {
    index = static_cast<uint32_t>(config.default_group_index);
  }
  return index.has_value() ? serving->upstreams->groups[*index].get() : nullptr;
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
  for (const config::HostRule& rule : listener->config.hosts) {
    listener->groups.Add(rule.host, rule.group_index);
  }
  listener->serving = serving;
  serving->listeners.push_back(std::move(listener));
  return serving->listeners.back().get();
}

}  // namespace postern::proxy
