// One sample of a run: where it starts, what it is given, and what of it is written down. A state may be that
// of a part of the chip; then what belongs to its neurons is written, and the parts together are the whole.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <type_traits>
#include <vector>

#include "chip/machine.hpp"
#include "core/cores.hpp"

namespace spikeloom {

// Neighbouring neurons [first, end) whose spikes are counted in the same ticks [begin, ...).
struct Window {
  std::int32_t first, end, begin;
};

inline std::vector<Window> windows_of(const RunRequest& request) {
  std::vector<Window> windows;
  const auto begin = request.depths.begin(), end = request.depths.end();
  for (auto first = begin, next = begin; first != end; first = next) {
    next = std::find_if(first, end, [&](std::int32_t depth) { return depth != *first; });
    windows.push_back(
        {static_cast<std::int32_t>(first - begin), static_cast<std::int32_t>(next - begin), *first});
  }
  return windows;
}

// Spikes of each neuron that are not yet added to the counts of the sample, of so many ticks: where many
// spike, bytes are added for all of them.
struct SpikeTally {
  std::vector<std::uint8_t> of_neuron;
  int ticks = 0;
};

template <class S>
Table<S>& typed(Values& values) {
  if constexpr (std::is_floating_point_v<S>)
    return values.reals;
  else
    return values.ints;
}

template <class S, class Sum>
class SampleRun {
 public:
  using State = CoreState<S, Sum>;
  SampleRun(const Cores<S, Sum>& cores, const Program& program, const RunRequest& request,
            const std::vector<Window>& windows, std::int64_t sample, RunResult& result)
      : cores_(cores),
        program_(program),
        request_(request),
        windows_(windows),
        sample_(sample),
        result_(result) {}

  // `set` holds the values that the sample overrides, as long as it runs.
  void begin(State& state, std::vector<S>& set, SpikeTally& tally) const {
    const auto row = static_cast<std::uint32_t>(sample_);
    cores_.reset(state,
                 {request_.trial_seed, request_.sample_ids.empty() ? row : request_.sample_ids[sample_]});
    override_params(state, set);
    if (!request_.overrides.empty()) cores_.override_tables(state);
    if (request_.probes.empty() && request_.readings.empty()) cores_.forget_registers(state);
    tally.of_neuron.assign(state.flags.empty() ? 0 : program_.neurons(), 0);
    tally.ticks = 0;
  }

  // Of tick t; absent where there are none.
  const std::uint8_t* inputs(std::int64_t t) const {
    const std::int64_t tick = t / program_.spec.steps;
    if (tick >= request_.input_ticks) return nullptr;
    return request_.inputs + (sample_ * request_.input_ticks + tick) * program_.inputs();
  }

  // After tick t; `spikes` grows by those that are listed.
  void write_tick(const State& state, std::int64_t t, SpikeTally& tally,
                  std::vector<SpikeRow>& spikes) const {
    state.has_dense_flags() ? count_all(state, t, tally) : count_each(state, t);
    list(state, t, spikes);
    record(state, t);
  }

  // After the last tick. What arrived from input lines is the same for every part.
  void write_events(const State& state, SpikeTally& tally) const {
    add(tally);
    const Events& events = state.events;
    const bool by_event = program_.spec.event.has_value();
    EventRow& row = result_.events[sample_];
    row.spikes += events.spikes;
    row.input_spikes = events.input_spikes;
    row.synaptic_operations += by_event ? events.operations : state.synapses.additions;
    row.neuron_updates += by_event ? events.updates : request_.ticks * state.part.neurons();
    row.packets += events.packets;
    row.input_packets = events.input_packets;
    std::transform(state.counters.begin(), state.counters.end(), rules(), rules(), std::plus<>());
  }

  // As if nothing had been written.
  void forget() const {
    std::fill_n(counts(), program_.neurons(), 0);
    result_.events[sample_] = {};
    std::fill_n(rules(), result_.rules.size() / request_.samples, 0);
  }

