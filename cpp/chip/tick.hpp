// One tick of one sample: the contract's order in one function.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.hpp"
#include "core/cores.hpp"

namespace spikeloom {

// `inputs` are the spike counts of the input lines, or absent; `end` is the first tick that is not run.
template <class S, class Sum>
void run_tick(const Program& program, const Cores<S, Sum>& cores, CoreState<S, Sum>& state,
              const std::uint8_t* inputs, std::int64_t t, std::int64_t end) {
  try {
    if (inputs != nullptr) cores.deliver_inputs(state, inputs, t, end);  // 1 deliver
    cores.update(state, t);     // 2 accumulate, 3 operations, 4 collect
    cores.send(state, t, end);  // 5 enqueue
  } catch (const Trapped& trapped) {
    throw EmulationError("tick " + std::to_string(t) + ", core " +
                             std::to_string(program.core_of(trapped.neuron)) + ", neuron " +
                             std::to_string(trapped.neuron) + ", register " +
                             program.spec.registers[trapped.element].name,
                         "left its width, and its overflow rule is " +
                             std::string(rule_name(program.spec.registers[trapped.element].rule)),
                         {.value = trapped.value,
                          .limit = std::to_string(program.spec.registers[trapped.element].bits) + " bits",
                          .remedy = "use smaller weights, or a wider register"});
  }
}

}  // namespace spikeloom
