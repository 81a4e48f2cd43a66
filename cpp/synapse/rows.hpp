// Adding rows of synapses into accumulators.
#pragma once

#include <cstdint>
#include <type_traits>

#include "base/level.hpp"
#include "program/program.hpp"

namespace spikeloom {

// Accumulators of the ticks to come: sums[(slot * receptors + receptor) * neurons + neuron].
template <class Sum>
struct Ring {
  Sum* sums;
  std::int64_t neurons;
  std::int32_t receptors;
  std::int32_t slots;
};

// Runs of one axon that get n spikes; `slot` is where a run of delay 0 goes.
struct Row {
  const Run* runs;
  const Run* end;
  std::int64_t target;  // added to every target
  std::int64_t weight;  // added to every weight offset
  std::int64_t n;
  std::int32_t slot;
  std::int64_t longest;  // runs of longer delays come after the run of the program and are left out
};

// Adds n times each weight; returns the number of additions. Integers: n w at once, exact since the caller's
// bounds hold n w in Sum. Real values: n equal additions.
template <class Sum>
using AddRow = std::int64_t (*)(const Ring<Sum>& ring, const Row& row, const void* weights,
                                const std::int32_t* index);

// The kernel for the stored weight type, at one processor level.
template <class Sum>
AddRow<Sum> add_row(const Weights& weights, Level level);

}  // namespace spikeloom