 private:
  std::int64_t* counts() const { return result_.counts.data() + sample_ * program_.neurons(); }
  std::uint64_t* rules() const {
    return result_.rules.data() + sample_ * (result_.rules.size() / request_.samples);
  }

  // The parameter's values become an array of the sample's own.
  void override_params(State& state, std::vector<S>& set) const {
    for (const Override& change : request_.overrides) {
      Entry<S>& entry = state.entries[change.param];
      if (entry.values != set.data() || set.empty()) {
        set.resize(program_.neurons());
        for (std::int32_t i = 0; i < program_.neurons(); ++i) set[i] = entry.values[entry.per_neuron ? i : 0];
        entry = {set.data(), nullptr, true};
      }
      for (std::size_t k = 0; k < change.neurons.size(); ++k) {
        const std::size_t at = sample_ * change.neurons.size() + k;
        if constexpr (std::is_floating_point_v<S>)
          set[change.neurons[k]] = change.reals[at];
        else
          set[change.neurons[k]] = static_cast<S>(change.values[at]);
      }
    }
  }

  void count_all(const State& state, std::int64_t t, SpikeTally& tally) const {
    for (const Window& window : windows_) {
      if (t < window.begin || t - window.begin >= request_.window) continue;
      cores_.add_fired(state, tally.of_neuron.data(), std::max(window.first, state.part.first_neuron),
                       std::min(window.end, state.part.last_neuron));
    }
    if (++tally.ticks == std::numeric_limits<std::uint8_t>::max()) add(tally);
  }

  void add(SpikeTally& tally) const {
    std::transform(tally.of_neuron.begin(), tally.of_neuron.end(), counts(), counts(), std::plus<>());
    std::fill(tally.of_neuron.begin(), tally.of_neuron.end(), std::uint8_t{0});
    tally.ticks = 0;
  }

  void count_each(const State& state, std::int64_t t) const {
    std::int64_t* const of_neuron = counts();
    for (const Spike& spike : state.fired) {
      const std::int64_t since = t - request_.depths[spike.neuron];
      of_neuron[spike.neuron] += since >= 0 && since < request_.window ? spike.n : 0;
    }
  }

  void list(const State& state, std::int64_t t, std::vector<SpikeRow>& spikes) const {
    if (request_.traced.empty()) return;
    const SpikeRow row{static_cast<std::int32_t>(sample_), static_cast<std::int32_t>(t), 0};
    for (const Spike& spike : state.fired)
      if (request_.traced[spike.neuron] != 0)
        spikes.insert(spikes.end(), spike.n, {row.sample, row.tick, spike.neuron});
  }

  void record(const State& state, std::int64_t t) const {
    for (std::size_t k = 0; k < request_.probes.size(); ++k) {
      const RegisterProbe& probe = request_.probes[k];
      const std::size_t row = (sample_ * request_.ticks + t) * probe.neurons.size();
      copy(state, probe.element, probe.neurons, typed<S>(result_.probes[k]).data() + row);
    }
    for (std::size_t k = 0; k < request_.readings.size(); ++k) {
      const RegisterReading& reading = request_.readings[k];
      if (reading.tick != t) continue;
      copy(state, reading.element, reading.neurons,
           typed<S>(result_.readings[k]).data() + sample_ * reading.neurons.size());
    }
  }

  void copy(const State& state, int element, const Ints& neurons, S* out) const {
    const S* values = state.registers.data() + std::size_t(element) * program_.neurons();
    for (std::size_t i = 0; i < neurons.size(); ++i)
      if (state.part.has_neuron(neurons[i])) out[i] = values[neurons[i]];
  }

  const Cores<S, Sum>& cores_;
  const Program& program_;
  const RunRequest& request_;
  const std::vector<Window>& windows_;
  std::int64_t sample_;
  RunResult& result_;
};

}  // namespace spikeloom
