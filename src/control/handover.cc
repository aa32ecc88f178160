#include "src/control/handover.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "src/io/address.h"

namespace postern::control {
namespace {

constexpr absl::string_view kFirstLine = "postern-handover 1";
constexpr absl::string_view kEnd = "end";
// In place of the first line, with the reason behind it.
constexpr absl::string_view kRefused = "postern-refused ";

// The kernel takes 253 in one message.
constexpr size_t kDescriptorsAtOnce = 200;
// A kind, an address, a port and a name.
constexpr int kWordsMax = 4;
// A million servers, as many as a configuration may have, with a line of some 150 bytes each.
constexpr size_t kTextBytesMax = size_t{256} << 20;
constexpr size_t kDescriptorsMax = 65'536;

absl::Status Broken(absl::string_view what) {
  return absl::UnavailableError(absl::StrCat(what, ": ", std::strerror(errno)));
}

absl::Status OtherProtocol() {
  return absl::InvalidArgumentError("the running process speaks another protocol");
}

// After a call that would have had to wait, or was interrupted.
bool TryAgain() {
  return errno == EINTR || errno == EAGAIN;
}

void CloseEach(std::vector<int>* descriptors) {
  for (int descriptor : *descriptors) {
    close(descriptor);
  }
  descriptors->clear();
}

std::vector<int> DescriptorsOf(const Handover& handover) {
  std::vector<int> descriptors;
  for (const auto* sockets : {&handover.listeners, &handover.admin}) {
    for (const Handover::Listening& listening : *sockets) {
      descriptors.push_back(listening.descriptor);
    }
  }
  return descriptors;
}

bool FromHex(absl::string_view hex, std::string* bytes) {
  auto is_digit = [](char c) { return absl::ascii_isxdigit(static_cast<unsigned char>(c)); };
  if (hex.size() % 2 != 0 || !std::all_of(hex.begin(), hex.end(), is_digit)) {
    return false;
  }
  *bytes = absl::HexStringToBytes(hex);
  return true;
}

bool ParseAddress(const std::vector<absl::string_view>& words, config::AddressPort* address) {
  uint32_t port = 0;
  if (words.size() < 3 || !absl::SimpleAtoi(words[2], &port) || port > UINT16_MAX ||
      !io::ParseHost(std::string(words[1]), static_cast<uint16_t>(port)).has_value()) {
    return false;
  }
  address->address = std::string(words[1]);
  address->port = static_cast<uint16_t>(port);
  return true;
}

void AppendSocket(absl::string_view kind, const Handover::Listening& listening, std::string* text) {
  absl::StrAppend(text, kind, " ", listening.address.address, " ", listening.address.port, " ",
                  absl::BytesToHexString(listening.name), "\n");
}

// The payload's size and the number of descriptors come first; the descriptors ride on the bytes
// behind the text, one byte for each batch.
struct Preface {
  uint32_t text_bytes = 0;
  uint32_t descriptors = 0;
};

absl::Status SendAll(int socket, const void* bytes, size_t size, const Patience& patience) {
  const auto* at = static_cast<const char*>(bytes);
  while (size > 0) {
    if (!patience.Await(socket, POLLOUT)) {
      return Broken("handing over");
    }
    ssize_t sent = send(socket, at, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent <= 0 && !TryAgain()) {
      return Broken("handing over");
    }
    at += std::max<ssize_t>(sent, 0);
    size -= static_cast<size_t>(std::max<ssize_t>(sent, 0));
  }
  return absl::OkStatus();
}

absl::Status ReceiveAll(int socket, void* bytes, size_t size, const Patience& patience) {
  auto* at = static_cast<char*>(bytes);
  while (size > 0) {
    if (!patience.Await(socket, POLLIN)) {
      return Broken("taking over");
    }
    ssize_t received = recv(socket, at, size, MSG_DONTWAIT);
    if (received == 0) {
      return absl::UnavailableError("the running process has hung up");
    }
    if (received < 0 && !TryAgain()) {
      return Broken("taking over");
    }
    at += std::max<ssize_t>(received, 0);
    size -= static_cast<size_t>(std::max<ssize_t>(received, 0));
  }
  return absl::OkStatus();
}

absl::Status SendText(int socket, std::string_view text, size_t descriptors,
                      const Patience& patience) {
  if (text.size() > kTextBytesMax || descriptors > kDescriptorsMax) {
    return absl::ResourceExhaustedError("handing over: more than a successor would take");
  }
  Preface preface = {static_cast<uint32_t>(text.size()), static_cast<uint32_t>(descriptors)};
  absl::Status status = SendAll(socket, &preface, sizeof(preface), patience);
  return status.ok() ? SendAll(socket, text.data(), text.size(), patience) : status;
}

absl::Status SendBatch(int socket, const int* descriptors, size_t count, const Patience& patience) {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kDescriptorsAtOnce * sizeof(int))> control = {};
  char byte = 'D';
  iovec part = {&byte, 1};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = CMSG_SPACE(count * sizeof(int));
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(count * sizeof(int));
  std::memcpy(CMSG_DATA(header), descriptors, count * sizeof(int));
  while (patience.Await(socket, POLLOUT)) {
    if (sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == 1) {
      return absl::OkStatus();
    }
    if (!TryAgain()) {
      break;
    }
  }
  return Broken("handing over");
}

// Appends at most `most` of them, and at least one, or fails.
absl::Status ReceiveBatch(int socket, size_t most, const Patience& patience,
                          std::vector<int>* descriptors) {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kDescriptorsAtOnce * sizeof(int))> control = {};
  char byte = 0;
  iovec part = {&byte, 1};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  ssize_t received = -1;
  do {
    if (!patience.Await(socket, POLLIN)) {
      return Broken("taking over");
    }
    message.msg_controllen = control.size();
    received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  } while (received < 0 && TryAgain());
  if (received < 0) {
    return Broken("taking over");
  }
  size_t before = descriptors->size();
  // Also of a message that is refused: they are open in this process already.
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
      size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      size_t at = descriptors->size();
      descriptors->resize(at + count);
      std::memcpy(descriptors->data() + at, CMSG_DATA(header), count * sizeof(int));
    }
  }
  if (received == 0) {
    return absl::UnavailableError("the running process has hung up");
  }
  size_t count = descriptors->size() - before;
  if ((message.msg_flags & MSG_CTRUNC) != 0) {
    return absl::ResourceExhaustedError(
        "not all sockets of the running process could be taken over; raise the limit of open files "
        "(nofile) of the one that is started");
  }
  return count >= 1 && count <= most ? absl::OkStatus() : OtherProtocol();
}

}  // namespace

