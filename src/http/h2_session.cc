#include "src/http/h2_session.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "src/base/check.h"
#include "src/base/limits.h"
#include "src/http/h2_callbacks.h"

namespace postern::http {
namespace {

// RFC 9113, 6.8: in the GOAWAY that announces the end.
constexpr int32_t kEveryStream = 0x7fff'ffff;
// The payload of the PING behind it.
constexpr std::array<uint8_t, 8> kFarewell = {'f', 'a', 'r', 'e', 'w', 'e', 'l', 'l'};

std::string_view StatusText(uint16_t status, std::array<char, 8>* room) {
  auto result = std::to_chars(room->data(), room->data() + room->size(), status);
  return {room->data(), static_cast<size_t>(result.ptr - room->data())};
}

}  // namespace

void H2Stream::EndOutgoing(std::string_view trailer_lines) {
  outgoing_ended_ = true;
  std::span<uint8_t> room = outgoing_trailers_.Reserve(trailer_lines.size());
  CHECK(room.size() >= trailer_lines.size());
  std::copy(trailer_lines.begin(), trailer_lines.end(), room.begin());
  outgoing_trailers_.Commit(trailer_lines.size());
}

H2Session::H2Session(Role role, const H2Settings& settings, H2Library* library,
                     base::BlockPool* pool, H2Sink* sink)
    : role_(role),
      library_(library),
      sink_(sink),
      head_(pool),
      frame_heads_(role == Role::kServer ? NGHTTP2_CLIENT_MAGIC_LEN : 0) {
  auto make = role == Role::kServer ? nghttp2_session_server_new3 : nghttp2_session_client_new3;
  CHECK(make(&session_, library->callbacks_, this, library->options_, &library->memory_) == 0);
  std::array<nghttp2_settings_entry, 5> entries;
  size_t count = 0;
  auto add = [&](nghttp2_settings_id id, size_t value) {
    entries[count++] = {id, static_cast<uint32_t>(value)};
  };
  if (role == Role::kServer) {
    add(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, settings.streams_max);
    // RFC 9113, 5.3.2: the priority scheme of RFC 7540 is not followed.
    add(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1);
    add(NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1);  // RFC 8441
  } else {
    add(NGHTTP2_SETTINGS_ENABLE_PUSH, 0);
  }
  add(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, settings.stream_window_bytes);
  add(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HeadLimits().head_bytes_max);
  CHECK(nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, entries.data(), count) == 0);
  CHECK(nghttp2_session_set_local_window_size(
            session_, NGHTTP2_FLAG_NONE, 0,
            static_cast<int32_t>(settings.connection_window_bytes)) == 0);
}

H2Session::~H2Session() {
  nghttp2_session_del(session_);
}

bool H2Session::Accept(H2Abuse abuse) {
  if (abuse != H2Abuse::kNone && abuse_ == H2Abuse::kNone) {
    abuse_ = abuse;
  }
  return abuse_ == H2Abuse::kNone;
}

bool H2Session::Receive(std::string_view bytes, int64_t now_ms) {
  if (failed_) {
    return false;
  }
  if (budget_.OnTime(now_ms)) {
    closed_.OnMinute();
  }
  size_t fed = 0;
  size_t at = 0;
  H2FrameHead head;
  while (frame_heads_.Next(bytes, &at, &head)) {
    bool same = head.type == NGHTTP2_DATA && head.stream == live_id_;
    live_id_ = same && (head.flags & NGHTTP2_FLAG_END_STREAM) == 0 ? live_id_ : 0;
    if (head.type > NGHTTP2_CONTINUATION) {
      // Of a type that nghttp2 does not know, or was not told to: nothing that it does is late.
      Accept(budget_.OnFrame(head.type, head.payload_bytes, head.flags));
      continue;
    }
    // nghttp2 looks at no PRIORITY frame, as we have said that we do not either (RFC 9218, 2.1).
    if (same || (head.type != NGHTTP2_DATA && head.type != NGHTTP2_CONTINUATION &&
                 !head.depends_on_itself())) {
      continue;
    }
    // What came before it may have ended its stream.
    size_t begin = std::max(fed, at - std::min(at, head.bytes));
    if (!Feed(bytes.substr(fed, begin - fed))) {
      return false;
    }
    fed = begin;
    OnSilentFrame(head);
  }
  return Feed(bytes.substr(fed));
}

