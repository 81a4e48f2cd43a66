// One tick of one sample: the contract's order in one function.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.hpp"
#include "chip/event.hpp"
#include "core/cores.hpp"

namespace spikeloom {

// A part of tick t. A register that left its width under `trap` becomes an error that names its place.
template <class Part>
void trapping(const Program& program, std::int64_t t, Part part) {
  try {
    part();
  } catch (const Trapped& trapped) {
    const RegisterSpec& spec = program.spec.registers[trapped.element];
    throw EmulationError("tick " + std::to_string(t) + ", core " +
                             std::to_string(program.core_of(trapped.neuron)) + ", neuron " +
                             std::to_string(trapped.neuron) + ", register " + spec.name,
                         "left its width, and its overflow rule is " + std::string(rule_name(spec.rule)),
                         {.value = trapped.value,
                          .limit = std::to_string(spec.bits) + " bits",
                          .remedy = "use smaller weights, or a wider register"});
  }
}

// `inputs` are the spike counts of the input lines, or absent; `end` is the first tick that is not run.
template <class S, class Sum>
void run_tick(const Program& program, const Cores<S, Sum>& cores, CoreState<S, Sum>& state,
              const std::uint8_t* inputs, std::int64_t t, std::int64_t end) {
  trapping(program, t, [&] {
    if (program.spec.event) return run_event_tick(program, cores, state, inputs, t);
    if (inputs != nullptr) cores.deliver_inputs(state, inputs, t, end);  // 1 deliver
    cores.update(state, t);     // 2 accumulate, 3 operations, 4 collect
    cores.send(state, t, end);  // 5 enqueue
  });
}

}  // namespace spikeloom
