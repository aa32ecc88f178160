#include "tests/gate/h2_endpoint.h"

#include <algorithm>

#include "src/base/check.h"

namespace postern::gate {
namespace {

std::vector<nghttp2_nv> Names(const H2Endpoint::Fields& fields) {
  std::vector<nghttp2_nv> list;
  for (const auto& [name, value] : fields) {
    auto bytes = [](const std::string& text) {
      return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));
    };
    list.push_back({bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
  }
  return list;
}

}  // namespace

struct H2EndpointCallbacks {
  static H2Endpoint* Of(void* user) { return static_cast<H2Endpoint*>(user); }
  static H2Endpoint::Stream* StreamOf(void* user, int32_t id) {
    auto& streams = Of(user)->streams_;
    auto found = streams.find(id);
    return found == streams.end() ? nullptr : found->second.get();
  }

  static int BeginHeaders(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (StreamOf(user, frame->hd.stream_id) == nullptr) {
      Of(user)->streams_[frame->hd.stream_id] = std::make_unique<H2Endpoint::Stream>();
    }
    return 0;
  }

  static int Header(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name,
                    size_t name_size, const uint8_t* value, size_t value_size, uint8_t,
                    void* user) {
    H2Endpoint::Stream* stream = StreamOf(user, frame->hd.stream_id);
    auto& fields = stream->head_done ? stream->in.trailers : stream->in.fields;
    fields.emplace_back(std::string(reinterpret_cast<const char*>(name), name_size),
                        std::string(reinterpret_cast<const char*>(value), value_size));
    return 0;
  }

  static int Frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    H2Endpoint::Stream* stream = StreamOf(user, frame->hd.stream_id);
    if (stream == nullptr) {
      return 0;
    }
    if (frame->hd.type == NGHTTP2_HEADERS && !stream->head_done) {
      stream->head_done = stream->in.Find(":status")[0] != '1';
      if (!stream->head_done) {
        stream->in.fields.clear();
      }
    }
    bool message = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    if (message && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 && Of(user)->on_message_) {
      Of(user)->on_message_(frame->hd.stream_id, stream->in);
    }
    return 0;
  }

  static int Data(nghttp2_session*, uint8_t, int32_t id, const uint8_t* data, size_t size,
                  void* user) {
    if (H2Endpoint::Stream* stream = StreamOf(user, id); stream != nullptr) {
      stream->in.body.append(reinterpret_cast<const char*>(data), size);
    }
    return 0;
  }

  static int Close(nghttp2_session*, int32_t id, uint32_t error, void* user) {
    if (Of(user)->on_close_) {
      Of(user)->on_close_(id, error);
    }
    Of(user)->streams_.erase(id);
    return 0;
  }

  static ssize_t Body(nghttp2_session* session, int32_t id, uint8_t* out, size_t room,
                      uint32_t* flags, nghttp2_data_source* source, void*) {
    auto* stream = static_cast<H2Endpoint::Stream*>(source->ptr);
    size_t end = std::min(stream->part, stream->out.size());
    size_t size = std::min(room, end - stream->sent);
    std::copy_n(stream->out.begin() + static_cast<ptrdiff_t>(stream->sent), size, out);
    stream->sent += size;
    if (stream->sent == stream->part) {
      // It is sent behind this frame.
      nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_INTERNAL_ERROR);
      return size == 0 ? ssize_t{NGHTTP2_ERR_DEFERRED} : static_cast<ssize_t>(size);
    }
    if (stream->sent == stream->out.size()) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (stream->trailers) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        H2Endpoint::Fields fields = {{"x-trailer", "yes"}};
        nghttp2_submit_trailer(session, id, Names(fields).data(), 1);
      }
    }
    return static_cast<ssize_t>(size);
  }
};

std::string H2Endpoint::Message::Find(std::string_view name) const {
  for (const auto& [field, value] : fields) {
    if (field == name) {
      return value;
    }
  }
  return "";
}

H2Endpoint::H2Endpoint(bool server) {
  nghttp2_session_callbacks* callbacks = nullptr;
  CHECK(nghttp2_session_callbacks_new(&callbacks) == 0);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks,
                                                          H2EndpointCallbacks::BeginHeaders);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, H2EndpointCallbacks::Header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, H2EndpointCallbacks::Frame);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, H2EndpointCallbacks::Data);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, H2EndpointCallbacks::Close);
  auto make = server ? nghttp2_session_server_new : nghttp2_session_client_new;
  CHECK(make(&session_, callbacks, this) == 0);
  nghttp2_session_callbacks_del(callbacks);
  nghttp2_settings_entry entry = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 20};
  CHECK(nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, &entry, 1) == 0);
}

H2Endpoint::~H2Endpoint() {
  nghttp2_session_del(session_);
}

bool H2Endpoint::Receive(std::string_view bytes) {
  return nghttp2_session_mem_recv(session_, reinterpret_cast<const uint8_t*>(bytes.data()),
                                  bytes.size()) >= 0;
}

std::string H2Endpoint::Send() {
  std::string all;
  const uint8_t* data = nullptr;
  for (ssize_t size = 0; (size = nghttp2_session_mem_send(session_, &data)) > 0;) {
    all.append(reinterpret_cast<const char*>(data), static_cast<size_t>(size));
  }
  return all;
}

int32_t H2Endpoint::Request(const Fields& fields, std::string body, bool trailers) {
  if (nghttp2_session_check_request_allowed(session_) == 0) {
    return 0;
  }
  auto stream = std::make_unique<Stream>();
  stream->out = std::move(body);
  stream->trailers = trailers;
  nghttp2_data_provider provider{{.ptr = stream.get()}, H2EndpointCallbacks::Body};
  bool with_body = !stream->out.empty() || trailers;
  std::vector<nghttp2_nv> names = Names(fields);
  int32_t id = nghttp2_submit_request(session_, nullptr, names.data(), names.size(),
                                      with_body ? &provider : nullptr, nullptr);
  CHECK(id > 0);
  streams_[id] = std::move(stream);
  return id;
}

void H2Endpoint::Interim(int32_t id, const Fields& fields) {
  std::vector<nghttp2_nv> names = Names(fields);
  nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, id, nullptr, names.data(), names.size(),
                         nullptr);
}

void H2Endpoint::Respond(int32_t id, const Fields& fields, std::string body, bool trailers,
                         size_t part) {
  auto found = streams_.find(id);
  if (found == streams_.end()) {
    return;  // the client has gone
  }
  Stream* stream = found->second.get();
  stream->out = std::move(body);
  stream->trailers = trailers;
  stream->part = part;
  nghttp2_data_provider provider{{.ptr = stream}, H2EndpointCallbacks::Body};
  std::vector<nghttp2_nv> names = Names(fields);
  nghttp2_submit_response(session_, id, names.data(), names.size(), &provider);
}

void H2Endpoint::Reset(int32_t id, uint32_t error) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, error);
}

void H2Endpoint::Goaway() {
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(session_), NGHTTP2_NO_ERROR,
                        nullptr, 0);
}

bool H2Endpoint::done() const {
  return nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0;
}

}  // namespace postern::gate
