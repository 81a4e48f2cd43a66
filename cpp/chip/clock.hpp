// How many clocks a tick takes: one implementation for each controller of the closed set.
//
// - Most often spikes do not depend on it: cores compute a tick, and the clock is then told what happened in
// it. In
//   event mode the clock does the tick itself, write by write (EventCore); where packets may come late it
//   carries them (CarriedCores).
// - A Controller is immutable and serves all samples; a Clock is the state of one sample.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "chip/clock_log.hpp"
#include "chip/cycles.hpp"
#include "core/cores.hpp"
#include "program/program.hpp"

namespace spikeloom {

class CarriedCores;
class EventCore;

// One tick as the cores computed it.
struct TickWork {
  std::int64_t tick = 0;
  const std::uint8_t* inputs = nullptr;  // [line], or absent
  const std::vector<Spike>* fired = nullptr;
  EventCore* core = nullptr;  // event mode: to be run by the clock
  CarriedCores* carried = nullptr;
};

class Clock {
 public:
  virtual ~Clock() = default;
  // Back to the first tick; everything that was counted is forgotten.
  virtual void reset() = 0;
  // Whether it says when a tick is computed, and carries the packets.
  virtual bool carries() const { return false; }
  // Starts a tick; the one before must have ended.
  virtual void begin(const TickWork& work) = 0;
  // Runs the tick to its end.
  virtual void finish() = 0;
  // Where it can: runs at most `clocks` clocks of the tick; true at its end.
  virtual bool can_step() const { return false; }
  virtual bool step(std::int64_t clocks);
  // What the last clock showed.
  virtual ClockView view() const;
  // What lives from one tick to the next. `restore` counts from zero again.
  virtual std::string save() const = 0;
  virtual void restore(const std::string& state) = 0;
  // Spike counts that wait for their tick, [slot][axon]; empty where the controller keeps none.
  virtual Ints schedule() const { return {}; }
  virtual CycleRow row() const = 0;
};

class Controller {
 public:
  virtual ~Controller() = default;
  virtual CycleNames names() const = 0;
  virtual std::unique_ptr<Clock> start() const = 0;
};

// A whole tick; with a log clock by clock, otherwise past what is calm.
void run_clocks(Clock& clock, const TickWork& work, std::int32_t axons, ClockLog* log);

// EmulationError where the profile describes no controller; ProgramError where the program does not fit it.
std::unique_ptr<Controller> make_controller(const Program& program);

std::unique_ptr<Controller> make_linear(const Program& program);
std::unique_ptr<Controller> make_serial_event(const Program& program);
std::unique_ptr<Controller> make_open_core(const Program& program);
std::unique_ptr<Controller> make_token(const Program& program);

}  // namespace spikeloom
