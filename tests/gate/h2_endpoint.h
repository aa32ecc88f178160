// One end of an HTTP/2 connection for clients and servers of the simulation: whole messages in and
// out, by nghttp2 itself and not by the code under test.
#ifndef POSTERN_TESTS_GATE_H2_ENDPOINT_H_
#define POSTERN_TESTS_GATE_H2_ENDPOINT_H_

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::gate {

class H2Endpoint {
 public:
  using Fields = std::vector<std::pair<std::string, std::string>>;
  struct Message {
    Fields fields;  // pseudo-header fields first; of the final head
    std::string body;
    Fields trailers;
    // The first field of this name, or "".
    std::string Find(std::string_view name) const;
  };

  explicit H2Endpoint(bool server);
  ~H2Endpoint();
  H2Endpoint(const H2Endpoint&) = delete;
  H2Endpoint& operator=(const H2Endpoint&) = delete;

  // Whole: up to END_STREAM.
  void set_on_message(std::function<void(int32_t, const Message&)> f) {
    on_message_ = std::move(f);
  }
  void set_on_close(std::function<void(int32_t, uint32_t)> f) { on_close_ = std::move(f); }

  // False: the other side has broken the protocol.
  [[nodiscard]] bool Receive(std::string_view bytes);
  // Everything that there is to send now.
  std::string Send();

  // A client's. 0: no more requests can be made.
  int32_t Request(const Fields& fields, std::string body, bool trailers);
  // A server's. `part`: how much of the body is sent before the stream is reset; all if less.
  void Interim(int32_t stream, const Fields& fields);
  void Respond(int32_t stream, const Fields& fields, std::string body, bool trailers,
               size_t part = SIZE_MAX);
  void Reset(int32_t stream, uint32_t error);
  // No further requests.
  void Goaway();
  // Nothing more will come or go.
  bool done() const;

 private:
  friend struct H2EndpointCallbacks;

  struct Stream {
    Message in;
    bool head_done = false;
    std::string out;
    size_t sent = 0;
    bool trailers = false;
    size_t part = SIZE_MAX;
  };

  nghttp2_session* session_ = nullptr;
  std::map<int32_t, std::unique_ptr<Stream>> streams_;
  std::function<void(int32_t, const Message&)> on_message_;
  std::function<void(int32_t, uint32_t)> on_close_;
};

}  // namespace postern::gate

#endif  // POSTERN_TESTS_GATE_H2_ENDPOINT_H_
