// The controller of ODIN and tinyODIN, clock by clock: one decision a clock in WAIT, one event after the
// other, handshakes through two flip-flops on both sides.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "chip/clock.hpp"
#include "chip/event_core.hpp"

namespace spikeloom {

// Durations in clocks.
struct SerialTiming {
  explicit SerialTiming(const Program& program);  // ProfileError where one is missing
  std::int64_t tick_clocks, pop_tail, req_fall, ack_rise, ack_fall, input_gap;
  std::int64_t sweep;  // of an event over all neurons
};

class SerialClock final : public Clock {
 public:
  enum State : std::int32_t {
    waiting,
    leak,
    synapse,
    pushing,
    popping,
    pop_virtual,
    tail,
    request_down,
    states
  };
  enum Stall { output_busy, stalls };
  enum Counter { requests_taken, late, overruns, popped, counters };
  static CycleNames names();

  SerialClock(const Program& program, const SerialTiming& timing);
  void reset() override;
  void begin(const TickWork& work) override;
  void finish() override { step(timing_.tick_clocks); }
  bool can_step() const override { return true; }
  bool step(std::int64_t clocks) override;
  ClockView view() const override { return view_; }
  CycleRow row() const override { return row_; }
  std::string save() const override;
  void restore(const std::string& bytes) override;

 private:
  // What the partner asks for, at the earliest in this clock.
  struct Request {
    enum Kind : std::int64_t { of_leak, to_push, to_synapse };
    std::int64_t clock;
    std::int64_t kind;
    QueuedEvent event;
  };

  // Everything but the requests, the FIFO and the neurons. Saved as it is.
  struct Registers {
    std::int64_t clock = 0;  // since the first tick
    std::int64_t state = waiting;
    std::int64_t count = 0;                              // clocks of the event so far
    std::int64_t arrived = 0;                            // requests whose time has come
    std::int64_t request = 0;                            // held by the partner
    std::int64_t request_first = 0, request_second = 0;  // behind its flip-flops
    std::int64_t ack_since = 0;                          // the clock in which the request was acknowledged
    std::int64_t out_request = 0, out_since = 0, busy = 0;
    std::int64_t out_ack = 0;  // held by the partner
    std::int64_t ack_first = 0, ack_second = 0, ack_before = 0;
  };

  void ask(const TickWork& work);
  void check(const Registers& kept, std::int64_t requests) const;
  void check(const Request& request) const;
  void forget();
  std::int64_t next_request() const;
  bool idle() const;
  void skip(std::int64_t clocks);
  void show(std::int64_t state);
  void count_phase(std::int64_t state, std::int64_t clocks);
  void end_tick();

  // One clock, and its parts: serial_states.cpp.
  void one_clock();
  void take_arrivals(bool was_idle);
  void drive_request();
  void drive_acknowledge();
  void act();
  void decide();
  void sweep(int stage, State next);
  void single(const QueuedEvent& event);
  void write(std::int32_t neuron, int stage);
  void enter(State next);
  void acknowledge();
  void pop();
  void take_over();

  const Program& program_;
  const SerialTiming& timing_;
  EventCore* core_ = nullptr;  // while a tick runs
  Registers r_;
  std::deque<Request> requests_;
  std::int64_t start_ = 0;  // clock in which the tick began
  bool spiked_ = false;     // in this clock
  Ints spikes_;             // [neuron] of this tick
  CycleRow row_;
  ClockView view_;
};

}  // namespace spikeloom
