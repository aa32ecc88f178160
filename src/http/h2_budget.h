// What a peer may ask of an HTTP/2 connection beyond requests. Each kind of frame is cheap for its
// sender and costs us something; a peer that sends more of one kind than any honest one does is
// told to calm down (RFC 9113, 10.5) and loses the connection. Counted by the minute.
#ifndef POSTERN_SRC_HTTP_H2_BUDGET_H_
#define POSTERN_SRC_HTTP_H2_BUDGET_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace postern::http {

// What there was too much of. One counter each.
enum class H2Abuse : uint8_t {
  kNone,
  kRapidReset,     // requests that the peer resets before they are answered (CVE-2023-44487)
  kMadeYouReset,   // streams that the peer makes us reset by breaking rules (CVE-2025-8671)
  kContinuation,   // CONTINUATION frames (CVE-2024-27316)
  kSettings,       // SETTINGS frames, each to be acknowledged (CVE-2019-9515)
  kPing,           // likewise PING (CVE-2019-9512)
  kPriority,       // PRIORITY and PRIORITY_UPDATE (CVE-2019-9513)
  kEmptyData,      // DATA frames with nothing in them (CVE-2019-9518)
  kWindowUpdate,   // WINDOW_UPDATE out of proportion to what we send
  kUnknownFrames,  // frames of types we do not know
  kHeaderList,     // a header section of many times the limit, or as many fields (HPACK bombs)
  kClosedStreams,  // frames on streams that have ended, header sections that nobody wants
  kGoaway,         // GOAWAY frames
};
inline constexpr size_t kH2Abuses = static_cast<size_t>(H2Abuse::kGoaway) + 1;
std::string_view NameOf(H2Abuse abuse);

// Per connection and minute, far above what a browser, a gRPC client or a server has a use for.
// Where a peer may have a reason for such a frame with each request, the limit grows with them: a
// connection to a server carries those of many clients.
namespace h2_limits {
inline constexpr uint32_t kResetsMax = 200;
inline constexpr uint32_t kProvokedResetsMax = 100;
inline constexpr uint32_t kContinuationsMax = 120;
// A head of 64 KiB needs three.
inline constexpr uint32_t kContinuationsEach = 4;
inline constexpr uint32_t kSettingsMax = 30;
// gRPC clients measure their bandwidth with one PING for each piece of response.
inline constexpr uint32_t kPingsMax = 120;
inline constexpr uint32_t kPrioritiesMax = 400;
inline constexpr uint32_t kEmptyDataMax = 100;
// Beyond ten for each DATA frame of ours, and two for each request.
inline constexpr uint32_t kWindowUpdatesMax = 2000;
inline constexpr uint32_t kUnknownFramesMax = 200;
// A header section beyond HeadLimits is answered with 431, up to this; what is larger was not meant
// to be answered.
inline constexpr size_t kHeaderListBytesMax = 256 * 1024;
inline constexpr size_t kHeaderFieldsMax = 2000;
// RST_STREAM on streams that have ended, beyond one for each request.
inline constexpr uint32_t kLateResetsMax = 200;
// What may have been on its way when we reset a stream: a window of body for each, as the
// connection's window allows, and one header section. One that is not wanted is decoded all the
// same, field by field, and shows its size to nobody: its bytes as they came are what counts.
inline constexpr size_t kLateDataBytesMax = 2 * 1024 * 1024;
inline constexpr size_t kLateDataBytesEach = 128 * 1024;
inline constexpr size_t kLateHeadBytesMax = 256 * 1024;
inline constexpr size_t kLateHeadBytesEach = 16 * 1024;
// One that announces the end, one that means it, and some.
inline constexpr uint32_t kGoawaysMax = 10;
}  // namespace h2_limits

class H2Budget {
 public:
  // Before each batch of input. Whether another minute has begun.
  bool OnTime(int64_t now_ms);

  // Each answers kNone, or what there is now too much of.
  [[nodiscard]] H2Abuse OnFrame(uint8_t type, size_t payload_bytes, uint8_t flags);
  [[nodiscard]] H2Abuse OnPeerReset();      // of a stream that had no response yet
  [[nodiscard]] H2Abuse OnProvokedReset();  // ours
  [[nodiscard]] H2Abuse OnEmptyData();      // nothing, or padding
  // On streams that have ended: DATA, RST_STREAM, and what of a header section means nothing.
  [[nodiscard]] H2Abuse OnLateData(size_t payload_bytes);
  [[nodiscard]] H2Abuse OnLateReset();
  [[nodiscard]] H2Abuse OnUnwantedHead(size_t payload_bytes);
  // We have ended a stream that the peer had not.
  void OnOwnReset() { ++own_resets_; }
  void OnStream() { ++streams_; }
  // A request of ours.
  void OnAsked() {
    ++streams_;
    ++asked_;
  }
  void OnDataSent() { ++data_sent_; }

 private:
  H2Abuse Count(H2Abuse abuse, uint32_t max);

  int64_t minute_ms_ = 0;
  uint32_t streams_ = 0;
  uint32_t data_sent_ = 0;
  uint32_t asked_ = 0;
  uint32_t ping_answers_ = 0;
  uint32_t own_resets_ = 0;
  size_t late_data_bytes_ = 0;
  size_t unwanted_head_bytes_ = 0;
  std::array<uint32_t, kH2Abuses> counts_ = {};
};

}  // namespace postern::http

#endif  // POSTERN_SRC_HTTP_H2_BUDGET_H_
