// A tick whose list is done in one pass.
#include <algorithm>
#include <utility>

#include "core/cores.hpp"

namespace spikeloom {

// Sums that nothing reached are 0, and are added like any.
template <class S, class Sum>
void Cores<S, Sum>::update_in_one_pass(State& state, std::int64_t t) const {
  if constexpr (has_leaky_pass) {
    std::uint64_t* const merges = state.counters.data() + program_.spec.registers.size();
    synapses_.collect(state.synapses, t, {merges, merges + 1}, state.trial);
    Sum* const sums = synapses_.sums(state.synapses, t, 0);
    Scratch scratch;
    const auto [start, end] = std::pair(state.part.first_neuron, state.part.last_neuron);
    for (std::int32_t first = start; first < end; first += block_size)
      leaky_pass_->run(block_of(state, first, std::min(block_size, end - first), t, scratch), sums + first,
                       state.fired_bits.data() + (first - start) / 64, state.flags.data() + first);
    const int n = find_fired_(state.found.data(), state.fired_bits.data(),
                              static_cast<int>(state.fired_bits.size()), start);
    state.fired.assign(state.found.begin(), state.found.begin() + n);
    state.events.spikes += n;
    synapses_.finish(state.synapses, t);
  }
}

// All neurons of the part at once. Where few synapses are due, only their targets are touched before the
// list.
template <class S, class Sum>
void Cores<S, Sum>::run_linear_pass(State& state, const LinearPass<S>& list, std::int64_t t, bool any,
                                    Scratch& scratch) const {
  if constexpr (std::is_floating_point_v<S>) {
    const std::int32_t start = state.part.first_neuron;
    Block<S> block = block_of(state, start, state.part.neurons(), t, scratch);
    S *arriving[LinearPass<S>::most_receptors], *into[LinearPass<S>::most_receptors];
    for (std::int32_t receptor = 0; receptor < program_.receptors(); ++receptor) {
      arriving[receptor] = synapses_.sums(state.synapses, t, receptor) + start;
      into[receptor] = block.reg(program_.into[receptor]) - start;
    }
    const bool dense = any && !synapses_.add_where_due(state.synapses, into);
    list.run(block, dense ? arriving : nullptr, state.spiking.data());
    for (std::size_t k = 0; k < state.spiking.size(); ++k) {
      if (state.spiking[k] == 0) continue;
      const auto first = static_cast<std::int32_t>(k * block_size);
      block.first = start + first;
      block.spikes = state.spikes.data() + first;
      block.count = std::min(block_size, state.part.neurons() - first);
      collect(state, block);
    }
  }
}

template class Cores<std::int32_t, std::int16_t>;
template class Cores<std::int32_t, std::int32_t>;
template class Cores<std::int32_t, std::int64_t>;
template class Cores<double, double>;

}  // namespace spikeloom
