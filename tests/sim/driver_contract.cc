#include "tests/sim/driver_contract.h"

#include <algorithm>
#include <array>

#include "absl/status/statusor.h"
#include "src/base/limits.h"

namespace postern::sim {

using io::Operation;
using io::Status;

std::string ContractBytes(size_t size) {
  std::string bytes(size, '\0');
  uint32_t state = 12345;
  for (char& c : bytes) {
    state = state * 1664525 + 1013904223;
    c = static_cast<char>(state >> 24);
  }
  return bytes;
}

ContractNode* DriverContract::NewNode(uint32_t small_buffers, uint32_t large_buffers) {
  nodes_.push_back(std::make_unique<ContractNode>());
  nodes_.back()->driver = harness_->NewDriver(small_buffers, large_buffers);
  EXPECT_TRUE(nodes_.back()->driver->Start().ok());
  return nodes_.back().get();
}

void DriverContract::TearDown() {
  for (auto& node : nodes_) {
    node->driver->Submit();
    for (auto& [token, completions] : node->completions) {
      EXPECT_TRUE(completions.empty()) << "a completion nobody asked for";
    }
  }
  nodes_.clear();
}

void DriverContract::TurnAll() {
  std::array<io::Completion, 16> out;
  for (auto& node : nodes_) {
    size_t count = harness_->WaitBriefly(node->driver.get(), out);
    ASSERT_LE(count, out.size());
    for (size_t i = 0; i < count; ++i) {
      node->completions[out[i].token].push_back(out[i]);
    }
  }
}

bool DriverContract::TurnUntil(const std::function<bool()>& condition) {
  for (size_t turn = 0; turn < harness_->turns_max(); ++turn) {
    if (condition()) {
      return true;
    }
    TurnAll();
  }
  ADD_FAILURE() << "nothing came";
  return false;
}

io::Completion DriverContract::Expect(ContractNode* node, io::Token token) {
  if (!TurnUntil([&] { return node->Count(token) > 0; })) {
    io::Completion none;
    none.status = Status::kOther;
    return none;
  }
  io::Completion completion = node->completions[token].front();
  node->completions[token].pop_front();
  EXPECT_EQ(completion.token, token);
  return completion;
}

void DriverContract::Settle() {
  for (int i = 0; i < 20; ++i) {
    TurnAll();
  }
}

DriverContract::Listening DriverContract::StartListening(ContractNode* node, const char* host) {
  Listening listening;
  io::ListenOptions options;
  options.address = *io::ParseHost(host, 0);
  auto socket = node->driver->Listen(options);
  EXPECT_TRUE(socket.ok()) << socket.status();
  listening.socket = socket.value_or(io::Socket{});
  listening.address = node->driver->LocalAddress(listening.socket);
  listening.token = node->NewToken(Operation::kAccept);
  node->driver->SubmitAccept(listening.socket, listening.token);
  return listening;
}

void DriverContract::StopListening(ContractNode* node, const Listening& listening) {
  node->driver->SubmitCancel(listening.token);
  for (;;) {
    io::Completion completion = Expect(node, listening.token);
    if (completion.socket.valid()) {
      node->driver->Close(completion.socket);
    }
    if (!completion.more) {
      break;
    }
  }
  node->driver->Close(listening.socket);
}

io::Completion DriverContract::ConnectTo(ContractNode* from, io::Socket socket,
                                         const io::Address& address) {
  io::Token token = from->NewToken(Operation::kConnect);
  from->driver->SubmitConnect(socket, address, token);
  return Expect(from, token);
}

std::pair<io::Socket, io::Socket> DriverContract::Connect(ContractNode* from, ContractNode* to,
                                                          const Listening& listening) {
  io::Socket socket;
  EXPECT_EQ(from->driver->Open(listening.address.ipv6, &socket), Status::kOk);
  EXPECT_EQ(ConnectTo(from, socket, listening.address).status, Status::kOk);
  io::Completion accepted = Expect(to, listening.token);
  EXPECT_EQ(accepted.status, Status::kOk);
  EXPECT_TRUE(accepted.more);
  EXPECT_TRUE(accepted.socket.valid());
  return {socket, accepted.socket};
}

namespace {

// Up to four spans, of sizes that do not fit anything.
size_t Split(std::span<const uint8_t> bytes,
             std::array<std::span<const uint8_t>, base::limits::kSendSpans>* spans) {
  size_t count = 0;
  for (size_t size = 1; !bytes.empty() && count < spans->size(); size = size * 41 + 7) {
    (*spans)[count] = bytes.first(std::min(size, bytes.size()));
    bytes = bytes.subspan((*spans)[count].size());
    ++count;
  }
  return count;
}

}  // namespace

Status DriverContract::SendAll(ContractNode* node, io::Socket socket, const std::string& bytes) {
  std::span<const uint8_t> left = AsBytes(bytes);
  while (!left.empty()) {
    std::array<std::span<const uint8_t>, base::limits::kSendSpans> spans;
    size_t count = Split(left, &spans);
    io::Token token = node->NewToken(Operation::kSend);
    node->driver->SubmitSend(socket, {spans.data(), count}, token);
    io::Completion completion = Expect(node, token);
    if (completion.status != Status::kOk || completion.bytes == 0) {
      return completion.status;
    }
    left = left.subspan(completion.bytes);
  }
  return Status::kOk;
}

Status DriverContract::Receive(ContractNode* node, io::Socket socket, size_t count,
                               std::string* bytes, io::BufferClass buffer_class) {
  while (bytes->size() < count) {
    io::Token token = node->NewToken(Operation::kReceive);
    node->driver->SubmitReceive(socket, buffer_class, token);
    io::Completion completion = Expect(node, token);
    if (completion.status != Status::kOk) {
      return completion.status;
    }
    EXPECT_GT(completion.buffer.size, 0u);
    EXPECT_EQ(completion.buffer.size, completion.bytes);
    bytes->append(reinterpret_cast<char*>(completion.buffer.data), completion.buffer.size);
    node->driver->ReleaseBuffer(completion.buffer);
  }
  return Status::kOk;
}

std::string DriverContract::Transfer(ContractNode* from, io::Socket source, ContractNode* to,
                                     io::Socket sink, const std::string& bytes) {
  std::string arrived;
  std::span<const uint8_t> left = AsBytes(bytes);
  std::array<std::span<const uint8_t>, base::limits::kSendSpans> spans;
  io::Token send = 0;
  io::Token receive = 0;
  auto step = [&] {
    if (send != 0 && from->Count(send) > 0) {
      io::Completion completion = Expect(from, std::exchange(send, 0));
      EXPECT_EQ(completion.status, Status::kOk);
      left = left.subspan(completion.bytes);
    }
    if (send == 0 && !left.empty()) {
      send = from->NewToken(Operation::kSend);
      from->driver->SubmitSend(source, {spans.data(), Split(left, &spans)}, send);
    }
    if (receive != 0 && to->Count(receive) > 0) {
      io::Completion completion = Expect(to, std::exchange(receive, 0));
      EXPECT_EQ(completion.status, Status::kOk);
      arrived.append(reinterpret_cast<char*>(completion.buffer.data), completion.buffer.size);
      to->driver->ReleaseBuffer(completion.buffer);
    }
    if (receive == 0 && arrived.size() < bytes.size()) {
      receive = to->NewToken(Operation::kReceive);
      to->driver->SubmitReceive(sink, io::BufferClass::kLarge, receive);
    }
    return HasFailure() || (send == 0 && receive == 0);
  };
  TurnUntil(step);
  return arrived;
}

io::Token DriverContract::FillUp(ContractNode* node, io::Socket socket,
                                 std::span<const uint8_t> bytes, size_t* taken) {
  // Loopback of Linux takes a few megabytes.
  for (int i = 0; i < 10'000; ++i) {
    io::Token token = node->NewToken(Operation::kSend);
    node->driver->SubmitSend(socket, {&bytes, 1}, token);
    for (size_t turn = 0; turn < 300 && node->Count(token) == 0; ++turn) {
      TurnAll();
    }
    if (node->Count(token) == 0) {
      return token;
    }
    io::Completion completion = Expect(node, token);
    EXPECT_EQ(completion.status, Status::kOk);
    *taken += completion.bytes;
  }
  ADD_FAILURE() << "a connection nobody reads from takes bytes without end";
  return 0;
}

void StreamContract::SetUp() {
  DriverContract::SetUp();
  server_ = NewNode();
  client_ = NewNode();
  listening_ = StartListening(server_);
  std::tie(near_, far_) = Connect(client_, server_, listening_);
}

void StreamContract::TearDown() {
  StopListening(server_, listening_);
  if (near_.valid()) {
    client_->driver->Close(near_);
  }
  if (far_.valid()) {
    server_->driver->Close(far_);
  }
  DriverContract::TearDown();
}

}  // namespace postern::sim
