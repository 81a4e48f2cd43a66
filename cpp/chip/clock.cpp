#include "chip/clock.hpp"

#include "base/error.hpp"

namespace spikeloom {

bool Clock::step(std::int64_t) {
  finish();
  return true;
}

ClockView Clock::view() const {
  return {};
}

void run_clocks(Clock& clock, const TickWork& work, std::int32_t axons, ClockLog* log) {
  clock.begin(work);
  if (log == nullptr) return clock.finish();
  for (bool over = false; !over;) {
    over = clock.step(1);
    log->add(clock.view());
  }
  log->end_tick(clock.schedule(), axons);
}

std::unique_ptr<Controller> make_controller(const Program& program) {
  const std::string& name = program.spec.cycles.controller;
  if (name == "linear") return make_linear(program);
  if (name == "serial_event") return make_serial_event(program);
  if (name == "open_core") return make_open_core(program);
  if (name == "token") return make_token(program);
  if (name.empty())
    throw EmulationError("timing cycle", "is not available: the profile describes no controller");
  throw EmulationError("timing cycle", "is not available: the core has no such controller", {.value = name});
}

}  // namespace spikeloom
