// Adding rows of synapses into accumulators.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "base/level.hpp"
#include "program/program.hpp"
#include "synapse/fans.hpp"

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

// Sources that spiked, and the deliveries of their side, all patches here.
struct PatchList {
  const Spike* spikes;
  std::int64_t count;
  const std::int32_t* start;
  const Delivery* deliveries;
  const PatchRun* runs;
};

struct PatchesAdded {
  std::int64_t additions;
  bool several;  // a source has several spikes: it was left out
};

// Adds the runs of all of them; slot and longest as in Row. Marks the slots in `dirty`.
template <class Sum>
using AddPatches = PatchesAdded (*)(const Ring<Sum>& ring, const PatchList& list, std::int32_t slot,
                                    std::int64_t longest, const void* weights, std::uint8_t* dirty);
template <class Sum>
AddPatches<Sum> add_patches(const Weights& weights, Level level);

// sums[targets[k]] += weights[k] for each synapse of a record, packed as PackedSynapses says.
template <class Sum>
using AddRecord = void (*)(Sum* sums, const std::byte* targets, const std::byte* weights,
                           std::int32_t length);
template <class Sum>
AddRecord<Sum> add_record(const Weights& weights, bool short_targets, Level level);

}  // namespace spikeloom
