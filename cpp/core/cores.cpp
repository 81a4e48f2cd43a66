#include "core/cores.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "core/finding.hpp"
#include "synapse/bit_range.hpp"

namespace spikeloom {
namespace {

constexpr std::size_t at_a_time = 64;  // flags that are written

// exact[i] = reg[i] + sums[i] 2^shift, and sums[i] = 0.
template <class S, class Lane, class Sum>
struct Arrive {
  SPIKELOOM_INLINE static void run(Lane* exact, const S* reg, Sum* sums, int count, int shift) {
    SPIKELOOM_INDEPENDENT
    for (int i = 0; i < count; ++i) {
      if constexpr (std::is_floating_point_v<Sum>)
        exact[i] = reg[i] + sums[i];
      else
        exact[i] = static_cast<Lane>(reg[i]) + (static_cast<Lane>(sums[i]) << shift);
      sums[i] = Sum{};
    }
  }
};

// Blocks of a part's neurons, ascending. Where a write may trap none crosses a core, so that the first trap
// is that of the first core.
std::vector<std::pair<std::int32_t, int>> blocks_of(const Program& program, const Part& part) {
  const auto& registers = program.spec.registers;
  const bool by_core =
      std::any_of(registers.begin(), registers.end(), [](const auto& r) { return r.rule == Rule::trap; });
  const Ints starts = by_core ? program.core_neuron_start : Ints{part.first_neuron, part.last_neuron};
  std::vector<std::pair<std::int32_t, int>> blocks;
  for (std::size_t k = 0; k + 1 < starts.size(); ++k)
    for (std::int32_t first = starts[k]; first < starts[k + 1] && part.has_neuron(first); first += block_size)
      blocks.emplace_back(first, std::min(block_size, starts[k + 1] - first));
  return blocks;
}

template <class S, class Lane, class Sum>
void arrive(const Block<S>& block, const Target& target, Sum* sums, int shift, Level level) {
  S* const reg = block.reg(target.element);
  const auto add = kernel<Arrive<S, Lane, Sum>>(level);
  if constexpr (std::is_same_v<S, Lane>)
    if (target.rule == Rule::fits) return add(reg, reg, sums + block.first, block.count, shift);
  Lane* exact = block.scratch->template as<Lane>(0);
  add(exact, reg, sums + block.first, block.count, shift);
  block.commit(target, static_cast<const Lane*>(exact), nullptr);
}

}  // namespace

std::vector<std::string> all_counter_names(const Program& program) {
  std::vector<std::string> names = counter_names(program);
  names.push_back("delivery.merge");
  names.push_back("delivery.spikes_max");
  if (program.spec.event) names.insert(names.end(), {"fifo.drop", "fifo.unsettled"});
  return names;
}

template <class S, class Sum>
Cores<S, Sum>::Cores(const Program& program, const std::shared_ptr<const Fans>& fans,
                     const std::vector<Interval>& arriving, Level level)
    : program_(program),
      synapses_(program, fans, level),
      soma_(program, arriving, level),
      level_(level),
      aliased_(has_aliases(program)),
      find_spikes_(kernel<FindSet>(level)),
      flag_lines_(flag_lines(level)),
      list_lines_(kernel<ListLines>(level)),
      count_range_(kernel<CountRange>(level)),
      list_range_(kernel<ListRange>(level)),
      sum_planes_(kernel<SumPlanes>(level)),
      add_flags_(kernel<AddFlags>(level)),
      fans_(fans_of(program.neuron_fan_start)),
      line_fans_(fans_of(program.input_fan_start)) {
  find_leaky_pass();
  if constexpr (std::is_same_v<S, std::int32_t>)
    if (program.spec.accumulate_each) each_ = std::make_unique<const EachAddition>(program, soma_, level);
  const auto& registers = program.spec.registers;
  always_write_ = std::any_of(program.into.begin(), program.into.end(),
                              [&](int element) { return registers[element].rule == Rule::wrap_lava24; });
}

template <class S, class Sum>
CoreState<S, Sum> Cores<S, Sum>::fresh(const Part& part, const Fans* fans) const {
  State state;
  state.part = part;
  state.blocks = blocks_of(program_, part);
  state.registers.resize(program_.spec.registers.size() * std::size_t(program_.neurons()));
  state.synapses = synapses_.fresh(part, fans);
  state.lines.resize(program_.inputs() + set_slack);
  state.line_flags.resize(program_.inputs() + at_a_time + flag_slack);
  state.line_bits.resize(program_.inputs() / 64 + 1);
  state.counters.resize(all_counter_names(program_).size());
  const bool at_once = aliased_ || soma_.linear_pass() != nullptr;
  state.spikes.resize(at_once ? program_.neurons() : block_size);
  state.spiking.resize((part.neurons() + block_size - 1) / block_size);
  if (leaky_pass_ != nullptr) {
    const bool whole = part.first_neuron == 0 && part.last_neuron == program_.neurons();
    state.programmed = whole ? tables_ : tables_of(soma_.entries().entries(), part);
    state.fired_bits.resize((program_.neurons() + 63) / 64);
    state.found.resize(part.neurons() + set_slack);
    state.flags.resize(program_.neurons() + at_a_time + flag_slack);
  }
  reset(state);
  return state;
}

template <class S, class Sum>
void Cores<S, Sum>::reset(State& state, const Trial& trial) const {
  state.trial = trial;
  std::fill(state.registers.begin(), state.registers.end(), S{});
  for (std::size_t element = 0; element < program_.start.size(); ++element)
    std::visit(
        [&](const auto& values) {
          std::transform(values.begin(), values.end(), state.registers.begin() + element * program_.neurons(),
                         [](auto value) { return static_cast<S>(value) + S{}; });  // no -0
        },
        program_.start[element]);
  synapses_.reset(state.synapses);
  state.entries = soma_.entries().entries();
  state.tables = state.programmed;
  state.narrow.clear();
  std::fill(state.counters.begin(), state.counters.end(), 0);
  state.fired.clear();
  state.fifo.clear();
  state.events = {};
}

template <class S, class Sum>
void Cores<S, Sum>::update(State& state, std::int64_t t) const {
  if (leaky_pass_ != nullptr) return update_in_one_pass(state, t);
  std::uint64_t* const merges = state.counters.data() + program_.spec.registers.size();
  Scratch scratch;
  state.fired.clear();
  bool any = false;
  if (each_ == nullptr)
    any = synapses_.collect(state.synapses, t, {merges, merges + 1}, state.trial) || always_write_;
  else
    add_each(state, block_of(state, 0, program_.neurons(), t, scratch), t, {merges, merges + 1});
  if (soma_.linear_pass() != nullptr) {
    run_linear_pass(state, *soma_.linear_pass(), t, any, scratch);
    return synapses_.finish(state.synapses, t);
  }
  if (aliased_) std::fill(state.spikes.begin(), state.spikes.end(), 0);
  for (const auto& [first, count] : state.blocks) {
    const Block<S> block = block_of(state, first, count, t, scratch);
    if (!aliased_) std::fill_n(block.spikes, block.count, 0);
    if (any) accumulate(state, block, t);
    soma_.update(block);
    if (!aliased_) collect(state, block);
  }
  if (aliased_) collect(state, block_of(state, state.part.first_neuron, state.part.neurons(), t, scratch));
  synapses_.finish(state.synapses, t);
}

template <class S, class Sum>
Block<S> Cores<S, Sum>::block_of(State& state, std::int32_t first, int count, std::int64_t t,
                                 Scratch& scratch) const {
  return {first,
          count,
          state.registers.data(),
          program_.neurons(),
          state.entries.data(),
          state.spikes.data() + (aliased_ ? first : 0),
          state.counters.data(),
          &scratch,
          &soma_.rules(),
          t,
          state.trial};
}

template <class S, class Sum>
void Cores<S, Sum>::add_each(State& state, const Block<S>& chip, std::int64_t t,
                             MergeCounters counters) const {
  if constexpr (std::is_same_v<S, std::int32_t>)
    for (const Arrival& spikes : synapses_.due(state.synapses, t, counters))
      state.synapses.additions += each_->add(chip, spikes);
}

template <class S, class Sum>
void Cores<S, Sum>::accumulate(State& state, const Block<S>& block, std::int64_t t) const {
  for (std::int32_t receptor = 0; receptor < program_.receptors(); ++receptor)
    accumulate_at(state, block, t, receptor);
}

template <class S, class Sum>
void Cores<S, Sum>::accumulate_at(State& state, const Block<S>& block, std::int64_t t,
                                  std::int32_t receptor) const {
  Sum* const sums = synapses_.sums(state.synapses, t, receptor);
  const Target& target = soma_.delivery(receptor);
  const int shift = program_.weights.shift;
  if constexpr (std::is_floating_point_v<S>)
    arrive<S, double>(block, target, sums, shift, level_);
  else if (soma_.narrow_delivery(receptor) && sizeof(Sum) <= 4)
    arrive<S, std::int32_t>(block, target, sums, shift, level_);
  else
    arrive<S, std::int64_t>(block, target, sums, shift, level_);
}

template <class S, class Sum>
void Cores<S, Sum>::collect(State& state, const Block<S>& block) const {
  std::int32_t found[block_size + set_slack];
  for (int from = 0; from < block.count; from += block_size) {
    const int count = std::min(block_size, block.count - from);
    const int n = find_spikes_(found, block.spikes + from, count);
    for (int k = 0; k < n; ++k) {
      const std::int32_t spikes = block.spikes[from + found[k]];
      state.fired.push_back({block.first + from + found[k], spikes});
      state.events.spikes += spikes;
    }
  }
}

template class Cores<std::int32_t, std::int16_t>;
template class Cores<std::int32_t, std::int32_t>;
template class Cores<std::int32_t, std::int64_t>;
template class Cores<double, double>;

}  // namespace spikeloom
