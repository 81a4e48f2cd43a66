// Spikes on their way: from input lines and neurons to the synapse stage.
#include <algorithm>
#include <cmath>

#include "core/cores.hpp"

namespace spikeloom {
namespace {

constexpr std::int64_t lines_a_spike = 16;  // at most, where lines are not listed

}  // namespace

// [first, last) of the input lines that are due in step t: all in the first step of a tick, or a share of
// them in each, line l of L in step fl(l steps / L).
template <class S, class Sum>
std::pair<std::int32_t, std::int32_t> Cores<S, Sum>::lines_of(std::int64_t t) const {
  const std::int64_t steps = program_.spec.steps, phase = t % steps, lines = program_.inputs();
  if (!program_.spec.spread_input) return {0, phase == 0 ? static_cast<std::int32_t>(lines) : 0};
  const auto begin = [&](std::int64_t step) {
    return static_cast<std::int32_t>((step * lines + steps - 1) / steps);
  };
  return {begin(phase), begin(phase + 1)};
}

template <class S, class Sum>
void Cores<S, Sum>::deliver_inputs(State& state, const std::uint8_t* spikes, std::int64_t t,
                                   std::int64_t end) const {
  const auto [first, last] = lines_of(t);
  const std::uint64_t* const bits = state.line_bits.data();
  const bool several = flag_lines_(state.line_bits.data(), state.line_flags.data(), spikes, first, last);
  const bool all = first == 0 && last == program_.inputs();
  if (all && !several && line_fans_) return deliver_flagged(state, spikes, t, end);
  const int n = list_lines_(state.lines.data(), bits, spikes, first, last);
  const std::span<const Spike> lines(state.lines.data(), n);
  const Ints& start = program_.input_fan_start;
  for (const Spike& line : lines) {
    state.events.input_spikes += line.n;
    state.events.input_packets += std::int64_t{line.n} * (start[line.neuron + 1] - start[line.neuron]);
  }
  synapses_.arrive_from_lines(state.synapses, {lines, all ? state.line_flags.data() : nullptr, several}, t,
                              end);
}

// All lines, of which none has several spikes.
template <class S, class Sum>
void Cores<S, Sum>::deliver_flagged(State& state, const std::uint8_t* spikes, std::int64_t t,
                                    std::int64_t end) const {
  const std::uint64_t* const bits = state.line_bits.data();
  const std::int32_t lines = program_.inputs();
  const std::int64_t number = count_range_(bits, 0, lines);
  state.events.input_spikes += number;
  state.events.input_packets += sum_planes_(bits, *line_fans_);
  Spikes given{{}, state.line_flags.data(), false, bits};
  if (state.lists || number * lines_a_spike <= lines) {
    list_lines_(state.lines.data(), bits, spikes, 0, lines);
    given = {{state.lines.data(), std::size_t(number)}, state.line_flags.data(), false};
  }
  synapses_.arrive_from_lines(state.synapses, given, t, end);
}

// The steps by which a spike of `neuron` comes later (or earlier, but never in its own step): to the nearest.
template <class S, class Sum>
std::int64_t Cores<S, Sum>::jitter(const State& state, std::int32_t neuron, std::int64_t t) const {
  const Jitter& spec = program_.spec.jitter;
  const std::int32_t core = program_.core_of(neuron);
  const Draw draw = noise_draw(state.trial, Stream::jitter, t, core, spec.layer);
  const auto index = static_cast<std::uint32_t>(neuron - program_.core_neuron_start[core]);
  const double shift = std::floor(spec.std * normal_of(words_of(draw, index)[index & 3]) + 0.5);
  return static_cast<std::int64_t>(std::clamp<double>(shift, 1.0 - program_.spec.latency, spec.most));
}

template <class S, class Sum>
void Cores<S, Sum>::send(State& state, std::int64_t t, std::int64_t end) const {
  count_packets(state);
  take_in(state, fired_of(state), t, end);
}

// A list in one pass makes one spike a neuron at most.
template <class S, class Sum>
Spikes Cores<S, Sum>::fired_of(const State& state) const {
  if (state.flags.empty()) return {state.fired};
  const bool listed = state.lists || !state.has_dense_flags() || !fans_;
  return {state.fired, state.flags.data(), false, listed ? nullptr : state.fired_bits.data()};
}

template <class S, class Sum>
void Cores<S, Sum>::count_packets(State& state) const {
  const Ints& start = program_.neuron_fan_start;
  if (state.has_dense_flags() && fans_) {
    state.events.packets += sum_planes_(state.fired_bits.data(), *fans_);
    return;
  }
  for (const Spike& spike : state.fired)
    state.events.packets += std::int64_t{spike.n} * (start[spike.neuron + 1] - start[spike.neuron]);
}

template <class S, class Sum>
void Cores<S, Sum>::take_in(State& state, const Spikes& spikes, std::int64_t t, std::int64_t end) const {
  const std::int64_t arrival = t + program_.spec.latency;
  if (program_.spec.jitter.std <= 0) {
    synapses_.arrive_from_neurons(state.synapses, spikes, arrival, end);
    return;
  }
  for (const Spike& spike : spikes.list)
    synapses_.arrive_from_neurons(state.synapses, {{&spike, 1}}, arrival + jitter(state, spike.neuron, t),
                                  end);
}

template class Cores<std::int32_t, std::int16_t>;
template class Cores<std::int32_t, std::int32_t>;
template class Cores<std::int32_t, std::int64_t>;
template class Cores<double, double>;

}  // namespace spikeloom