absl::StatusOr<Handover::Listening> Handover::Listening::Of(int descriptor) {
  sockaddr_storage name = {};
  socklen_t size = sizeof(name);
  int listens = 0;
  socklen_t int_size = sizeof(int);
  bool good = getsockname(descriptor, reinterpret_cast<sockaddr*>(&name), &size) == 0 &&
              getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &int_size) == 0;
  std::array<char, INET6_ADDRSTRLEN> text = {};
  Listening listening;
  listening.descriptor = descriptor;
  if (name.ss_family == AF_INET) {
    const auto& ip = reinterpret_cast<const sockaddr_in&>(name);
    inet_ntop(AF_INET, &ip.sin_addr, text.data(), text.size());
    listening.address.port = ntohs(ip.sin_port);
  } else if (name.ss_family == AF_INET6) {
    const auto& ip = reinterpret_cast<const sockaddr_in6&>(name);
    inet_ntop(AF_INET6, &ip.sin6_addr, text.data(), text.size());
    listening.address.port = ntohs(ip.sin6_port);
  }
  listening.address.address = text.data();
  if (!good || listens == 0 || listening.address.address.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("descriptor ", descriptor, " is no listening TCP socket"));
  }
  return listening;
}

void Handover::CloseAll() {
  std::vector<int> descriptors = DescriptorsOf(*this);
  CloseEach(&descriptors);
  *this = Handover();
}

base::Secret EncodeHandover(const Handover& handover) {
  std::string text = absl::StrCat(kFirstLine, "\nio ", handover.io, "\n");
  if (!handover.notify_socket.empty()) {
    absl::StrAppend(&text, "notify ", absl::BytesToHexString(handover.notify_socket), "\n");
  }
  if (!handover.watchdog_us.empty()) {
    absl::StrAppend(&text, "watchdog ", absl::BytesToHexString(handover.watchdog_us), "\n");
  }
  for (const Handover::Listening& listening : handover.listeners) {
    AppendSocket("listener", listening, &text);
  }
  for (const Handover::Listening& listening : handover.admin) {
    AppendSocket("admin", listening, &text);
  }
  text += handover.servers;
  text += handover.lists;
  // Last, and where there is room for it: a text that grows leaves what it had behind.
  const base::Secret secret(absl::BytesToHexString(absl::string_view(
      reinterpret_cast<const char*>(handover.secret.data()), handover.secret.size())));
  constexpr absl::string_view kSecret = "secret ";
  text.reserve(text.size() + kSecret.size() + secret.view().size() + kEnd.size() + 2);
  absl::StrAppend(&text, kSecret);
  text += secret.view();
  absl::StrAppend(&text, "\n", kEnd, "\n");
  return base::Secret(std::move(text));
}

