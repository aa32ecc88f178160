#include "src/http/h2_callbacks.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "src/base/check.h"
#include "src/http/h2_session.h"

namespace postern::http {
namespace {

std::string_view ViewOf(nghttp2_rcbuf* buffer) {
  nghttp2_vec vector = nghttp2_rcbuf_get_buf(buffer);
  return {reinterpret_cast<const char*>(vector.base), vector.len};
}

constexpr size_t kFrameBytesMax = 16 * 1024;

// Errors of ours that nghttp2 found in what the peer sent; our own resets use other codes.
bool IsProvoked(uint32_t error_code) {
  return error_code == NGHTTP2_PROTOCOL_ERROR || error_code == NGHTTP2_FLOW_CONTROL_ERROR ||
         error_code == NGHTTP2_STREAM_CLOSED || error_code == NGHTTP2_FRAME_SIZE_ERROR;
}

}  // namespace

// nghttp2's callbacks. A value other than 0 ends the connection (NGHTTP2_ERR_CALLBACK_FAILURE) or
// the stream (NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE).
struct H2Callbacks {
  static H2Session* Of(void* user) { return static_cast<H2Session*>(user); }
  static H2Stream* StreamOf(nghttp2_session* session, int32_t id) {
    return static_cast<H2Stream*>(nghttp2_session_get_stream_user_data(session, id));
  }

  static int OnBeginFrame(nghttp2_session*, const nghttp2_frame_hd* header, void* user) {
    H2Session* self = Of(user);
    self->SettleHead();
    if (self->violation_ == H2Error::kNoError) {
      self->violation_ = ViolationOf(self, *header);
    }
    bool counted = header->type > NGHTTP2_CONTINUATION;  // H2Session::Receive has seen it
    H2Abuse abuse = counted ? H2Abuse::kNone
                            : self->budget_.OnFrame(header->type, header->length, header->flags);
    bool sound = self->Accept(abuse);
    return sound && self->violation_ == H2Error::kNoError ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
  }

  // What RFC 9113 forbids and nghttp2 lets pass.
  static H2Error ViolationOf(H2Session* self, const nghttp2_frame_hd& header) {
    switch (header.type) {
      case NGHTTP2_CONTINUATION:
        // 4.2: no frame is larger than we said, which is the default.
        return header.length > kFrameBytesMax ? H2Error::kFrameSizeError : H2Error::kNoError;
      case NGHTTP2_PRIORITY:
        return header.stream_id == 0 ? H2Error::kProtocolError : H2Error::kNoError;  // 6.3
      case NGHTTP2_HEADERS:
        return BeginSection(self, header);
      case NGHTTP2_RST_STREAM:
        return self->IsClosed(header.stream_id)
                   ? self->OnLateFrame(header.type, header.stream_id, header.length)
                   : H2Error::kNoError;
      case NGHTTP2_PUSH_PROMISE:
        return H2Error::kProtocolError;  // 8.4: clients send none, and servers were told not to
      default:                           // a number, not an enum: nghttp2 is as strict as the RFC
        return H2Error::kNoError;
    }
  }

  static H2Error BeginSection(H2Session* self, const nghttp2_frame_hd& header) {
    self->head_unwanted_ = false;
    // Of a client's streams the new ones need no look.
    bool opens = self->role_ == H2Session::Role::kServer && header.stream_id > self->highest_id_;
    H2Error error = self->role_ == H2Session::Role::kServer ? self->OpenIdentifier(header.stream_id)
                                                            : H2Error::kNoError;
    if (error == H2Error::kNoError && !opens && self->IsClosed(header.stream_id)) {
      return self->OnLateFrame(header.type, header.stream_id, header.length);
    }
    self->pending_head_id_ = header.stream_id;
    self->pending_head_bytes_ = header.length;
    return error;
  }

  static int OnBeginHeaders(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    H2Session* self = Of(user);
    H2HeadText::Kind kind = H2HeadText::Kind::kTrailers;
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
      kind = H2HeadText::Kind::kRequest;
    } else if (self->role_ == H2Session::Role::kClient) {
      H2Stream* stream = StreamOf(session, frame->hd.stream_id);
      bool trailers = stream != nullptr && stream->head_received_;
      kind = trailers ? H2HeadText::Kind::kTrailers : H2HeadText::Kind::kResponse;
    }
    self->pending_head_id_ = 0;
    self->in_head_ = true;
    self->head_fields_ = 0;
    self->head_.Begin(kind);
    return 0;
  }

