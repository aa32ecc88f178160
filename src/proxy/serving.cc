#include "src/proxy/serving.h"

#include <algorithm>
#include <utility>

#include "src/base/limits.h"

namespace postern::proxy {

void Server::OnTry(int64_t now_ms) {
  if (refused_in_row_ >= base::limits::kRefusalsInRow) {
    tried_ = true;
    held_until_ms_ = now_ms + pause_ms_;
  }
}

void Server::OnRefused(int64_t now_ms) {
  ++refused_in_row_;
  // Those that were under way together count once.
  if (refused_in_row_ == base::limits::kRefusalsInRow || tried_) {
    tried_ = false;
    pause_ms_ = std::clamp(2 * pause_ms_, base::limits::kHoldOffMsMin, base::limits::kHoldOffMsMax);
    held_until_ms_ = now_ms + pause_ms_;
  }
}

size_t ServerGroup::Choose(size_t tried, int64_t now_ms) {
  constexpr size_t kNone = upstream::Balancer::kNone;
  size_t member = tried == kNone ? balancer.Next(now_ms) : balancer.NextAfter(tried);
  for (size_t i = 0; i < base::limits::kHoldOffOthers && member != kNone; ++i) {
    if (!servers[member]->HeldOff(now_ms)) {
      break;
    }
    member = balancer.NextAfter(member);
  }
  return member;
}

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
