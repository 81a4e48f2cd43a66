// Event mode: what input sends, the FIFO, and one tick without clocks: input by input, the FIFO drained after
// each, then the leak.
#pragma once

#include <cstdint>
#include <vector>

#include "core/cores.hpp"

namespace spikeloom {

// What one spike of a line sends, in order: one event for its rows, or one for each synapse, by ascending
// axon, stored run and target.
std::vector<QueuedEvent> events_of_line(const Program& program, std::int32_t line);
// What a spike of a neuron sends.
QueuedEvent event_of_neuron(const Program& program, std::int32_t neuron);
// Whether tick t ends with a leak event.
bool leaks_after(const Program& program, std::int64_t t);
// Events of single synapses need no place in the FIFO.
bool waits_in_fifo(const Program& program, const QueuedEvent& event);
// Whether an event, as it was saved, is one that this program sends.
bool is_event_of(const Program& program, const QueuedEvent& event);

// Into the FIFO, or dropped and counted where it is full.
template <class S, class Sum>
void push_event(const Cores<S, Sum>& cores, CoreState<S, Sum>& state, const QueuedEvent& event,
                std::int32_t depth) {
  if (state.fifo.size() >= static_cast<std::size_t>(depth))
    ++state.counters[cores.drop_counter()];
  else
    state.fifo.push_back(event);
}

template <class S, class Sum>
void count_input_spike(const Program& program, CoreState<S, Sum>& state, std::int32_t line) {
  ++state.events.input_spikes;
  state.events.input_packets += program.input_fan_start[line + 1] - program.input_fan_start[line];
}

template <class S, class Sum>
void count_packets(const Program& program, CoreState<S, Sum>& state, const Spike& spike) {
  state.events.packets += std::int64_t{spike.n} * (program.neuron_fan_start[spike.neuron + 1] -
                                                   program.neuron_fan_start[spike.neuron]);
}

// The spikes of a tick, one count a neuron, become state.fired.
template <class S, class Sum>
void fired_in_tick(CoreState<S, Sum>& state, const Ints& spikes) {
  state.fired.clear();
  for (std::size_t neuron = 0; neuron < spikes.size(); ++neuron)
    if (spikes[neuron] > 0) state.fired.push_back({static_cast<std::int32_t>(neuron), spikes[neuron]});
}

// `inputs` are the spike counts of the input lines, or absent. The spikes of the tick are in state.fired.
template <class S, class Sum>
void run_event_tick(const Program& program, const Cores<S, Sum>& cores, CoreState<S, Sum>& state,
                    const std::uint8_t* inputs, std::int64_t t);

}  // namespace spikeloom