  static int OnHeader(nghttp2_session*, const nghttp2_frame* frame, nghttp2_rcbuf* name,
                      nghttp2_rcbuf* value, uint8_t, void* user) {
    H2Session* self = Of(user);
    if (!self->head_.Add(ViewOf(name), ViewOf(value))) {
      return self->DropHead(frame->hd.stream_id);
    }
    bool bomb = self->head_.list_bytes() > h2_limits::kHeaderListBytesMax ||
                ++self->head_fields_ > h2_limits::kHeaderFieldsMax;
    return self->Accept(bomb ? H2Abuse::kHeaderList : H2Abuse::kNone)
               ? 0
               : NGHTTP2_ERR_CALLBACK_FAILURE;
  }

  // A field that nghttp2 would leave out silently; RFC 9113, 8.2.1 calls the message malformed.
  static int OnInvalidHeader(nghttp2_session*, const nghttp2_frame* frame, nghttp2_rcbuf*,
                             nghttp2_rcbuf*, uint8_t, void* user) {
    return Of(user)->DropHead(frame->hd.stream_id);
  }

  // A frame that nghttp2 answers with a reset or a GOAWAY by itself.
  static int OnInvalidFrame(nghttp2_session*, const nghttp2_frame* frame, int, void* user) {
    if (frame->hd.type == NGHTTP2_HEADERS) {
      Of(user)->ForgetHead();
    }
    return 0;
  }

