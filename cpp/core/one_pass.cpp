// A tick whose list is done in one pass.
#include <algorithm>
#include <utility>

#include "core/cores.hpp"

namespace spikeloom {

template <class S, class Sum>
void Cores<S, Sum>::find_leaky_pass() {
  if constexpr (has_leaky_pass) {
    if (!soma_.leaky_list()) return;
    const LeakyList& list = *soma_.leaky_list();
    const int shift = program_.weights.shift;
    leaky_pass_ = std::make_unique<const LeakyPass<std::int32_t, Sum>>(list, shift, level_);
    if constexpr (has_narrow_pass)
      if (list.narrow)
        narrow_pass_ = std::make_unique<const LeakyPass<std::int16_t, std::int16_t>>(list, shift, level_);
    tables_ = tables_of(soma_.entries().entries(), whole_chip(program_));
  }
}

template <class S, class Sum>
std::shared_ptr<const LeakyTables> Cores<S, Sum>::tables_of(const std::vector<Entry<S>>& entries,
                                                            const Part& part) const {
  auto tables = std::make_shared<LeakyTables>();
  if constexpr (has_leaky_pass) {
    tables->wide = leaky_table_of<std::int32_t>(*soma_.leaky_list(), entries, part);
    if (narrow_pass_ != nullptr)
      tables->narrow = leaky_table_of<std::int16_t>(*soma_.leaky_list(), entries, part);
  }
  return tables;
}

template <class S, class Sum>
void Cores<S, Sum>::override_tables(State& state) const {
  if (leaky_pass_ != nullptr) state.tables = tables_of(state.entries, state.part);
}

template <class S, class Sum>
void Cores<S, Sum>::forget_registers(State& state) const {
  if (narrow_pass_ == nullptr) return;
  const auto v = state.registers.begin() + std::size_t(soma_.leaky_list()->v) * program_.neurons();
  state.narrow.resize(program_.neurons());
  std::transform(v, v + program_.neurons(), state.narrow.begin(),
                 [](S value) { return static_cast<std::int16_t>(value); });
}

template <class S, class Sum>
void Cores<S, Sum>::update_in_one_pass(State& state, std::int64_t t) const {
  if constexpr (has_leaky_pass) {
    std::uint64_t* const merges = state.counters.data() + program_.spec.registers.size();
    synapses_.collect(state.synapses, t, {merges, merges + 1}, state.trial);
    Sum* const sums = synapses_.sums(state.synapses, t, 0);
    const auto pass = [&](const auto& list, auto* v, const auto& table) {
      list.run(v, sums, table, state.part, state.fired_bits.data(), state.flags.data(),
               state.counters.data());
    };
    if constexpr (has_narrow_pass)
      if (!state.narrow.empty()) pass(*narrow_pass_, state.narrow.data(), state.tables->narrow);
    if (state.narrow.empty()) {
      S* const v = state.registers.data() + std::size_t(soma_.leaky_list()->v) * program_.neurons();
      pass(*leaky_pass_, v, state.tables->wide);
    }
    find_fired(state);
    synapses_.finish(state.synapses, t);
  }
}

// Counts who fired, and lists them where their flags are not enough.
template <class S, class Sum>
void Cores<S, Sum>::find_fired(State& state) const {
  const std::uint64_t* const bits = state.fired_bits.data();
  const Part& part = state.part;
  state.number_fired = count_range_(bits, part.first_neuron, part.last_neuron);
  state.events.spikes += state.number_fired;
  state.fired.clear();
  if (!state.lists && state.has_dense_flags() && fans_) return;
  list_range_(state.found.data(), bits, part.first_neuron, part.last_neuron);
  state.fired.assign(state.found.begin(), state.found.begin() + state.number_fired);
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