absl::StatusOr<Handover> DecodeHandover(absl::string_view text, std::vector<int> descriptors) {
  // Views, since each copy of the secret's line would stay behind.
  bool good = absl::StartsWith(text, absl::StrCat(kFirstLine, "\n"));
  absl::string_view last;
  Handover handover;
  size_t next = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    last = line;
    // Of what no line has, or another version's has, no more than one piece is made.
    std::vector<absl::string_view> words = absl::StrSplit(line, absl::MaxSplits(' ', kWordsMax));
    bool is_admin = words[0] == "admin";
    if (words[0] == "io" && words.size() == 2) {
      handover.io = std::string(words[1]);
    } else if (words[0] == "notify" && words.size() == 2) {
      good = good && FromHex(words[1], &handover.notify_socket);
    } else if (words[0] == "watchdog" && words.size() == 2) {
      good = good && FromHex(words[1], &handover.watchdog_us);
    } else if (words[0] == "secret") {
      std::string bytes;
      good = good && words.size() == 2 && FromHex(words[1], &bytes);
      const base::Secret secret(std::move(bytes));
      good = good && secret.view().size() == handover.secret.size();
      std::copy_n(secret.view().begin(), std::min(secret.view().size(), handover.secret.size()),
                  handover.secret.begin());
    } else if (is_admin || words[0] == "listener") {
      Handover::Listening listening;
      good = good && ParseAddress(words, &listening.address) && next < descriptors.size() &&
             (words.size() <= 3 || FromHex(words[3], &listening.name));
      if (good) {
        listening.descriptor = descriptors[next++];
        (is_admin ? handover.admin : handover.listeners).push_back(std::move(listening));
      }
    } else if (words[0] == "server" || words[0] == "list") {
      absl::StrAppend(words[0] == "list" ? &handover.lists : &handover.servers, line, "\n");
    }
  }
  descriptors.erase(descriptors.begin(), descriptors.begin() + static_cast<ptrdiff_t>(next));
  CloseEach(&descriptors);
  if (!good || last != kEnd) {
    handover.CloseAll();
    return OtherProtocol();
  }
  return handover;
}

absl::Status SendHandover(int socket, const Handover& handover, const Patience& patience) {
  const base::Secret text = EncodeHandover(handover);
  std::vector<int> descriptors = DescriptorsOf(handover);
  absl::Status status = SendText(socket, text.view(), descriptors.size(), patience);
  for (size_t at = 0; status.ok() && at < descriptors.size(); at += kDescriptorsAtOnce) {
    status = SendBatch(socket, descriptors.data() + at,
                       std::min(kDescriptorsAtOnce, descriptors.size() - at), patience);
  }
  return status;
}

absl::Status SendRefusal(int socket, const std::string& why, const Patience& patience) {
  return SendText(socket, absl::StrCat(kRefused, why), 0, patience);
}

absl::StatusOr<Handover> ReceiveHandover(int socket, const Patience& patience) {
  Preface preface;
  absl::Status status = ReceiveAll(socket, &preface, sizeof(preface), patience);
  if (!status.ok()) {
    return status;
  }
  if (preface.text_bytes > kTextBytesMax || preface.descriptors > kDescriptorsMax) {
    return OtherProtocol();
  }
  std::string text(preface.text_bytes, '\0');
  status = ReceiveAll(socket, text.data(), text.size(), patience);
  if (status.ok() && absl::StartsWith(text, kRefused)) {
    return absl::FailedPreconditionError(text.substr(kRefused.size()));
  }
  std::vector<int> descriptors;
  while (status.ok() && descriptors.size() < preface.descriptors) {
    status = ReceiveBatch(socket, preface.descriptors - descriptors.size(), patience, &descriptors);
  }
  const base::Secret received(std::move(text));
  if (!status.ok()) {
    CloseEach(&descriptors);
    return status;
  }
  return DecodeHandover({received.view().data(), received.view().size()}, std::move(descriptors));
}

}  // namespace postern::control
