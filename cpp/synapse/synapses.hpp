// The synapse stage: from spikes on axons to the sum that arrives at each receptor in a tick.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/level.hpp"
#include "program/program.hpp"
#include "synapse/dense.hpp"
#include "synapse/fans.hpp"
#include "synapse/noisy.hpp"
#include "synapse/rows.hpp"

namespace spikeloom {

// n spikes on one axon.
struct Arrival {
  std::int32_t axon;
  std::int64_t n;
};

// Spikes of input lines, or of neurons, in ascending order.
struct Spikes {
  std::span<const Spike> list;
  // Where known, a byte for each of them all: 1 where it has one spike, else 0; behind these `flag_slack`
  // more.
  const std::uint8_t* flags = nullptr;
  bool several = true;  // one of them may have several spikes
  // Where they are not listed: bit i % 64 of bits[i / 64] is flag i. None has several spikes then, and there
  // are packed fans.
  const std::uint64_t* bits = nullptr;
};

// Everything of the synapse stage that changes; one a sample.
template <class Sum>
struct SynapseState {
  Part part;                                        // of the chip, whose synapses these are
  const Fans* fans = nullptr;                       // of the part, where spikes add at emission
  Table<Sum> sums;                                  // [slot][receptor][neuron]
  std::vector<std::uint8_t> dirty;                  // slots that hold something
  std::vector<std::int64_t> counts;                 // [slot][axon]: spikes kept until they are due
  std::vector<std::vector<std::int32_t>> arrivals;  // [slot]: axons with a count
  std::int64_t additions = 0;                       // synaptic operations so far
  // Of the last call of collect(), where spikes are kept until they are due.
  std::vector<std::int32_t> due;  // axons
  std::vector<Row> delivered;
  // Scratch of one call of arrive(): rows that spiked, by group, and their number.
  std::vector<std::int64_t> places, found;
  std::vector<std::uint8_t> flags;   // of a segment's sources
  std::vector<Spike> listed;         // likewise, that spiked
  std::vector<std::uint16_t> marks;  // scratch of add_gather
};

// Merged spikes that a limit cut, by rule.
struct MergeCounters {
  std::uint64_t* merged;   // "or": counted once instead of n times
  std::uint64_t* limited;  // more than spikes_max
};

// Two ways to the same sums. Where it may (`adds_at_emission`), a spike adds its rows at once into the ticks
// when it is due. Otherwise spikes wait, and the rows of a tick are added axon by axon in the order of the
// contract.
template <class Sum>
class Synapses {
 public:
  // `fans` are the packed_fans of the program, which may be shared.
  Synapses(const Program& program, std::shared_ptr<const Fans> fans, Level level);
  // For a part of the chip: spikes of all neurons arrive, and what they add to the neurons of the part is
  // added.
  SynapseState<Sum> fresh(const Part& part, const Fans* fans) const;
  SynapseState<Sum> fresh() const { return fresh(whole_chip(program_), fans()); }
  void reset(SynapseState<Sum>& state) const;

  // Spikes of input lines, or of neurons, reach their axons at tick `arrival`; runs that are due at or after
  // `end` are left out.
  void arrive_from_lines(SynapseState<Sum>& state, const Spikes& spikes, std::int64_t arrival,
                         std::int64_t end) const;
  void arrive_from_neurons(SynapseState<Sum>& state, const Spikes& spikes, std::int64_t arrival,
                           std::int64_t end) const;
  // One spike reaches one axon.
  void arrive_on_axon(SynapseState<Sum>& state, std::int32_t axon, std::int64_t arrival,
                      std::int64_t end) const;
  // Makes the sums of tick t final. True where there may be one that is not 0.
  bool collect(SynapseState<Sum>& state, std::int64_t t, MergeCounters counters, const Trial& trial) const;
  // After collect(), where spikes are kept until they are due: adds the sums that it made to the registers of
  // their receptors and sets them to 0, target by target. False, and nothing done, where that takes longer
  // than to go through all neurons.
  bool add_where_due(SynapseState<Sum>& state, Sum* const* registers) const;
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
  const Fans* fans() const { return fans_.get(); }  // of the whole chip; null where spikes wait

