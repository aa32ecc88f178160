// A verified client as request headers, dialect by dialect, and the look at each inbound header.
#include <benchmark/benchmark.h>

#include <array>
#include <iterator>
#include <string>
#include <string_view>

#include "src/base/check.h"
#include "src/identity/claims.h"
#include "src/identity/fields.h"

namespace postern::identity {
namespace {

// A leaf and an intermediate, each as large as an ordinary ECDSA certificate.
const tls::PeerIdentity::Parts& Certificate() {
  static const std::string* const kLeaf = new std::string(800, 'L');
  static const std::string* const kChain = new std::string(760, 'C');
  static const tls::PeerIdentity::Parts* const kParts = [] {
    auto* parts = new tls::PeerIdentity::Parts;
    parts->subject_dn = "CN=device-17.fleet.example.test,OU=Sensors,O=Example GmbH,C=DE";
    parts->issuer_dn = "CN=Example Device CA 3,O=Example GmbH,C=DE";
    parts->serial = "3A5B1C0099D8E7F6A5B4C3D2E1F00112";
    parts->fingerprint = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    parts->xfcc_names = ";URI=spiffe://example.test/device/17;DNS=device-17.fleet.example.test";
    parts->leaf_base64 = *kLeaf;
    parts->chain_base64 = *kChain;
    parts->not_before_s = 1'795'000'000;
    parts->not_after_s = 1'805'000'000;
    parts->trusted_until_s = 1'805'000'000;
    parts->authenticated_s = 1'799'999'000;
    parts->verified = true;
    return parts;
  }();
  return *kParts;
}

void Write(benchmark::State& state, const config::IdentityDialects& dialects) {
  config::IdentityHeaders names;
  IdentityTerms terms;
  terms.names = &names;
  terms.dialects = &dialects;
  terms.certificate = &Certificate();
  terms.asked = true;
  terms.now_s = 1'800'000'000;
  std::array<char, 16 * 1024> memory;
  size_t size = 0;
  for (auto _ : state) {
    http::ByteWriter out(memory.data(), memory.size());
    WriteIdentityFields(terms, &out);
    size = out.size();
    benchmark::ClobberMemory();
  }
  CHECK(size > 0);
  state.counters["bytes"] = static_cast<double>(size);
}

BENCHMARK_CAPTURE(Write, alb, config::IdentityDialects{.alb = true});
BENCHMARK_CAPTURE(Write, rfc9440, config::IdentityDialects{.alb = false, .rfc9440 = true});
BENCHMARK_CAPTURE(Write, xfcc, config::IdentityDialects{.alb = false, .xfcc = true});
BENCHMARK_CAPTURE(Write, aws, config::IdentityDialects{.alb = false, .aws = true});
BENCHMARK_CAPTURE(Write, tls_resumed, config::IdentityDialects{.alb = false, .tls_resumed = true});
BENCHMARK_CAPTURE(Write, auth_age, config::IdentityDialects{.alb = false, .auth_age = true});
BENCHMARK_CAPTURE(Write, all, config::IdentityDialects{true, true, true, true, true, true});

// One header of a browser's request after the other: none is an identity.
void BM_FindClaim(benchmark::State& state) {
  ClaimTable claims;
  constexpr std::string_view kNames[] = {
      "Host",   "User-Agent",     "Accept",          "Accept-Encoding", "Accept-Language",
      "Cookie", "Sec-Fetch-Site", "X-Requested-With"};
  size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(claims.Find(kNames[next++ % std::size(kNames)]));
  }
}
BENCHMARK(BM_FindClaim);

}  // namespace
}  // namespace postern::identity