bool H2Session::Feed(std::string_view bytes) {
  bool sound = abuse_ == H2Abuse::kNone && violation_ == H2Error::kNoError;
  ssize_t taken = !sound || bytes.empty()
                      ? 0
                      : nghttp2_session_mem_recv(
                            session_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  if (taken == NGHTTP2_ERR_FLOODED) {
    Accept(H2Abuse::kPing);
  } else if (taken == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS) {
    Accept(H2Abuse::kContinuation);
  }
  if (!sound || abuse_ != H2Abuse::kNone || taken < 0) {
    Fail();
  }
  return !failed_;
}

void H2Session::OnSilentFrame(const H2FrameHead& head) {
  SettleHead();
  if (head.type == NGHTTP2_CONTINUATION) {
    if (head_unwanted_) {
      Accept(budget_.OnUnwantedHead(head.payload_bytes));
    }
  } else if (head.depends_on_itself()) {
    Violate(H2Error::kProtocolError);
  } else if (IsClosed(head.stream)) {
    Violate(OnLateFrame(head.type, head.stream, head.payload_bytes));
  } else {
    live_id_ = (head.flags & NGHTTP2_FLAG_END_STREAM) == 0 ? head.stream : 0;
  }
}

void H2Session::Fail() {
  failed_ = true;
  H2Error error = abuse_ != H2Abuse::kNone          ? H2Error::kEnhanceYourCalm
                  : violation_ != H2Error::kNoError ? violation_
                                                    : H2Error::kProtocolError;
  nghttp2_session_terminate_session(session_, static_cast<uint32_t>(error));
}

// RFC 9113, 5.1.1: opening a stream closes all idle ones below it. nghttp2 keeps no closed streams
// and takes frames on those that never were for late ones on those that have been.
H2Error H2Session::OpenIdentifier(int32_t id) {
  if (id > highest_id_) {
    if (id > highest_id_ + 2) {
      skipped_from_ = highest_id_ + 2;
      skipped_to_ = id - 2;
    }
    highest_id_ = id;
    return H2Error::kNoError;
  }
  return id >= skipped_from_ && id <= skipped_to_ ? H2Error::kProtocolError : H2Error::kNoError;
}

bool H2Session::IsClosed(int32_t id) const {
  bool mine = id % 2 == (role_ == Role::kServer ? 0 : 1);
  bool used = role_ == Role::kServer
                  ? !mine && id <= highest_id_
                  : mine && id < static_cast<int32_t>(nghttp2_session_get_next_stream_id(session_));
  if (!used) {
    return false;  // idle or impossible, as nghttp2 sees, too
  }
  nghttp2_stream* stream = nghttp2_session_find_stream(session_, id);
  if (stream == nullptr) {
    return true;
  }
  nghttp2_stream_proto_state state = nghttp2_stream_get_state(stream);
  return state == NGHTTP2_STREAM_STATE_IDLE || state == NGHTTP2_STREAM_STATE_CLOSED;
}

H2Error H2Session::OnLateFrame(uint8_t type, int32_t id, size_t payload_bytes) {
  if (type == NGHTTP2_RST_STREAM) {
    Accept(budget_.OnLateReset());  // two that cross
    return H2Error::kNoError;
  }
  // RFC 9113, 5.1: whoever has ended its side, or was told that we have, sends neither.
  if (!closed_.MayBeNews(id)) {
    return H2Error::kStreamClosed;
  }
  if (type == NGHTTP2_DATA) {
    Accept(budget_.OnLateData(payload_bytes));
  } else {
    head_unwanted_ = true;
    Accept(budget_.OnUnwantedHead(payload_bytes));
  }
  return H2Error::kNoError;
}

// nghttp2 tells nothing of a header section on a stream that it has refused, or that is above the
// last one of a GOAWAY.
void H2Session::SettleHead() {
  if (pending_head_id_ != 0) {
    closed_.Remember(pending_head_id_);
    pending_head_id_ = 0;
    head_unwanted_ = true;
    Accept(budget_.OnUnwantedHead(pending_head_bytes_));
  }
}

void H2Session::Send() {
  while (sink_->HasOutputRoom()) {
    const uint8_t* data = nullptr;
    ssize_t size = nghttp2_session_mem_send(session_, &data);
    if (size <= 0) {
      // Negative: out of memory or a failing callback, and there is neither.
      CHECK(size == 0 || failed_);
      break;
    }
    sink_->Output({reinterpret_cast<const char*>(data), static_cast<size_t>(size)});
  }
  // After a GOAWAY of its own making, once that has been handed on, it reads nothing more.
  failed_ = failed_ || (abuse_ == H2Abuse::kNone && violation_ == H2Error::kNoError &&
                        nghttp2_session_want_read(session_) == 0);
  settings_received_ = false;
  live_id_ = 0;  // we may have reset it
  if ((abuse_ != H2Abuse::kNone || violation_ != H2Error::kNoError) && !failed_) {
    Fail();  // found in what we had to send
    Send();
  }
}

void H2Session::EndHead(int32_t id, bool end_stream) {
  in_head_ = false;
  bool sound = head_.Finish(end_stream);
  H2Stream* stream = static_cast<H2Stream*>(nghttp2_session_get_stream_user_data(session_, id));
  if (!sound) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_PROTOCOL_ERROR);
  } else if (head_.kind() == H2HeadText::Kind::kRequest) {
    budget_.OnStream();
    stream = sink_->OnRequest(id, head_.text(), head_.error(), end_stream);
    if (stream == nullptr) {
      nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
    } else {
      nghttp2_session_set_stream_user_data(session_, id, stream);
    }
  } else if (stream != nullptr && head_.kind() == H2HeadText::Kind::kResponse) {
    // "HTTP/1.1 1xx": another head follows (RFC 9113, 8.1).
    stream->head_received_ = head_.text().substr(0, 10) != "HTTP/1.1 1";
    if (!stream->head_received_ && ++stream->interim_heads_ > base::limits::kInterimHeadsMax + 1) {
      // Whoever reads them has had enough of them by now, or reads nothing.
      nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_PROTOCOL_ERROR);
    }
    stream->OnHead(head_.text(), head_.error());
    if (end_stream) {
      stream->OnEnd();
    }
  } else if (stream != nullptr) {
    stream->OnTrailers(head_.text(), head_.error());
    stream->OnEnd();
  }
  head_.Clear();
}

