#include "core/each.hpp"

#include <algorithm>

namespace spikeloom {
namespace {

// exact[i] = reg[i] + weights[i] 2^shift.
template <class Lane, class Stored>
struct AddWeights {
  SPIKELOOM_INLINE static void run(Lane* exact, const std::int32_t* reg, const Stored* weights, int count,
                                   int shift) {
    SPIKELOOM_INDEPENDENT
    for (int i = 0; i < count; ++i)
      exact[i] = static_cast<Lane>(reg[i]) + (static_cast<Lane>(weights[i]) << shift);
  }
};

void add_once(const Block<std::int32_t>& chip, const Target& target, std::int32_t neuron,
              std::int64_t weight) {
  std::int32_t& reg = chip.reg(target.element)[neuron];
  bool acted = false, trapped = false;
  const std::int64_t exact = reg + weight;
  reg = through_rule(target, exact, acted, trapped);
  if (trapped) throw Trapped{neuron, target.element, exact};
  if (target.counter >= 0) chip.counters[target.counter] += acted;
}

Interval reach_of(const Weights& weights) {
  return std::visit(
      [&](const auto& values) -> Interval {
        if (values.empty()) return {0, 0};
        const auto [lo, hi] = std::minmax_element(values.begin(), values.end());
        const std::int64_t unit = std::int64_t{1} << weights.shift;
        return multiply({static_cast<std::int64_t>(*lo), static_cast<std::int64_t>(*hi)}, {unit, unit});
      },
      weights.values);
}

bool fit_together(const Program& program) {
  const Interval weight = reach_of(program.weights);
  return std::all_of(program.into.begin(), program.into.end(), [&](int element) {
    return add(register_range(program.spec.registers[element]), weight).within(int32_range);
  });
}

}  // namespace

EachAddition::EachAddition(const Program& program, const Soma<std::int32_t>& soma, Level level)
    : program_(program),
      soma_(soma),
      level_(level),
      narrow_(program.spec.accumulate_each && fit_together(program)) {}

std::int64_t EachAddition::add(const Block<std::int32_t>& chip, const Arrival& spikes) const {
  const Axon& axon = program_.axon_rows[spikes.axon];
  std::int64_t additions = 0;
  std::visit(
      [&](const auto& values) {
        for (std::int32_t r = axon.first_run; r < axon.last_run; ++r) {
          const Run& run = program_.runs[r];
          add_run(chip, axon, run, values.data() + axon.weight + run.weight, spikes.n);
          additions += run.length * spikes.n;
        }
      },
      program_.weights.values);
  return additions;
}

// A dense stretch adds once to each of its neurons, n times: no neuron sees the order. A list may name a
// neuron twice, and the first trap decides the error, so they go one by one.
template <class Stored>
void EachAddition::add_run(const Block<std::int32_t>& chip, const Axon& axon, const Run& run,
                           const Stored* weights, std::int64_t n) const {
  const Target& target = soma_.delivery(run.receptor);
  const std::int32_t first = axon.target + run.target;
  const bool dense = run.index < 0 && target.rule != Rule::trap;
  for (std::int32_t k = 0; dense && k < run.length; k += block_size) {
    Block<std::int32_t> part = chip;
    part.first = first + k;
    part.count = std::min(block_size, run.length - k);
    narrow_ ? add_stretch<std::int32_t>(part, target, weights + k, n)
            : add_stretch<std::int64_t>(part, target, weights + k, n);
  }
  for (std::int32_t k = 0; !dense && k < run.length; ++k) {
    const std::int32_t neuron = first + (run.index < 0 ? k : program_.index_target[run.index + k]);
    const std::int64_t weight = static_cast<std::int64_t>(weights[k]) << program_.weights.shift;
    for (std::int64_t spike = 0; spike < n; ++spike) add_once(chip, target, neuron, weight);
  }
}

template <class Lane, class Stored>
void EachAddition::add_stretch(const Block<std::int32_t>& part, const Target& target, const Stored* weights,
                               std::int64_t n) const {
  Lane* exact = part.scratch->template as<Lane>(0);
  const auto plus = kernel<AddWeights<Lane, Stored>>(level_);
  for (std::int64_t spike = 0; spike < n; ++spike) {
    plus(exact, part.reg(target.element), weights, part.count, program_.weights.shift);
    part.commit(target, static_cast<const Lane*>(exact), nullptr);
  }
}

}  // namespace spikeloom
