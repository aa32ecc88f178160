// Wakes a thread that waits in its ring: a write to an eventfd that the ring reads. Internal to
// io/uring.
#ifndef POSTERN_SRC_IO_URING_EVENT_WAKER_H_
#define POSTERN_SRC_IO_URING_EVENT_WAKER_H_

#include "src/io/driver.h"

namespace postern::io::uring {

class EventWaker : public Waker {
 public:
  EventWaker();
  ~EventWaker() override;
  void Wake() override;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

}  // namespace postern::io::uring

#endif  // POSTERN_SRC_IO_URING_EVENT_WAKER_H_
