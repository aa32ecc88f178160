#include "src/http/h2_budget.h"

namespace postern::http {
namespace {

constexpr int64_t kMinuteMs = 60'000;

// Frame types (RFC 9113, 6; RFC 9218, 7.1) and the one flag that matters here.
constexpr uint8_t kData = 0, kHeaders = 1, kPriority = 2, kResetStream = 3, kSettings = 4,
                  kPushPromise = 5, kPing = 6, kGoaway = 7, kWindowUpdate = 8, kContinuation = 9,
                  kPriorityUpdate = 16;
constexpr uint8_t kEndStreamFlag = 1;
constexpr uint8_t kAckFlag = 1;
constexpr size_t kFrameHeaderBytes = 9;

}  // namespace

std::string_view NameOf(H2Abuse abuse) {
  switch (abuse) {
    case H2Abuse::kNone:
      return "none";
    case H2Abuse::kRapidReset:
      return "rapid_reset";
    case H2Abuse::kMadeYouReset:
      return "made_you_reset";
    case H2Abuse::kContinuation:
      return "continuation_flood";
    case H2Abuse::kSettings:
      return "settings_flood";
    case H2Abuse::kPing:
      return "ping_flood";
    case H2Abuse::kPriority:
      return "priority_flood";
    case H2Abuse::kEmptyData:
      return "empty_data_flood";
    case H2Abuse::kWindowUpdate:
      return "window_update_flood";
    case H2Abuse::kUnknownFrames:
      return "unknown_frame_flood";
    case H2Abuse::kHeaderList:
      return "header_list";
    case H2Abuse::kClosedStreams:
      return "closed_stream_flood";
    case H2Abuse::kGoaway:
      return "goaway_flood";
  }
  return "unknown";
}

bool H2Budget::OnTime(int64_t now_ms) {
  if (now_ms - minute_ms_ < kMinuteMs) {
    return false;
  }
  *this = H2Budget();
  minute_ms_ = now_ms;
  return true;
}

H2Abuse H2Budget::Count(H2Abuse abuse, uint32_t max) {
  return ++counts_[static_cast<size_t>(abuse)] > max ? abuse : H2Abuse::kNone;
}

H2Abuse H2Budget::OnFrame(uint8_t type, size_t payload_bytes, uint8_t flags) {
  switch (type) {
    case kData:
      return payload_bytes == 0 && (flags & kEndStreamFlag) == 0 ? OnEmptyData() : H2Abuse::kNone;
    case kSettings:
      return (flags & kAckFlag) == 0 ? Count(H2Abuse::kSettings, h2_limits::kSettingsMax)
                                     : H2Abuse::kNone;
    case kPing:
      if ((flags & kAckFlag) != 0) {
        // We ask twice a minute at most.
        return ++ping_answers_ > h2_limits::kPingsMax ? H2Abuse::kPing : H2Abuse::kNone;
      }
      return Count(H2Abuse::kPing, h2_limits::kPingsMax + data_sent_);
    case kPriority:
    case kPriorityUpdate:
      return Count(H2Abuse::kPriority, h2_limits::kPrioritiesMax + streams_);
    case kWindowUpdate:
      return Count(H2Abuse::kWindowUpdate,
                   h2_limits::kWindowUpdatesMax + 10 * data_sent_ + 2 * streams_);
    case kContinuation:
      return Count(H2Abuse::kContinuation,
                   h2_limits::kContinuationsMax + h2_limits::kContinuationsEach * streams_);
    case kGoaway:
      return Count(H2Abuse::kGoaway, h2_limits::kGoawaysMax);
    case kHeaders:
    case kResetStream:
    case kPushPromise:
      return H2Abuse::kNone;
    default:  // a number, not an enum: every type that has no meaning to us
      return Count(H2Abuse::kUnknownFrames, h2_limits::kUnknownFramesMax + streams_);
  }
}

H2Abuse H2Budget::OnPeerReset() {
  // A page that is left behind cancels what it was loading; whoever does nothing but that has no
  // use for answers.
  uint32_t& resets = counts_[static_cast<size_t>(H2Abuse::kRapidReset)];
  ++resets;
  return resets > h2_limits::kResetsMax && resets > streams_ / 2 ? H2Abuse::kRapidReset
                                                                 : H2Abuse::kNone;
}

H2Abuse H2Budget::OnProvokedReset() {
  // A server can break no more than it was asked.
  return Count(H2Abuse::kMadeYouReset, h2_limits::kProvokedResetsMax + asked_);
}

H2Abuse H2Budget::OnEmptyData() {
  return Count(H2Abuse::kEmptyData, h2_limits::kEmptyDataMax + streams_);
}

H2Abuse H2Budget::OnLateData(size_t payload_bytes) {
  late_data_bytes_ += payload_bytes + kFrameHeaderBytes;
  size_t max = h2_limits::kLateDataBytesMax + size_t{own_resets_} * h2_limits::kLateDataBytesEach;
  return late_data_bytes_ > max ? H2Abuse::kClosedStreams : H2Abuse::kNone;
}

H2Abuse H2Budget::OnLateReset() {
  return Count(H2Abuse::kClosedStreams, h2_limits::kLateResetsMax + streams_);
}

H2Abuse H2Budget::OnUnwantedHead(size_t payload_bytes) {
  unwanted_head_bytes_ += payload_bytes + kFrameHeaderBytes;
  size_t max = h2_limits::kLateHeadBytesMax + size_t{own_resets_} * h2_limits::kLateHeadBytesEach;
  return unwanted_head_bytes_ > max ? H2Abuse::kClosedStreams : H2Abuse::kNone;
}

}  // namespace postern::http
