// One head, trailer section or PROXY header of a chosen kind, as large as may be, on its way
// through the proxy: scanned, parsed and written for a server or a client. callgrind counts what
// that costs (heads_test.py); nothing else of this program is counted.
//
//   heads KIND      prints how many bytes it had, and whether it was taken or refused
//   heads --list    the kinds, one a line, each with that which it is compared to
#include <valgrind/callgrind.h>

#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/arena.h"
#include "src/base/block_pool.h"
#include "src/base/check.h"
#include "src/http/h1_body.h"
#include "src/http/h1_parser.h"
#include "src/http/h2_head.h"
#include "src/proxy/forwarding.h"
#include "src/proxy/proxy_protocol.h"

namespace postern::cost {
namespace {

constexpr size_t kLong = 31'000;  // of a field's value: two of them and short ones fill a head
constexpr int kShortFields = 85;

std::string Repeat(std::string_view piece, size_t bytes) {
  std::string text;
  while (text.size() + piece.size() <= bytes) {
    text += piece;
  }
  return text;
}

std::string ShortFields() {
  std::string text;
  for (int i = 0; i < kShortFields; ++i) {
    text += "x-app-" + std::to_string(i) + ": 1\r\n";
  }
  return text;
}

// Two fields of this name and value, and short ones.
std::string Fields(std::string_view name, std::string_view value) {
  std::string text;
  for (int i = 0; i < 2; ++i) {
    text += std::string(name) + ": " + std::string(value) + "\r\n";
  }
  return text + ShortFields();
}

// As many names as may be in Connection, in two fields.
std::string Options() {
  constexpr int kNames = 32;
  std::string text;
  for (int i = 0; i < kNames; ++i) {
    text += i % (kNames / 2) == 0 ? (i == 0 ? "connection: " : "\r\nconnection: ") : ",";
    text += "x-app-" + Repeat("a", 1900) + std::to_string(i);
  }
  return text + "\r\n" + ShortFields();
}

// As many fields as there may be, all of whose names begin so.
std::string LongNames(std::string_view begin) {
  std::string text;
  for (int i = 0; i < kShortFields; ++i) {
    text += std::string(begin) + std::to_string(i) + Repeat("-a", 680) + ": 1\r\n";
  }
  return text;
}

struct World {
  base::Arena arena{size_t{16} << 20};
  base::BlockPool blocks{&arena};
  tls::PeerIdentity identity{&blocks};
  config::ListenerConfig listener;
  identity::ClaimTable claims;
  std::vector<char> memory = std::vector<char>(200'000);
  bool taken = true;
};

size_t Request(World* world, const std::string& fields, bool http2, bool trusted) {
  http::RequestHead head;
  proxy::RequestContext context;
  context.head = &head;
  context.listener = &world->listener;
  context.identity = &world->identity;
  context.claims = &world->claims;
  context.via = "postern-0123456789abcdef";
  context.via_unique = true;
  context.client_host = "192.0.2.1";
  context.port = "443";
  context.client_trusted = trusted;
  http::ByteWriter out(world->memory.data(), world->memory.size());
  const std::string text = "GET /path HTTP/1.1\r\nHost: a.example\r\n" + fields + "\r\n";
  http::HeadScanner scanner;
  scanner.Reset(http::HeadLimits(), true);
  CALLGRIND_TOGGLE_COLLECT;
  const bool whole = scanner.Scan(text) == http::HeadScanner::Status::kComplete;
  auto parse = http2 ? http::ParseH2RequestHead : http::ParseRequestHead;
  // What is refused costs as well.
  world->taken = whole && parse(text, http::HeadLimits(), &head) == http::HeadError::kNone &&
                 !proxy::IsLoop(context);
  if (world->taken) {
    (void)proxy::WriteForwardedRequest(context, {}, &out);
  }
  CALLGRIND_TOGGLE_COLLECT;
  return text.size();
}

size_t Response(World* world, const std::string& fields) {
  http::ResponseHead head;
  proxy::ResponseTerms terms;
  terms.via = "postern";
  http::ByteWriter out(world->memory.data(), world->memory.size());
  const std::string text = "HTTP/1.1 200 OK\r\n" + fields + "\r\n";
  http::HeadScanner scanner;
  scanner.Reset(http::HeadLimits(), false);
  CALLGRIND_TOGGLE_COLLECT;
  const bool whole = scanner.Scan(text) == http::HeadScanner::Status::kComplete;
  world->taken = whole && http::ParseResponseHead(text, http::Method::kGet, http::HeadLimits(),
                                                  &head) == http::HeadError::kNone;
  if (world->taken) {
    (void)proxy::WriteForwardedResponse(head, http::Version::kHttp11, terms, &out);
  }
  CALLGRIND_TOGGLE_COLLECT;
  return text.size();
}

// The same fields as HTTP/2 brings them.
size_t Http2Head(World* world, std::string_view name, std::string_view value, int count) {
  http::H2HeadText text(&world->blocks);
  size_t bytes = 0;
  CALLGRIND_TOGGLE_COLLECT;
  text.Begin(http::H2HeadText::Kind::kRequest);
  bool sound = text.Add(":method", "GET") && text.Add(":scheme", "https") &&
               text.Add(":path", "/") && text.Add(":authority", "a.example");
  for (int i = 0; i < count && sound; ++i) {
    bytes += name.size() + value.size();
    sound = text.Add(name, value);
  }
  http::RequestHead head;
  if (sound && text.Finish(true)) {
    (void)http::ParseH2RequestHead(text.text(), http::HeadLimits(), &head);
  }
  CALLGRIND_TOGGLE_COLLECT;
  text.Clear();
  return bytes;
}

size_t Trailers(World* world, const std::string& lines, size_t step) {
  http::BodyDecoder decoder(&world->blocks);
  http::FieldList trailers;
  http::FieldList kept;
  const std::string text = "0\r\n" + lines + "\r\n";
  CALLGRIND_TOGGLE_COLLECT;
  decoder.Start(http::BodyFraming::kChunked, 0);
  for (size_t at = 0; at < text.size(); at += step) {
    (void)decoder.Decode(std::string_view(text).substr(at, step));
  }
  decoder.ReadTrailers(&trailers);
  proxy::FilterTrailers(trailers, world->claims, &kept);
  CALLGRIND_TOGGLE_COLLECT;
  decoder.DropTrailers();
  return text.size();
}

// Byte by byte, each time from the beginning, as a connection does that is sent one so.
size_t ProxyHeader(const std::string& text, size_t step) {
  CALLGRIND_TOGGLE_COLLECT;
  for (size_t size = step; size <= text.size(); size += step) {
    (void)proxy::ParseProxyHeader(std::string_view(text).substr(0, size));
  }
  CALLGRIND_TOGGLE_COLLECT;
  return text.size();
}

std::string Proxy2(size_t tlv_bytes) {
  std::string text("\r\n\r\n\0\r\nQUIT\n\x21\x11", 14);
  const size_t length = 12 + tlv_bytes;
  text += static_cast<char>(length >> 8);
  text += static_cast<char>(length & 255);
  return text + std::string(length, 'x');
}

struct Kind {
  const char* name;
  const char* plain;  // at most 4 times what this costs; itself: nothing to compare to
  std::function<size_t(World*)> run;
};

std::vector<Kind> Kinds() {
  std::vector<Kind> kinds;
  auto requests = [&kinds](const char* name, std::string fields, bool trusted = false) {
    kinds.push_back({name, "request_plain",
                     [=](World* world) { return Request(world, fields, false, trusted); }});
  };
  requests("request_plain", Fields("cookie", Repeat("abcdefg=hijk; ", kLong)));
  requests("request_connection_commas", Fields("connection", "a" + Repeat(",", kLong)));
  requests("request_connection_spaces", Fields("connection", "a" + Repeat(" ,", kLong)));
  requests("request_connection_names", Options());
  requests("request_connection_closes", Fields("connection", Repeat("close,", kLong)));
  requests("request_upgrades", Fields("upgrade", Repeat("a,", kLong)));
  requests("request_via", Fields("via", Repeat("1.1 postern-0123456789abcde,", kLong)));
  requests("request_forwarded_for", Fields("x-forwarded-for", Repeat("1.1.1.1,", kLong)), true);
  requests("request_te", Fields("te", Repeat("a,", kLong)));
  requests("request_claims", LongNames("x-forwarded-client-cer"));
  requests("request_near_claims", LongNames("x-client"));
  requests("request_underscores", LongNames("x_real_i"));
  requests("request_expectations", Fields("expect", Repeat("100-continue,", kLong)));
  auto responses = [&kinds](const char* name, std::string fields) {
    kinds.push_back(
        {name, "response_plain", [=](World* world) { return Response(world, fields); }});
  };
  responses("response_plain", Fields("set-cookie", Repeat("abcdefg=hijk; ", kLong)));
  responses("response_connection_commas", Fields("connection", "a" + Repeat(",", kLong)));
  responses("response_connection_names", Options());
  responses("response_via", Fields("via", Repeat("1.1 a,", kLong)));
  auto http2 = [&kinds](const char* name, std::string field, std::string value, int count) {
    kinds.push_back(
        {name, "http2_plain", [=](World* world) { return Http2Head(world, field, value, count); }});
  };
  http2("http2_plain", "cookie", Repeat("abcdefg=hijk; ", 30'000), 2);
  http2("http2_pieces", "cookie", Repeat("abcdefg=hijk; ", 600), 95);
  http2("http2_te", "x-te", Repeat(",", 30'000), 2);
  auto trailers = [&kinds](const char* name, std::string lines, size_t step) {
    kinds.push_back(
        {name, "trailers_plain", [=](World* world) { return Trailers(world, lines, step); }});
  };
  trailers("trailers_plain", Repeat("x-sum: 0123456789\r\n", 1800), 4096);
  trailers("trailers_dripped", Repeat("x-sum: 0123456789\r\n", 1800), 1);
  trailers("trailers_claims", Repeat("x-forwarded-h: 01\r\n", 1800), 4096);
  kinds.push_back(
      {"proxy_plain", "proxy_plain", [](World*) { return ProxyHeader(Proxy2(4000), 1); }});
  kinds.push_back({"proxy_line", "proxy_plain",
                   [](World*) { return ProxyHeader("PROXY TCP6 " + std::string(90, '1'), 1); }});
  return kinds;
}

}  // namespace
}  // namespace postern::cost

int main(int argc, char** argv) {
  if (argc != 2) {
    return 2;
  }
  const std::string_view wanted = argv[1];
  for (const postern::cost::Kind& kind : postern::cost::Kinds()) {
    if (wanted == "--list") {
      std::printf("%s %s\n", kind.name, kind.plain);
    } else if (wanted == kind.name) {
      postern::cost::World world;
      const size_t bytes = kind.run(&world);
      std::printf("%zu %s\n", bytes, world.taken ? "taken" : "refused");
      return 0;
    }
  }
  return wanted == "--list" ? 0 : 2;
}
