// Heads and bodies in HTTP/1.1, and a whole request between two ends in HTTP/2.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/base/blocks_test_util.h"
#include "src/base/check.h"
#include "src/http/h1_body.h"
#include "src/http/h1_parser.h"
#include "src/http/h1_writer.h"
#include "src/http/h2_session.h"
#include "src/http/heads_bench_util.h"
#include "src/http/message.h"

namespace postern::http {
namespace {

void CountBytes(benchmark::State& state, std::string_view text) {
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}

// From bytes that came in one piece to a head: its end is found, then it is parsed.
void BM_RequestHead(benchmark::State& state, std::string_view text) {
  const HeadLimits limits;
  RequestHead head;
  for (auto _ : state) {
    HeadScanner scanner;
    scanner.Reset(limits, true);
    CHECK(scanner.Scan(text) == HeadScanner::Status::kComplete);
    head.Clear();
    CHECK(ParseRequestHead(text.substr(scanner.head_begin(), scanner.head_end()), limits, &head) ==
          HeadError::kNone);
    benchmark::ClobberMemory();
  }
  CountBytes(state, text);
  state.counters["fields"] = static_cast<double>(head.fields.size());
}
BENCHMARK_CAPTURE(BM_RequestHead, small, kSmallRequest);
BENCHMARK_CAPTURE(BM_RequestHead, browser, kBrowserRequest);

// Only the search for the end.
void BM_ScanHead(benchmark::State& state, std::string_view text) {
  const HeadLimits limits;
  for (auto _ : state) {
    HeadScanner scanner;
    scanner.Reset(limits, true);
    benchmark::DoNotOptimize(scanner.Scan(text));
  }
  CountBytes(state, text);
}
BENCHMARK_CAPTURE(BM_ScanHead, small, kSmallRequest);
BENCHMARK_CAPTURE(BM_ScanHead, browser, kBrowserRequest);

void BM_ResponseHead(benchmark::State& state) {
  const HeadLimits limits;
  ResponseHead head;
  for (auto _ : state) {
    HeadScanner scanner;
    scanner.Reset(limits, false);
    CHECK(scanner.Scan(kResponse) == HeadScanner::Status::kComplete);
    head.Clear();
    CHECK(ParseResponseHead(kResponse, Method::kGet, limits, &head) == HeadError::kNone);
    benchmark::ClobberMemory();
  }
  CountBytes(state, kResponse);
}
BENCHMARK(BM_ResponseHead);

// 64 KiB of body in chunks of so many bytes, all at hand; with a trailer.
void BM_ChunkedBody(benchmark::State& state) {
  auto chunk_bytes = static_cast<size_t>(state.range(0));
  constexpr size_t kBodyBytes = 64 * 1024;
  std::string text;
  std::array<char, kChunkHeaderBytesMax> memory;
  for (size_t at = 0; at < kBodyBytes; at += chunk_bytes) {
    ByteWriter out(memory.data(), memory.size());
    WriteChunkHeader(chunk_bytes, &out);
    text += std::string(out.view()) + std::string(chunk_bytes, 'x') + "\r\n";
  }
  text += "0\r\nX-Checksum: 17\r\n\r\n";
  BodyDecoder decoder(base::TestBlocks());
  for (auto _ : state) {
    decoder.Start(BodyFraming::kChunked, 0);
    std::string_view rest = text;
    for (;;) {
      BodyDecoder::Result result = decoder.Decode(rest);
      rest.remove_prefix(result.consumed);
      if (result.status != BodyDecoder::Status::kData) {
        CHECK(result.status == BodyDecoder::Status::kEnd);
        break;
      }
    }
    CHECK(decoder.body_bytes() == kBodyBytes);
    decoder.DropTrailers();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(kBodyBytes));
}
BENCHMARK(BM_ChunkedBody)->Arg(64)->Arg(1024)->Arg(16 * 1024);

void BM_WriteRequestHead(benchmark::State& state, std::string_view text) {
  RequestHead head;
  CHECK(ParseRequestHead(text, HeadLimits(), &head) == HeadError::kNone);
  std::array<char, 4096> memory;
  for (auto _ : state) {
    ByteWriter out(memory.data(), memory.size());
    WriteRequestLine(head.method_text, head.target, &out);
    WriteFields(head.fields, &out);
    WriteEndOfHead(&out);
    benchmark::ClobberMemory();
    CHECK(!out.overflowed());
  }
  CountBytes(state, text);
}
BENCHMARK_CAPTURE(BM_WriteRequestHead, small, kSmallRequest);
BENCHMARK_CAPTURE(BM_WriteRequestHead, browser, kBrowserRequest);

void BM_WriteResponseHead(benchmark::State& state) {
  ResponseHead head;
  CHECK(ParseResponseHead(kResponse, Method::kGet, HeadLimits(), &head) == HeadError::kNone);
  std::array<char, 4096> memory;
  for (auto _ : state) {
    ByteWriter out(memory.data(), memory.size());
    WriteStatusLine(head.status, head.reason, &out);
    WriteFields(head.fields, &out);
    WriteEndOfHead(&out);
    benchmark::ClobberMemory();
    CHECK(!out.overflowed());
  }
  CountBytes(state, kResponse);
}
BENCHMARK(BM_WriteResponseHead);

// One end of a connection in HTTP/2. The bytes for the other end wait in `output`.
class H2End : public H2Sink {
 public:
  H2End(H2Session::Role role, H2Library* library)
      : session_(role, {}, library, base::TestBlocks(), this) {}

