// Event mode: reads and writes of the single core. Neurons touch only themselves, so a block of them is
// written at once, and their spikes are collected in ascending order, as if one were written after the other.
#include <algorithm>

#include "core/cores.hpp"

namespace spikeloom {

template <class S, class Sum>
void Cores<S, Sum>::read_event(State& state, const QueuedEvent& event) const {
  std::int64_t visited = 1;
  if (event.kind == QueuedEvent::of_synapse) {
    synapses_.add_synapse_now(state.synapses, event.source, event.weight,
                              static_cast<std::int32_t>(event.receptor));
  } else {
    const bool of_line = event.kind == QueuedEvent::of_line;
    const Ints& starts = of_line ? program_.input_fan_start : program_.neuron_fan_start;
    const Ints& axons = of_line ? program_.input_fan_axon : program_.neuron_fan_axon;
    for (std::int32_t i = starts[event.source]; i < starts[event.source + 1]; ++i)
      synapses_.add_row_now(state.synapses, axons[i]);
    visited = program_.visited();
  }
  state.events.operations += visited;
  state.events.updates += visited;
}

template <class S, class Sum>
void Cores<S, Sum>::read_leak(State& state) const {
  state.events.updates += program_.visited();
}

// The stage of the leak has no receptor, and adds nothing.
template <class S, class Sum>
void Cores<S, Sum>::write_neurons(State& state, std::int32_t first, std::int32_t last, int stage) const {
  Scratch scratch;
  state.fired.clear();
  for (; first < last; first += block_size) {
    const int count = std::min(block_size, last - first);
    const Block<S> block = block_of(state, first, count, 0, scratch);
    std::fill_n(block.spikes, count, 0);
    if (stage < program_.receptors()) accumulate_at(state, block, 0, stage);
    soma_.update(block, stage);
    collect(state, block);
  }
}

template class Cores<std::int32_t, std::int16_t>;
template class Cores<std::int32_t, std::int32_t>;
template class Cores<std::int32_t, std::int64_t>;
template class Cores<double, double>;

}  // namespace spikeloom
