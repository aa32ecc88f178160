#include "src/control/names.h"

#include <ares.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <list>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/control/patience.h"

namespace postern::control {
namespace {

// Two questions each, for IPv4 and for IPv6: more would be more than the buffer of a name server's
// socket holds (Linux: some 270 small datagrams), and what is lost is asked again much later.
constexpr size_t kAtOnce = 100;
// Each server is asked twice, and waited for twice as long the second time: with one server, names
// that are not answered leave their places to others after a third of the patience.
constexpr int kTries = 2;
constexpr int kTimeoutsPerPatience = 9;

std::vector<io::Address> AddressesOf(const ares_addrinfo& info) {
  std::vector<io::Address> addresses;
  for (const ares_addrinfo_node* node = info.nodes; node != nullptr; node = node->ai_next) {
    sockaddr_storage name = {};
    std::memcpy(&name, node->ai_addr, std::min<size_t>(node->ai_addrlen, sizeof(name)));
    io::Address address = io::FromKernel(name);
    address.port = 0;
    if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) {
      addresses.push_back(address);
    }
  }
  return addresses;
}

class Search {
 public:
  Search(const std::set<std::string>& names, std::chrono::milliseconds patience)
      : next_(names.begin()), end_(names.end()), whole_(patience), patience_(patience) {}
  ~Search() {
    if (channel_ != nullptr) {
      ares_destroy(channel_);
    }
  }
  Search(const Search&) = delete;
  Search& operator=(const Search&) = delete;

  Resolved Run(const std::string& servers) {
    ares_options options = {};
    options.timeout = static_cast<int>(whole_.count()) / kTimeoutsPerPatience;
    options.tries = kTries;
    int status = ares_init_options(&channel_, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
    if (status == ARES_SUCCESS && !servers.empty()) {
      status = ares_set_servers_ports_csv(channel_, servers.c_str());
    }
    for (; status != ARES_SUCCESS && next_ != end_; ++next_) {
      Fail(*next_, ares_strerror(status));
    }
    while (next_ != end_ || running_ > 0) {
      if (patience_.left_ms() == 0) {
        GiveUp();
        break;
      }
      while (next_ != end_ && running_ < kAtOnce) {
        Begin(*next_++);
      }
      if (running_ > 0) {
        AwaitAnswers();
      }
    }
    return std::move(resolved_);
  }

 private:
  struct Question {
    Search* search;
    const std::string* name;
  };

  void Begin(const std::string& name) {
    ares_addrinfo_hints hints = {};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    ++running_;
    // The answer may come within the call.
    ares_getaddrinfo(channel_, name.c_str(), nullptr, &hints, OnAnswer,
                     &questions_.emplace_back(Question{this, &name}));
  }

  static void OnAnswer(void* argument, int status, int /*timeouts*/, ares_addrinfo* info) {
    const auto* question = static_cast<Question*>(argument);
    Search* search = question->search;
    const std::string& name = *question->name;
    --search->running_;
    if (status == ARES_SUCCESS && info != nullptr && info->nodes != nullptr) {
      search->resolved_.emplace(name, AddressesOf(*info));
    } else if (status == ARES_ECANCELLED || status == ARES_ETIMEOUT) {
      search->Fail(name, search->NoAnswer());
    } else {
      search->Fail(name, status == ARES_SUCCESS ? "no address" : ares_strerror(status));
    }
    if (info != nullptr) {
      ares_freeaddrinfo(info);
    }
  }

  void AwaitAnswers() {
    std::array<ares_socket_t, ARES_GETSOCK_MAXNUM> sockets;
    const int wanted = ares_getsock(channel_, sockets.data(), sockets.size());
    std::vector<pollfd> waits;
    for (size_t i = 0; i < sockets.size(); ++i) {
      const bool reads = ARES_GETSOCK_READABLE(wanted, i);
      const bool writes = ARES_GETSOCK_WRITABLE(wanted, i);
      if (reads || writes) {
        waits.push_back(
            {sockets[i], static_cast<short>((reads ? POLLIN : 0) | (writes ? POLLOUT : 0)), 0});
      }
    }
    const int left_ms = patience_.left_ms();
    timeval longest = {};
    longest.tv_sec = left_ms / 1'000;
    longest.tv_usec = left_ms % 1'000 * 1'000;
    timeval wait = {};
    const timeval* next = ares_timeout(channel_, &longest, &wait);
    const int wait_ms =
        std::min(left_ms, static_cast<int>(next->tv_sec * 1'000 + next->tv_usec / 1'000 + 1));
    if (poll(waits.data(), waits.size(), wait_ms) <= 0) {
      ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
      return;
    }
    for (const pollfd& ready : waits) {
      const bool reads = (ready.revents & (POLLIN | POLLERR | POLLHUP)) != 0;
      const bool writes = (ready.revents & POLLOUT) != 0;
      if (reads || writes) {
        ares_process_fd(channel_, reads ? ready.fd : ARES_SOCKET_BAD,
                        writes ? ready.fd : ARES_SOCKET_BAD);
      }
    }
  }

  void GiveUp() {
    ares_cancel(channel_);
    for (; next_ != end_; ++next_) {
      Fail(*next_, NoAnswer());
    }
  }

  std::string NoAnswer() const {
    return absl::StrCat("no name server has answered within ", whole_.count() - patience_.left_ms(),
                        " ms");
  }
  void Fail(const std::string& name, const std::string& why) {
    resolved_.emplace(name,
                      absl::NotFoundError(absl::StrCat("cannot resolve '", name, "': ", why)));
  }

  ares_channel channel_ = nullptr;
  std::set<std::string>::const_iterator next_;
  std::set<std::string>::const_iterator end_;
  const std::chrono::milliseconds whole_;
  const Patience patience_;
  size_t running_ = 0;
  std::list<Question> questions_;  // what c-ares has been given pointers to
  Resolved resolved_;
};

}  // namespace

Resolved ResolveNames(const std::set<std::string>& names, std::chrono::milliseconds patience,
                      const std::string& servers) {
  return names.empty() ? Resolved() : Search(names, patience).Run(servers);
}

}  // namespace postern::control
