// Any bytes to either side of an HTTP/2 session, in any pieces: how they are cut changes nothing
// that is told, every stream that was begun ends once, the body that is told was credited, and at
// the end no memory is left.
//
// The first byte chooses the side and the size of pieces, and whether the preface is made here.
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/blocks_test_util.h"
#include "src/base/check.h"
#include "src/http/h2_session.h"

namespace postern::http {
namespace {

constexpr std::string_view kSettings("\x00\x00\x00\x04\x00\x00\x00\x00\x00", 9);

class Log;

class Stream final : public H2Stream {
 public:
  Stream(Log* log, int32_t id) : H2Stream(base::TestBlocks(), id), log_(log) {}
  void OnHead(std::string_view head, HeadError error) override;
  void OnTrailers(std::string_view lines, HeadError error) override;
  void OnData(std::string_view data) override;
  void OnEnd() override;
  void OnClosed(H2Error error) override;
  void OnSent() override {}

  void Answer(H2Session* session);

 private:
  Log* log_;
};

// One session and everything that it tells, as text.
class Log final : public H2Sink {
 public:
  Log(H2Session::Role role, H2Library* library)
      : role_(role), session_(role, {}, library, base::TestBlocks(), this) {
    for (int i = 0; role == H2Session::Role::kClient && i < 3; ++i) {
      auto stream = std::make_unique<Stream>(this, 0);
      std::string lines = "x: y\r\n";
      CHECK(session_.SubmitRequest(stream.get(), {"POST", "https", "a", "/"}, lines, i != 0));
      int32_t id = stream->id();
      streams_[id] = std::move(stream);
    }
    session_.Send();
  }

  void Feed(std::string_view bytes, size_t piece) {
    for (size_t at = 0; at < bytes.size(); at += piece) {
      if (!session_.Receive(bytes.substr(at, piece), 1000)) {
        break;
      }
    }
    // Only now: what we say between two pieces may change what the peer's next one means.
    Settle();
    text_ += session_.failed() ? "failed" : "open";
  }

  H2Stream* OnRequest(int32_t id, std::string_view head, HeadError error,
                      bool end_stream) override {
    CHECK(role_ == H2Session::Role::kServer);
    CHECK(streams_.count(id) == 0);
    CHECK(error != HeadError::kNone || head.ends_with("\r\n\r\n"));
    Note(id, end_stream ? "request." : "request", head);
    streams_[id] = std::make_unique<Stream>(this, id);
    ready_.push_back(id);
    return streams_[id].get();
  }
  void Output(std::string_view bytes) override { output_bytes_ += bytes.size(); }
  bool HasOutputRoom() const override { return true; }

  void Note(int32_t id, std::string_view what, std::string_view detail) {
    text_ += std::to_string(id) + " ";
    text_ += what;
    text_ += " ";
    text_ += detail;
    text_ += "\n";
  }
  void NoteData(Stream* stream, std::string_view data) {
    // In pieces or in one: only the bytes count.
    bodies_[stream->id()] += data;
    session_.CreditStream(*stream, data.size());
    session_.CreditConnection(data.size());
  }
  void NoteEnd(int32_t id) { CHECK(ended_.insert(id).second); }
  void Forget(int32_t id) {
    CHECK(closed_[id]++ == 0);
    dead_.push_back(std::move(streams_.at(id)));
    streams_.erase(id);
  }

  std::string Text() const {
    if (session_.peer_goaway()) {
      // nghttp2 looks whether all is done between two calls only, and takes nothing more if it is.
      return "goaway";
    }
    std::string all = text_;
    // Of a frame that breaks a rule more or less of what came before is told.
    for (int32_t id : ended_) {
      auto body = bodies_.find(id);
      all += std::to_string(id) + ": " + (body == bodies_.end() ? "" : body->second) + "\n";
    }
    return all;
  }
  H2Session& session() { return session_; }

 private:
  // Answers what can be answered, outside of the session's calls.
  void Settle() {
    for (int32_t id : ready_) {
      if (auto found = streams_.find(id); found != streams_.end()) {
        found->second->Answer(&session_);
      }
    }
    ready_.clear();
    session_.Send();
    dead_.clear();
  }

  H2Session::Role role_;
  std::string text_;
  std::map<int32_t, std::string> bodies_;
  std::set<int32_t> ended_;
  std::map<int32_t, int> closed_;
  std::map<int32_t, std::unique_ptr<Stream>> streams_;
  std::vector<std::unique_ptr<Stream>> dead_;
  std::vector<int32_t> ready_;
  size_t output_bytes_ = 0;
  H2Session session_;
};

void Stream::OnHead(std::string_view head, HeadError) {
  log_->Note(id(), "head", head);
}
void Stream::OnTrailers(std::string_view lines, HeadError) {
  log_->Note(id(), "trailers", lines);
}
void Stream::OnData(std::string_view data) {
  log_->NoteData(this, data);
}
void Stream::OnEnd() {
  log_->NoteEnd(id());
}
void Stream::OnClosed(H2Error) {
  log_->Forget(id());
}

void Stream::Answer(H2Session* session) {
  std::string lines = "Content-Type: text/plain\r\n";
  session->SubmitResponse(this, 200, lines, false);
  outgoing().Append(std::string_view("hello"));
  EndOutgoing(id() % 4 == 1 ? "x-trailer: 1\r\n" : "");
  session->Resume(*this);
}

std::string Play(H2Session::Role role, std::string_view bytes, size_t piece) {
  H2Library library;
  std::string text;
  {
    Log log(role, &library);
    log.Feed(bytes, piece);
    text = log.Text();
  }
  CHECK(library.allocated_bytes() == 0);
  return text;
}

}  // namespace
}  // namespace postern::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using postern::http::H2Session;
  if (size == 0) {
    return 0;
  }
  auto role = (data[0] & 1) != 0 ? H2Session::Role::kClient : H2Session::Role::kServer;
  std::string bytes;
  if ((data[0] & 2) == 0) {
    bytes = role == H2Session::Role::kServer ? "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" : "";
    bytes += postern::http::kSettings;
  }
  bytes.append(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::string whole = postern::http::Play(role, bytes, bytes.size());
  CHECK(whole == postern::http::Play(role, bytes, 1 + (data[0] >> 2)));
  CHECK(postern::base::TestBlocks()->used_bytes() == 0);
  return 0;
}