 private:
  // Input lines or neurons: their axons in the program, and their number in the packed fans.
  struct Side {
    const Ints& start;
    const Ints& axon;
    std::int64_t first;
  };
  Side lines() const { return {program_.input_fan_start, program_.input_fan_axon, 0}; }
  Side neurons() const { return {program_.neuron_fan_start, program_.neuron_fan_axon, program_.inputs()}; }
  void arrive(SynapseState<Sum>& state, const Side& side, const Spikes& spikes, std::int64_t arrival,
              std::int64_t end) const;
  void prefetch_row(const Axon& axon) const;
  void keep(SynapseState<Sum>& state, const Arrival& spikes, std::int64_t arrival) const;
  void add_one(SynapseState<Sum>& state, const Arrival& spikes, std::int64_t arrival, std::int64_t end) const;
  void add_spikes(SynapseState<Sum>& state, const Side& side, const Spikes& spikes, std::int64_t arrival,
                  std::int64_t end) const;
  bool add_listed(SynapseState<Sum>& state, const Side& side, const Spikes& spikes, std::int64_t arrival,
                  std::int64_t end) const;
  void add_flagged(SynapseState<Sum>& state, const Side& side, const Spikes& spikes, std::int64_t arrival,
                   std::int64_t end) const;
  bool is_gathered(const SynapseState<Sum>& state, const Segment& segment, std::int64_t count) const;
  bool find_rows(SynapseState<Sum>& state, const Side& side, std::span<const Spike> spikes,
                 const Segment& segment) const;
  bool add_found(SynapseState<Sum>& state, const Side& side, const Spikes& spikes, const Segment& segment,
                 std::int64_t arrival, std::int64_t end) const;
  bool find_deliveries(SynapseState<Sum>& state, const Side& side, std::span<const Spike> spikes,
                       std::int64_t arrival, std::int64_t end) const;
  void prefetch(const Fans& fans, const Side& side, std::span<const Spike> spikes, std::size_t i) const;
  void add_delivery(SynapseState<Sum>& state, std::int32_t k, std::int64_t arrival, std::int64_t end) const;
  void add_record(SynapseState<Sum>& state, const Delivery& record, std::int64_t arrival,
                  std::int64_t end) const;
  bool add_patches(SynapseState<Sum>& state, const PatchList& list, std::int64_t arrival,
                   std::int64_t end) const;
  bool add_gathered(SynapseState<Sum>& state, const Side& side, const Spikes& spikes, const Segment& segment,
                    std::int64_t arrival) const;
  static bool flag_each(SynapseState<Sum>& state, std::span<const Spike> spikes, std::int64_t first,
                        std::int64_t sources);
  void add_rows(SynapseState<Sum>& state, const RowGroup& group, std::int64_t count, std::int64_t arrival,
                std::int64_t end) const;
  std::int64_t merged(std::int32_t axon, std::int64_t n, MergeCounters counters) const;
  void find_due(const SynapseState<Sum>& state, std::int64_t t, std::vector<std::int32_t>& axons) const;
  void deliver_due(SynapseState<Sum>& state, std::int32_t axon, std::int64_t t, MergeCounters counters,
                   const Trial& trial) const;
  Row row(const Axon& axon, std::int64_t n) const;
  std::int32_t slot(std::int64_t t) const { return static_cast<std::int32_t>(t % slots_); }
  std::int64_t slot_size() const { return std::int64_t{program_.receptors()} * program_.neurons(); }
  Ring<Sum> ring(SynapseState<Sum>& state) const;

  const Program& program_;
  bool at_emission_;
  std::int32_t slots_;  // ticks from the earliest that can still be read to the latest that can be reached
  std::int32_t sum_slots_;  // slots_ at emission, else 1
  AddRow<Sum> add_;
  const void* weights_;
  std::int64_t weight_bytes_;
  std::shared_ptr<const Fans> fans_;  // at emission, and not in event mode
  AddRows<Sum> add_rows_ = nullptr;
  PlaceRows place_rows_ = nullptr;
  AddPatches<Sum> add_patches_ = nullptr;
  AddGather<Sum> add_gather_ = nullptr;
  AddRecord<Sum> add_record_ = nullptr;
  std::int64_t (*count_range_)(const std::uint64_t*, std::int64_t, std::int64_t);
  std::int64_t (*list_range_)(Spike*, const std::uint64_t*, std::int64_t, std::int64_t);
};

}  // namespace spikeloom
