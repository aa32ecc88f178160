// The contract, part one: listening, accepting, connecting, addresses, ends of accepts.
#include <array>
#include <set>

#include "absl/status/statusor.h"
#include "tests/sim/driver_contract.h"

namespace postern::sim {
namespace {

using io::Operation;
using io::Status;

TEST_P(DriverContract, AcceptsConnections) {
  ContractNode* server = NewNode();
  ContractNode* client = NewNode();
  Listening listening = StartListening(server);
  std::set<int32_t> ids;
  std::vector<std::pair<io::Socket, io::Socket>> pairs;
  for (int i = 0; i < 20; ++i) {
    pairs.push_back(Connect(client, server, listening));
    EXPECT_TRUE(ids.insert(pairs.back().second.id).second) << "each connection is a socket";
  }
  for (auto& [near, far] : pairs) {
    client->driver->Close(near);
    server->driver->Close(far);
  }
  StopListening(server, listening);
}

TEST_P(DriverContract, TellsAddresses) {
  ContractNode* server = NewNode();
  ContractNode* client = NewNode();
  Listening listening = StartListening(server);
  EXPECT_NE(listening.address.port, 0);
  auto [near, far] = Connect(client, server, listening);
  EXPECT_EQ(server->driver->LocalAddress(far), listening.address);
  EXPECT_EQ(client->driver->PeerAddress(near), listening.address);
  EXPECT_EQ(client->driver->LocalAddress(near), server->driver->PeerAddress(far));
  EXPECT_NE(client->driver->LocalAddress(near).port, 0);
  client->driver->Close(near);
  server->driver->Close(far);
  StopListening(server, listening);
}

TEST_P(DriverContract, SpeaksIpv6) {
  ContractNode* node = NewNode();
  io::ListenOptions options;
  options.address = *io::ParseHost("::1", 0);
  auto probe = node->driver->Listen(options);
  if (!probe.ok()) {
    GTEST_SKIP() << "no IPv6 here: " << probe.status();
  }
  node->driver->Close(*probe);
  Listening listening = StartListening(node, "::1");
  auto [near, far] = Connect(node, node, listening);
  EXPECT_TRUE(node->driver->PeerAddress(far).ipv6);
  EXPECT_EQ(node->driver->PeerAddress(near), listening.address);
  std::string received;
  EXPECT_EQ(SendAll(node, near, "six"), Status::kOk);
  EXPECT_EQ(Receive(node, far, 3, &received), Status::kOk);
  EXPECT_EQ(received, "six");
  node->driver->Close(near);
  node->driver->Close(far);
  StopListening(node, listening);
}

TEST_P(DriverContract, ConnectToNobodyIsRefused) {
  ContractNode* node = NewNode();
  Listening listening = StartListening(node);
  StopListening(node, listening);
  Settle();
  io::Socket socket;
  ASSERT_EQ(node->driver->Open(false, &socket), Status::kOk);
  EXPECT_EQ(ConnectTo(node, socket, listening.address).status, Status::kRefused);
  node->driver->Close(socket);
}

TEST_P(DriverContract, AnAddressIsListenedOnOnce) {
  ContractNode* node = NewNode();
  Listening listening = StartListening(node);
  io::ListenOptions options;
  options.address = listening.address;
  auto second = node->driver->Listen(options);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.status().code(), absl::StatusCode::kAlreadyExists);
  std::string message(second.status().message());
  EXPECT_NE(message.find(io::Format(listening.address)), std::string::npos) << message;
  EXPECT_NE(message.find("in use"), std::string::npos) << message;
  StopListening(node, listening);
}

TEST_P(DriverContract, WhatMustBeFreeIsNotShared) {
  ContractNode* node = NewNode();
  io::ListenOptions options;
  options.address = *io::ParseHost("127.0.0.1", 0);
  options.share_port = true;
  options.must_be_free = true;
  auto first = node->driver->Listen(options);
  ASSERT_TRUE(first.ok()) << first.status();
  options.address = node->driver->LocalAddress(*first);
  auto stranger = node->driver->Listen(options);
  EXPECT_EQ(stranger.status().code(), absl::StatusCode::kAlreadyExists) << stranger.status();
  options.must_be_free = false;
  auto second = node->driver->Listen(options);
  ASSERT_TRUE(second.ok()) << second.status();
  node->driver->Close(*first);
  node->driver->Close(*second);
}

TEST_P(DriverContract, SharedPortsSpreadConnections) {
  ContractNode* nodes[] = {NewNode(), NewNode()};
  ContractNode* client = NewNode();
  io::ListenOptions options;
  options.address = *io::ParseHost("127.0.0.1", 0);
  options.share_port = true;
  Listening listening[2];
  for (int i = 0; i < 2; ++i) {
    auto socket = nodes[i]->driver->Listen(options);
    ASSERT_TRUE(socket.ok()) << socket.status();
    listening[i].socket = *socket;
    listening[i].token = nodes[i]->NewToken(Operation::kAccept);
    nodes[i]->driver->SubmitAccept(*socket, listening[i].token);
    options.address = nodes[i]->driver->LocalAddress(*socket);
  }
  std::vector<io::Socket> sockets(60);
  for (io::Socket& socket : sockets) {
    ASSERT_EQ(client->driver->Open(false, &socket), Status::kOk);
    EXPECT_EQ(ConnectTo(client, socket, options.address).status, Status::kOk);
  }
  auto count = [&](int i) { return nodes[i]->Count(listening[i].token); };
  EXPECT_TRUE(TurnUntil([&] { return count(0) + count(1) == sockets.size(); }));
  EXPECT_GT(count(0), 0u);
  EXPECT_GT(count(1), 0u);
  for (io::Socket socket : sockets) {
    client->driver->Close(socket);
  }
  StopListening(nodes[0], listening[0]);
  StopListening(nodes[1], listening[1]);
}

TEST_P(DriverContract, AcceptEndsWhenCancelledAndCanBeArmedAgain) {
  ContractNode* node = NewNode();
  Listening listening = StartListening(node);
  Settle();
  node->driver->SubmitCancel(listening.token);
  io::Completion end = Expect(node, listening.token);
  EXPECT_EQ(end.status, Status::kCancelled);
  EXPECT_FALSE(end.more);
  EXPECT_FALSE(end.socket.valid());
  listening.token = node->NewToken(Operation::kAccept);
  node->driver->SubmitAccept(listening.socket, listening.token);
  auto [near, far] = Connect(node, node, listening);
  node->driver->Close(near);
  node->driver->Close(far);
  StopListening(node, listening);
}

TEST_P(DriverContract, ConnectionsWaitInTheBacklog) {
  ContractNode* node = NewNode();
  io::ListenOptions options;
  options.address = *io::ParseHost("127.0.0.1", 0);
  auto listener = node->driver->Listen(options);
  ASSERT_TRUE(listener.ok());
  Listening listening{*listener, node->driver->LocalAddress(*listener)};
  io::Socket near;
  ASSERT_EQ(node->driver->Open(false, &near), Status::kOk);
  EXPECT_EQ(ConnectTo(node, near, listening.address).status, Status::kOk);
  EXPECT_EQ(SendAll(node, near, "early"), Status::kOk);
  listening.token = node->NewToken(Operation::kAccept);
  node->driver->SubmitAccept(listening.socket, listening.token);
  io::Completion accepted = Expect(node, listening.token);
  ASSERT_EQ(accepted.status, Status::kOk);
  std::string received;
  EXPECT_EQ(Receive(node, accepted.socket, 5, &received), Status::kOk);
  EXPECT_EQ(received, "early");
  node->driver->Close(near);
  node->driver->Close(accepted.socket);
  StopListening(node, listening);
}

TEST_P(DriverContract, WaitingConnectionsCanBeTaken) {
  ContractNode* node = NewNode();
  io::ListenOptions options;
  options.address = *io::ParseHost("127.0.0.1", 0);
  auto listener = node->driver->Listen(options);
  ASSERT_TRUE(listener.ok());
  io::Socket taken;
  EXPECT_FALSE(node->driver->TakeWaiting(*listener, &taken));
  io::Socket near;
  ASSERT_EQ(node->driver->Open(false, &near), Status::kOk);
  EXPECT_EQ(ConnectTo(node, near, node->driver->LocalAddress(*listener)).status, Status::kOk);
  bool found = false;
  ASSERT_TRUE(TurnUntil([&] {
    found = found || node->driver->TakeWaiting(*listener, &taken);
    return found;
  }));
  io::Socket none;
  EXPECT_FALSE(node->driver->TakeWaiting(*listener, &none));
  EXPECT_FALSE(none.valid());
  EXPECT_EQ(SendAll(node, near, "late"), Status::kOk);
  std::string received;
  EXPECT_EQ(Receive(node, taken, 4, &received), Status::kOk);
  EXPECT_EQ(received, "late");
  node->driver->Close(near);
  node->driver->Close(taken);
  node->driver->Close(*listener);
}

// A connection goes to one of the two, and the accept goes on.
TEST_P(DriverContract, WaitingConnectionsCanBeTakenBesideAnAccept) {
  ContractNode* node = NewNode();
  Listening listening = StartListening(node);
  Settle();
  std::vector<io::Socket> open;
  size_t served = 0;
  for (size_t i = 0; i < 20; ++i) {
    io::Socket near;
    ASSERT_EQ(node->driver->Open(false, &near), Status::kOk);
    EXPECT_EQ(ConnectTo(node, near, listening.address).status, Status::kOk);
    open.push_back(near);
    io::Socket taken;
    if (i % 2 == 0 && node->driver->TakeWaiting(listening.socket, &taken)) {
      ++served;
      open.push_back(taken);
    }
  }
  EXPECT_TRUE(TurnUntil([&] { return served + node->Count(listening.token) == 20; }));
  for (io::Socket socket : open) {
    node->driver->Close(socket);
  }
  auto [near, far] = Connect(node, node, listening);
  node->driver->Close(near);
  node->driver->Close(far);
  StopListening(node, listening);
}

TEST_P(DriverContract, SocketsMoveBetweenDrivers) {
  ContractNode* first = NewNode();
  ContractNode* second = NewNode();
  Listening listening = StartListening(first);
  auto [near, far] = Connect(first, first, listening);
  io::Socket moved = second->driver->Adopt(first->driver->Export(far));
  EXPECT_EQ(second->driver->LocalAddress(moved), listening.address);
  std::string received;
  EXPECT_EQ(SendAll(first, near, "ping"), Status::kOk);
  EXPECT_EQ(Receive(second, moved, 4, &received), Status::kOk);
  EXPECT_EQ(SendAll(second, moved, "pong"), Status::kOk);
  EXPECT_EQ(Receive(first, near, 8, &received), Status::kOk);
  EXPECT_EQ(received, "pingpong");
  first->driver->Close(near);
  second->driver->Close(moved);
  StopListening(first, listening);
}

TEST_P(DriverContract, ListenersMoveBetweenDrivers) {
  ContractNode* first = NewNode();
  ContractNode* second = NewNode();
  Listening listening = StartListening(first);
  first->driver->SubmitCancel(listening.token);
  EXPECT_FALSE(Expect(first, listening.token).more);
  listening.socket = second->driver->Adopt(first->driver->Export(listening.socket));
  listening.token = second->NewToken(Operation::kAccept);
  second->driver->SubmitAccept(listening.socket, listening.token);
  auto [near, far] = Connect(first, second, listening);
  first->driver->Close(near);
  second->driver->Close(far);
  StopListening(second, listening);
}

TEST_P(DriverContract, ManySocketsAtOnce) {
  ContractNode* server = NewNode();
  ContractNode* client = NewNode();
  Listening listening = StartListening(server);
  std::vector<std::pair<io::Socket, io::Socket>> pairs;
  std::vector<std::pair<io::Token, io::Token>> tokens;
  std::string text = "to many";
  std::span<const uint8_t> bytes = AsBytes(text);
  for (int i = 0; i < 150; ++i) {
    pairs.push_back(Connect(client, server, listening));
  }
  for (auto& [near, far] : pairs) {
    tokens.emplace_back(client->NewToken(Operation::kSend), server->NewToken(Operation::kReceive));
    client->driver->SubmitSend(near, {&bytes, 1}, tokens.back().first);
    server->driver->SubmitReceive(far, io::BufferClass::kSmall, tokens.back().second);
  }
  for (size_t i = 0; i < pairs.size(); ++i) {
    EXPECT_EQ(Expect(client, tokens[i].first).status, Status::kOk);
    // With 16 buffers for 150 sockets some are told to ask again.
    io::Completion completion = Expect(server, tokens[i].second);
    if (completion.status == Status::kOk) {
      server->driver->ReleaseBuffer(completion.buffer);
    } else {
      EXPECT_EQ(completion.status, Status::kNoBuffers);
    }
    client->driver->Close(pairs[i].first);
    server->driver->Close(pairs[i].second);
  }
  StopListening(server, listening);
}

}  // namespace
}  // namespace postern::sim
