// What may go wrong, and how often. Probabilities are drawn once for each operation (or segment) of
// that kind.
#ifndef POSTERN_TESTS_SIM_FAULTS_H_
#define POSTERN_TESTS_SIM_FAULTS_H_

#include <cstddef>
#include <cstdint>

namespace postern::sim {

struct Faults {
  // The network. A range is drawn from evenly; with equal ends nothing is drawn.
  int64_t delay_us_min = 50;
  int64_t delay_us_max = 50;
  double delay_spike = 0;  // a segment that takes delay_spike_us instead
  int64_t delay_spike_us = 200'000;
  size_t segment_bytes_max = 16 * 1024;
  size_t pipe_bytes_min = 64 * 1024;  // what one direction holds: send and receive buffer in one
  size_t pipe_bytes_max = 64 * 1024;
  double reset = 0;             // a segment on whose arrival the connection breaks
  double reset_drops_data = 0;  // a reset that takes along what the receiver had not read
  double short_read = 0;
  double short_write = 0;
  double connect_refused = 0;
  double connect_unreachable = 0;
  double connect_timeout = 0;
  double uneven = 0;  // of several sockets that listen on an address, the first one is chosen

  // The machine.
  double accept_no_descriptors = 0;
  double open_no_descriptors = 0;
  double no_buffers = 0;
  double late_cancel = 0;  // a cancel that takes effect only after a while
  int64_t completion_delay_us_max = 0;
  double partial_batch = 0;    // a Wait that hands out only some of what has come
  double spurious_wakeup = 0;  // a turn that nothing asked for
  int64_t turn_us_min = 1;     // what a turn takes
  int64_t turn_us_max = 1;
  int64_t look_us = 1;  // what passes from one look at the clock to the next: work

  // Nothing fails; delays are fixed. The order within an instant is drawn all the same.
  static Faults None() { return {}; }

  // Everything that a correct program must not even notice: delays, short reads and writes, tiny
  // buffers, late cancels, batches in pieces.
  static Faults Benign() {
    Faults faults;
    faults.delay_us_min = 1;
    faults.delay_us_max = 2'000;
    faults.delay_spike = 0.01;
    faults.segment_bytes_max = 3000;
    faults.pipe_bytes_min = 1;
    faults.pipe_bytes_max = 32 * 1024;
    faults.short_read = 0.1;
    faults.short_write = 0.1;
    faults.late_cancel = 0.5;
    faults.completion_delay_us_max = 300;
    faults.partial_batch = 0.2;
    faults.spurious_wakeup = 0.01;
    faults.turn_us_max = 200;
    return faults;
  }

  // And everything else.
  static Faults Wild() {
    Faults faults = Benign();
    faults.reset = 0.003;
    faults.reset_drops_data = 0.5;
    faults.connect_refused = 0.02;
    faults.connect_unreachable = 0.01;
    faults.connect_timeout = 0.01;
    faults.accept_no_descriptors = 0.02;
    faults.open_no_descriptors = 0.02;
    faults.no_buffers = 0.02;
    return faults;
  }
};

}  // namespace postern::sim

#endif  // POSTERN_TESTS_SIM_FAULTS_H_
