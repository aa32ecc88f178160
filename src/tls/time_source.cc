#include "src/tls/time_source.h"

namespace postern::tls {
namespace {

thread_local int64_t library_now_s = 0;

}  // namespace

void SetLibraryTime(int64_t now_s) {
  library_now_s = now_s;
}

void OnCurrentTime(const SSL*, timeval* out) {
  out->tv_sec = static_cast<time_t>(library_now_s);
  out->tv_usec = 0;
}

}  // namespace postern::tls
