// Wakes a thread that waits in its driver: a write to an eventfd that the driver reads. For
// drivers.
#ifndef POSTERN_SRC_IO_MACHINE_EVENT_WAKER_H_
#define POSTERN_SRC_IO_MACHINE_EVENT_WAKER_H_

#include "src/io/driver.h"

namespace postern::io::machine {

class EventWaker : public Waker {
 public:
  EventWaker();
  ~EventWaker() override;
  void Wake() override;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

}  // namespace postern::io::machine

#endif  // POSTERN_SRC_IO_MACHINE_EVENT_WAKER_H_
