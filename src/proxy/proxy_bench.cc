// What the proxy makes of a head between its two sides: where it goes, and what it says there.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "src/base/blocks_test_util.h"
#include "src/base/check.h"
#include "src/http/h1_parser.h"
#include "src/http/heads_bench_util.h"
#include "src/proxy/forwarding.h"
#include "src/proxy/serving.h"
#include "src/proxy/upstream_h1.h"
#include "src/upstream/health_table.h"

namespace postern::proxy {
namespace {

using http::kBrowserRequest;
using http::kResponse;
using http::kSmallRequest;

// A listener with so many host rules, every other one a wildcard, one for the host of the requests
// above, and no default.
class Rules {
 public:
  explicit Rules(int64_t count) {
    auto table = upstream::HealthTable::Create({1, 1, 1});
    CHECK(table.ok());
    table_ = *std::move(table);
    serving_.upstreams = std::make_unique<Upstreams>();
    serving_.upstreams->groups.push_back(
        std::make_unique<ServerGroup>(group_, upstream::Balancer(table_.get(), 0, 0, 1, true)));
    for (int64_t i = 0; i < count; ++i) {
      config_.hosts.push_back({(i % 2 == 0 ? "" : "*.") + NameOf(i), 0});
    }
    config_.hosts.push_back({"www.example.test", 0});
    listener_ = AddListener(std::make_unique<Listener>(config_), &serving_);
  }

  static std::string NameOf(int64_t number) {
    return "host" + std::to_string(number) + ".example.test";
  }
  const Listener& listener() const { return *listener_; }

 private:
  config::GroupConfig group_;
  config::ListenerConfig config_;
  std::unique_ptr<upstream::HealthTable> table_;
  Serving serving_;
  Listener* listener_ = nullptr;
};

// By host name, as it comes with its port; half of the names are exact and half match a wildcard.
void BM_Route(benchmark::State& state) {
  Rules rules(state.range(0));
  std::vector<std::string> authorities;
  for (int64_t i = 0; i < 256; ++i) {
    int64_t number = i * 7919 % state.range(0);
    authorities.push_back((number % 2 == 0 ? "" : "www.") + Rules::NameOf(number) + ":443");
    CHECK(rules.listener().Route(authorities.back()) != nullptr);
  }
  size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(rules.listener().Route(authorities[next++ % authorities.size()]));
  }
}
BENCHMARK(BM_Route)->Arg(2)->Arg(20)->Arg(1000);

void BM_RouteMiss(benchmark::State& state) {
  Rules rules(state.range(0));
  for (auto _ : state) {
    benchmark::DoNotOptimize(rules.listener().Route("www.example.invalid:443"));
  }
}
BENCHMARK(BM_RouteMiss)->Arg(2)->Arg(1000);

// Everything about a request that is known when its head is forwarded.
class Request {
 public:
  explicit Request(std::string_view text) {
    CHECK(http::ParseRequestHead(text, http::HeadLimits(), &head_) == http::HeadError::kNone);
    tls::PeerIdentity::Parts parts;
    parts.subject_dn = "CN=device-17.fleet.example.test,OU=Sensors,O=Example GmbH,C=DE";
    parts.issuer_dn = "CN=Example Device CA 3,O=Example GmbH,C=DE";
    tls::PeerIdentity::Facts facts;
    facts.verified = parts.verified = true;
    facts.authenticated_s = parts.authenticated_s = 1'799'999'000;
    facts.member_count = 1;
    const uint8_t serial[] = {0x3a, 0x5b, 0x1c, 0x00, 0x99, 0xd8, 0xe7, 0xf6};
    CHECK(facts.members[0].SetSerial(serial));
    CHECK(identity_.Set(parts, facts));
    context_.head = &head_;
    context_.listener = &listener_;
    context_.identity = &identity_;
    context_.client_host = "192.0.2.7";
    context_.port = "443";
    context_.server_name = "www.example.test";
    context_.certificate_asked = true;
    context_.now_s = 1'800'000'000;
  }

  const RequestContext& context() const { return context_; }

 private:
  http::RequestHead head_;
  config::ListenerConfig listener_;
  tls::PeerIdentity identity_{base::TestBlocks()};
  RequestContext context_;
};

// With the client's identity in ALB's headers, as by default.
void BM_ForwardRequest(benchmark::State& state, std::string_view text) {
  Request request(text);
  std::array<char, 8192> memory;
  size_t size = 0;
  for (auto _ : state) {
    http::ByteWriter out(memory.data(), memory.size());
    CHECK(WriteForwardedRequest(request.context(), {}, &out));
    size = out.size();
    benchmark::ClobberMemory();
  }
  state.counters["bytes"] = static_cast<double>(size);
}
BENCHMARK_CAPTURE(BM_ForwardRequest, small, kSmallRequest);
BENCHMARK_CAPTURE(BM_ForwardRequest, browser, kBrowserRequest);

void BM_ForwardResponse(benchmark::State& state) {
  http::ResponseHead head;
  CHECK(http::ParseResponseHead(kResponse, http::Method::kGet, http::HeadLimits(), &head) ==
        http::HeadError::kNone);
  ResponseTerms terms;
  terms.framing = http::BodyFraming::kLength;
  std::array<char, 4096> memory;
  for (auto _ : state) {
    http::ByteWriter out(memory.data(), memory.size());
    CHECK(WriteForwardedResponse(head, http::Version::kHttp11, terms, &out));
    benchmark::ClobberMemory();
  }
}
BENCHMARK(BM_ForwardResponse);

// The whole way of a head through a shard in HTTP/1.1, but for TLS and copying: found and parsed,
// routed, written for the server.
void BM_RequestHeadThrough(benchmark::State& state, std::string_view text) {
  Rules rules(20);
  Request known(text);
  std::array<char, 8192> memory;
  http::RequestHead head;
  RequestContext context = known.context();
  context.head = &head;
  for (auto _ : state) {
    http::HeadScanner scanner;
    scanner.Reset(http::HeadLimits(), true);
    CHECK(scanner.Scan(text) == http::HeadScanner::Status::kComplete);
    head.Clear();
    CHECK(http::ParseRequestHead(text, http::HeadLimits(), &head) == http::HeadError::kNone);
    CHECK(rules.listener().Route(head.authority) != nullptr);
    http::ByteWriter out(memory.data(), memory.size());
    CHECK(WriteForwardedRequest(context, {}, &out));
    benchmark::ClobberMemory();
  }
}
BENCHMARK_CAPTURE(BM_RequestHeadThrough, small, kSmallRequest);
BENCHMARK_CAPTURE(BM_RequestHeadThrough, browser, kBrowserRequest);

}  // namespace
}  // namespace postern::proxy
