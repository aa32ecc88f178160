// How nghttp2 tells a session what happened. Internal to src/http.
#ifndef POSTERN_SRC_HTTP_H2_CALLBACKS_H_
#define POSTERN_SRC_HTTP_H2_CALLBACKS_H_

#include <nghttp2/nghttp2.h>

namespace postern::http {

void SetH2Callbacks(nghttp2_session_callbacks* callbacks);

// Takes body from the stream's outgoing().
extern const nghttp2_data_source_read_callback kReadH2Body;

}  // namespace postern::http

#endif  // POSTERN_SRC_HTTP_H2_CALLBACKS_H_