  static int OnFrame(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    H2Session* self = Of(user);
    int32_t id = frame->hd.stream_id;
    bool end_stream = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
        self->EndHead(id, end_stream);
        break;
      case NGHTTP2_DATA:
        if (!end_stream && frame->hd.length > 0 && frame->hd.length == frame->data.padlen) {
          return self->Accept(self->budget_.OnEmptyData()) ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
        }
        if (end_stream) {
          if (H2Stream* stream = StreamOf(session, id); stream != nullptr) {
            stream->OnEnd();
          }
        }
        break;
      case NGHTTP2_RST_STREAM:
        if (H2Stream* stream = StreamOf(session, id); stream != nullptr) {
          return stream->head_sent_ || self->Accept(self->budget_.OnPeerReset())
                     ? 0
                     : NGHTTP2_ERR_CALLBACK_FAILURE;
        }
        break;
      case NGHTTP2_GOAWAY:
        self->peer_goaway_ = true;
        break;
      case NGHTTP2_PING:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) {
          self->OnPingAnswered(frame->ping.opaque_data);
        }
        break;
      case NGHTTP2_SETTINGS:
        self->settings_received_ = true;
        self->peer_settings_known_ = true;
        break;
      default:  // a number, not an enum: nghttp2 has acted on it
        break;
    }
    return 0;
  }

  static int OnData(nghttp2_session* session, uint8_t, int32_t id, const uint8_t* data, size_t size,
                    void*) {
    H2Stream* stream = StreamOf(session, id);
    if (stream == nullptr) {
      nghttp2_session_consume_connection(session, size);
      return 0;
    }
    stream->OnData({reinterpret_cast<const char*>(data), size});
    return 0;
  }

  static int OnStreamClose(nghttp2_session* session, int32_t id, uint32_t error, void*) {
    if (H2Stream* stream = StreamOf(session, id); stream != nullptr) {
      nghttp2_session_set_stream_user_data(session, id, nullptr);
      stream->OnClosed(static_cast<H2Error>(error));
    }
    return 0;
  }

  // Written with this call of mem_send; OnFrameSent comes with the next one, which may be much
  // later.
  static int OnFrameLeaves(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type == NGHTTP2_HEADERS) {
      Of(user)->OnHeadLeaves(frame->hd.stream_id);
    }
    return 0;
  }

  static int OnFrameSent(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    H2Session* self = Of(user);
    bool end_stream = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    switch (frame->hd.type) {
      case NGHTTP2_RST_STREAM:
        if (frame->rst_stream.error_code == NGHTTP2_FLOW_CONTROL_ERROR &&
            self->settings_received_) {
          // RFC 9113, 6.9.2: windows that a setting makes overflow are the connection's error.
          self->violation_ = H2Error::kFlowControlError;
        }
        if (nghttp2_session_get_stream_remote_close(session, frame->hd.stream_id) == 0) {
          self->closed_.Remember(frame->hd.stream_id);
          self->budget_.OnOwnReset();
        }
        if (IsProvoked(frame->rst_stream.error_code)) {
          self->Accept(self->budget_.OnProvokedReset());
        }
        break;
      case NGHTTP2_DATA:
        self->budget_.OnDataSent();
        [[fallthrough]];
      case NGHTTP2_HEADERS:
        // RFC 9113, 8.1: a response that is complete before its request asks for no more of it.
        if (end_stream && self->role_ == H2Session::Role::kServer &&
            nghttp2_session_get_stream_remote_close(session, frame->hd.stream_id) == 0) {
          nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                    NGHTTP2_NO_ERROR);
        }
        break;
      case NGHTTP2_GOAWAY:
        self->OnGoawaySent(frame->goaway.last_stream_id);
        break;
      default:  // a number, not an enum: nothing to note
        break;
    }
    return 0;
  }

  // A frame that nghttp2 has given up by itself. The stream would wait for it for ever.
  static int OnFrameNotSent(nghttp2_session* session, const nghttp2_frame* frame, int, void*) {
    if (frame->hd.type == NGHTTP2_HEADERS && StreamOf(session, frame->hd.stream_id) != nullptr) {
      nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                NGHTTP2_INTERNAL_ERROR);
    }
    return 0;
  }

  // How much of the next DATA frame there is; SendBody writes it.
  static ssize_t ReadBody(nghttp2_session*, int32_t id, uint8_t*, size_t room, uint32_t* flags,
                          nghttp2_data_source* source, void* user) {
    H2Stream* stream = static_cast<H2Stream*>(source->ptr);
    size_t size = std::min(room, stream->outgoing_.size());
    if (size == 0 && !stream->outgoing_ended_) {
      return NGHTTP2_ERR_DEFERRED;
    }
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (stream->outgoing_ended_ && size == stream->outgoing_.size()) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (!stream->outgoing_trailers_.empty()) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        Of(user)->SubmitTrailers(id, &stream->outgoing_trailers_);
      }
    }
    return static_cast<ssize_t>(size);
  }

  static int SendBody(nghttp2_session*, nghttp2_frame* frame, const uint8_t* header, size_t size,
                      nghttp2_data_source* source, void* user) {
    CHECK(frame->data.padlen == 0);  // we never ask for any
    H2Sink* sink = Of(user)->sink_;
    H2Stream* stream = static_cast<H2Stream*>(source->ptr);
    sink->Output({reinterpret_cast<const char*>(header), 9});
    size_t left = size;
    while (left > 0) {
      std::array<std::span<const uint8_t>, 1> spans;
      CHECK(stream->outgoing_.Peek(0, spans) == 1);
      size_t taken = std::min(left, spans[0].size());
      sink->Output({reinterpret_cast<const char*>(spans[0].data()), taken});
      stream->outgoing_.Consume(taken);
      left -= taken;
    }
    stream->OnSent();
    return 0;
  }
};

const nghttp2_data_source_read_callback kReadH2Body = H2Callbacks::ReadBody;

void SetH2Callbacks(nghttp2_session_callbacks* callbacks) {
  nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, H2Callbacks::OnBeginFrame);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, H2Callbacks::OnBeginHeaders);
  nghttp2_session_callbacks_set_on_header_callback2(callbacks, H2Callbacks::OnHeader);
  nghttp2_session_callbacks_set_on_invalid_header_callback2(callbacks,
                                                            H2Callbacks::OnInvalidHeader);
  nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks,
                                                               H2Callbacks::OnInvalidFrame);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, H2Callbacks::OnFrame);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, H2Callbacks::OnData);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, H2Callbacks::OnStreamClose);
  nghttp2_session_callbacks_set_before_frame_send_callback(callbacks, H2Callbacks::OnFrameLeaves);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, H2Callbacks::OnFrameSent);
  nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, H2Callbacks::OnFrameNotSent);
  nghttp2_session_callbacks_set_send_data_callback(callbacks, H2Callbacks::SendBody);
}

}  // namespace postern::http
