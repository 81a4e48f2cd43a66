// The synapse stage: from spikes on axons to the sum that arrives at each receptor in a tick.
#pragma once

#include <cstdint>
#include <vector>

#include "base/level.hpp"
#include "program/program.hpp"
#include "synapse/dense.hpp"
#include "synapse/noisy.hpp"
#include "synapse/rows.hpp"

namespace spikeloom {

// n spikes on one axon.
struct Arrival {
  std::int32_t axon;
  std::int64_t n;
};

// Everything of the synapse stage that changes; one a sample.
template <class Sum>
struct SynapseState {
  std::vector<Sum> sums;                            // [slot][receptor][neuron]
  std::vector<std::uint8_t> dirty;                  // slots that hold something
  std::vector<std::int64_t> counts;                 // [slot][axon]: spikes kept until they are due
  std::vector<std::vector<std::int32_t>> arrivals;  // [slot]: axons with a count
  std::int64_t additions = 0;                       // synaptic operations so far
  std::vector<Arrival> arriving;                    // what the next arrive() takes
  std::vector<std::int64_t> offsets;                // scratch: first weights of a group of rows
};

// Merged spikes that a limit cut, by rule.
struct MergeCounters {
  std::uint64_t* merged;   // "or": counted once instead of n times
  std::uint64_t* limited;  // more than spikes_max
};

// Two ways to the same sums. Where no merging rule needs all spikes of an axon first and the sum is one of
// integers, a spike adds its row at once into the ticks when it is due (`at_emission`). Otherwise spikes
// wait, and the rows of a tick are added axon by axon in the order of the contract.
template <class Sum>
class Synapses {
 public:
  Synapses(const Program& program, Level level);
  SynapseState<Sum> fresh() const;
  void reset(SynapseState<Sum>& state) const;

  // All spikes of state.arriving reach their axons at tick `arrival`, and the list is emptied; runs that are
  // due at or after `end` are left out.
  void arrive(SynapseState<Sum>& state, std::int64_t arrival, std::int64_t end) const;
  // Makes the sums of tick t final. True where there may be one that is not 0.
  bool collect(SynapseState<Sum>& state, std::int64_t t, MergeCounters counters, const Trial& trial) const;
  // Instead of collect() where every addition is a write: what is due in tick t, in the order in which it is
  // added. There are no delays then.
  std::vector<Arrival> due(const SynapseState<Sum>& state, std::int64_t t, MergeCounters counters) const;
  // Sums of tick t at one receptor, one a neuron. The reader sets them to 0.
  Sum* sums(SynapseState<Sum>& state, std::int64_t t, std::int32_t receptor) const;
  // Event mode: what one axon's row, or one synapse of it, adds is in sums(state, 0, receptor) at once.
  void add_row_now(SynapseState<Sum>& state, std::int32_t axon) const;
  void add_synapse_now(SynapseState<Sum>& state, std::int32_t neuron, std::int64_t weight,
                       std::int32_t receptor) const;
  // Forgets what tick t used.
  void finish(SynapseState<Sum>& state, std::int64_t t) const;

  std::int32_t slots() const { return slots_; }

 private:
  void add_one(SynapseState<Sum>& state, const Arrival& spikes, std::int64_t arrival, std::int64_t end) const;
  void prefetch(const std::vector<Arrival>& arriving, std::size_t i) const;
  std::size_t group_end(const std::vector<Arrival>& arriving, std::size_t first) const;
  void add_group(SynapseState<Sum>& state, std::size_t first, std::size_t last, std::int64_t arrival,
                 std::int64_t end) const;
  void keep(SynapseState<Sum>& state, const Arrival& spikes, std::int64_t arrival) const;
  std::int64_t merged(std::int32_t axon, std::int64_t n, MergeCounters counters) const;
  std::vector<std::int32_t> due_axons(const SynapseState<Sum>& state, std::int64_t t) const;
  void deliver_due(SynapseState<Sum>& state, std::int32_t axon, std::int64_t t, MergeCounters counters,
                   const Trial& trial) const;
  Row row(const Axon& axon, std::int64_t n) const;
  std::int32_t slot(std::int64_t t) const { return static_cast<std::int32_t>(t % slots_); }
  Ring<Sum> ring(SynapseState<Sum>& state) const;

  const Program& program_;
  bool at_emission_;
  std::int32_t slots_;  // ticks from the earliest that can still be read to the latest that can be reached
  std::int32_t sum_slots_;  // slots_ at emission, else 1
  AddRow<Sum> add_;
  AddRows<Sum> add_rows_;
  const void* weights_;
  std::int64_t weight_bytes_;
  bool groups_;  // rows of one shape are added together
  bool large_;   // its rows do not fit a cache
};

}  // namespace spikeloom