void H2Session::ForgetHead() {
  in_head_ = false;
  head_unwanted_ = true;
  head_.Clear();
}

int H2Session::DropHead(int32_t id) {
  ForgetHead();
  // RFC 9113, 8.1.1. nghttp2 alone would call it an internal error.
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_PROTOCOL_ERROR);
  return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

void H2Session::SubmitInterim(const H2Stream& stream, uint16_t status, std::span<char> lines) {
  std::array<char, 8> room;
  H2Library::Fields& fields = library_->fields_;
  fields.Clear();
  fields.Add(":status", StatusText(status, &room));
  fields.AddLines(lines);
  CHECK(nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, stream.id_, nullptr, fields.data(),
                               fields.size(), nullptr) == 0);
}

void H2Session::SubmitResponse(H2Stream* stream, uint16_t status, std::span<char> lines,
                               bool end_stream) {
  std::array<char, 8> room;
  H2Library::Fields& fields = library_->fields_;
  fields.Clear();
  fields.Add(":status", StatusText(status, &room));
  fields.AddLines(lines);
  nghttp2_data_provider body{{.ptr = stream}, kReadH2Body};
  stream->head_sent_ = true;
  CHECK(nghttp2_submit_response(session_, stream->id_, fields.data(), fields.size(),
                                end_stream ? nullptr : &body) == 0);
}