  void Output(std::string_view bytes) override { output.append(bytes); }
  bool HasOutputRoom() const override { return true; }
  H2Session& session() { return session_; }

  std::string output;

 private:
  H2Session session_;
};

class H2BenchStream final : public H2Stream {
 public:
  H2BenchStream(H2Session* session, int32_t id)
      : H2Stream(base::TestBlocks(), id), session_(session) {}

  void OnHead(std::string_view, HeadError error) override { CHECK(error == HeadError::kNone); }
  void OnTrailers(std::string_view, HeadError) override {}
  void OnData(std::string_view data) override {
    body_bytes_ += data.size();
    session_->CreditStream(*this, data.size());
    session_->CreditConnection(data.size());
  }
  void OnEnd() override {}
  void OnClosed(H2Error error) override {
    CHECK(error == H2Error::kNoError);
    closed_ = true;
  }
  void OnSent() override {}

  void Answer(size_t body_bytes) {
    std::string lines = "content-type: text/html\r\ncache-control: private\r\n";
    session_->SubmitResponse(this, 200, lines, false);
    outgoing().Append(std::string_view(kBody, body_bytes));
    EndOutgoing({});
    session_->Resume(*this);
  }
  size_t body_bytes() const { return body_bytes_; }
  bool closed() const { return closed_; }

 private:
  static constexpr char kBody[16 * 1024] = {};

  H2Session* session_;
  size_t body_bytes_ = 0;
  bool closed_ = false;
};

class H2Client final : public H2End {
 public:
  explicit H2Client(H2Library* library) : H2End(H2Session::Role::kClient, library) {}
  H2Stream* OnRequest(int32_t, std::string_view, HeadError, bool) override { return nullptr; }
};

class H2Server final : public H2End {
 public:
  explicit H2Server(H2Library* library) : H2End(H2Session::Role::kServer, library) {}
  H2Stream* OnRequest(int32_t id, std::string_view, HeadError error, bool) override {
    CHECK(error == HeadError::kNone);
    stream_.emplace(&session(), id);
    return &*stream_;
  }
  std::optional<H2BenchStream>& stream() { return stream_; }

 private:
  std::optional<H2BenchStream> stream_;
};

void Carry(H2End* from, H2End* to, int64_t now_ms) {
  from->session().Send();
  if (!from->output.empty()) {
    CHECK(to->session().Receive(from->output, now_ms));
    from->output.clear();
  }
}

// A request with an answer of so many bytes on a connection that stands: both of our ends, nghttp2
// in them, and the copying from one to the other.
void BM_H2RequestAndResponse(benchmark::State& state) {
  H2Library library;
  H2Client client(&library);
  H2Server server(&library);
  auto body_bytes = static_cast<size_t>(state.range(0));
  int64_t now_ms = 1'000'000;
  for (auto _ : state) {
    // No budget for a minute is used up.
    now_ms += 100;
    H2BenchStream stream(&client.session(), 0);
    std::string lines = "user-agent: client/1.0\r\naccept: */*\r\n";
    CHECK(client.session().SubmitRequest(
        &stream, {"GET", "https", "www.example.test", "/articles/17?page=2"}, lines, true));
    Carry(&client, &server, now_ms);
    server.stream()->Answer(body_bytes);
    Carry(&server, &client, now_ms);
    CHECK(stream.closed() && stream.body_bytes() == body_bytes);
    CHECK(server.stream()->closed());
    Carry(&client, &server, now_ms);
    Carry(&server, &client, now_ms);
  }
}
BENCHMARK(BM_H2RequestAndResponse)->Arg(1024)->Arg(16 * 1024);

}  // namespace
}  // namespace postern::http
