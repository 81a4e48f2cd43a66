// One tick of one sample together with its clocks.
#pragma once

#include <cstdint>

#include "chip/carried_core.hpp"
#include "chip/clock.hpp"
#include "chip/event_core.hpp"
#include "chip/tick.hpp"

namespace spikeloom {

// As run_tick; in event mode, and where it carries the packets, the controller itself does the tick. `log`:
// absent where nothing is written down.
template <class S, class Sum>
void run_clocked_tick(const Program& program, const Cores<S, Sum>& cores, CoreState<S, Sum>& state,
                      Clock& clock, const std::uint8_t* inputs, std::int64_t t, std::int64_t end,
                      ClockLog* log) {
  EventCoreOf<S, Sum> core(program, cores, state);
  CarriedCoresOf<S, Sum> carried(cores, state);
  if (clock.carries())
    carried.begin(inputs, t, end);
  else if (!program.spec.event)
    run_tick(program, cores, state, inputs, t, end);
  trapping(program, t,
           [&] { run_clocks(clock, {t, inputs, &state.fired, &core, &carried}, program.axons(), log); });
}

}  // namespace spikeloom