bool H2Session::SubmitRequest(H2Stream* stream, const RequestLine& line, std::span<char> lines,
                              bool end_stream) {
  if (failed_ || nghttp2_session_check_request_allowed(session_) == 0) {
    return false;
  }
  H2Library::Fields& fields = library_->fields_;
  fields.Clear();
  fields.Add(":method", line.method);
  fields.Add(":scheme", line.scheme);
  if (!line.authority.empty()) {
    fields.Add(":authority", line.authority);
  }
  fields.Add(":path", line.path);
  fields.AddLines(lines);
  nghttp2_data_provider body{{.ptr = stream}, kReadH2Body};
  int32_t id = nghttp2_submit_request(session_, nullptr, fields.data(), fields.size(),
                                      end_stream ? nullptr : &body, stream);
  if (id < 0) {
    return false;
  }
  stream->id_ = id;
  budget_.OnAsked();
  return true;
}

void H2Session::OnHeadLeaves(int32_t id) {
  void* stream = nghttp2_session_get_stream_user_data(session_, id);
  if (role_ == Role::kClient && stream != nullptr) {
    static_cast<H2Stream*>(stream)->head_sent_ = true;
    static_cast<H2Stream*>(stream)->OnHeadSent();
  }
}

void H2Session::SubmitTrailers(int32_t id, base::TextBuffer* lines) {
  H2Library::Fields& fields = library_->fields_;
  fields.Clear();
  // The buffer's own bytes: lower-cased where they lie.
  std::string_view text = lines->view();
  fields.AddLines({const_cast<char*>(text.data()), text.size()});
  CHECK(nghttp2_submit_trailer(session_, id, fields.data(), fields.size()) == 0);
  lines->Clear();
}

void H2Session::Resume(const H2Stream& stream) {
  // Fails for one that is not waiting, which is as good.
  nghttp2_session_resume_data(session_, stream.id_);
}

void H2Session::Reset(const H2Stream& stream, H2Error error) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream.id_, static_cast<uint32_t>(error));
}

void H2Session::CreditStream(const H2Stream& stream, size_t bytes) {
  // Fails for a stream that is closed, which needs no credit any more.
  nghttp2_session_consume_stream(session_, stream.id_, bytes);
}

void H2Session::CreditConnection(size_t bytes) {
  nghttp2_session_consume_connection(session_, bytes);
}

bool H2Session::HasWindow(const H2Stream& stream) const {
  return nghttp2_session_get_stream_remote_window_size(session_, stream.id_) > 0;
}

bool H2Session::HasConnectionWindow() const {
  return nghttp2_session_get_remote_window_size(session_) > 0;
}

uint32_t H2Session::peer_streams_max() const {
  return nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

void H2Session::AnnounceGoaway() {
  nghttp2_submit_shutdown_notice(session_);
}

void H2Session::OnGoawaySent(int32_t last_id) {
  if (last_id == kEveryStream) {
    // Only now: nghttp2 sends a PING ahead of all that waits.
    nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, kFarewell.data());
    farewell_sent_ = true;
  }
}

void H2Session::OnPingAnswered(const uint8_t* payload) {
  goaway_heard_ =
      goaway_heard_ || (farewell_sent_ && std::equal(kFarewell.begin(), kFarewell.end(), payload));
}

void H2Session::Goaway(H2Error error) {
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(session_),
                        static_cast<uint32_t>(error), nullptr, 0);
}

void H2Session::Ping() {
  nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr);
}

}  // namespace postern::http
