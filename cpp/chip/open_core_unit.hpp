// One core of open_core as a state machine: its phases, the update pipeline, SEND and RECEIVE.
#pragma once

#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "chip/cycles.hpp"
#include "chip/open_core_plan.hpp"
#include "noc/mesh.hpp"

namespace spikeloom {

enum Phase : std::int32_t { input_phase, deliver_phase, update_phase, drain_phase, phases };

// Clocks in which something waited, and what was moved; sums over all cores of a chip.
struct OpenCoreCounts {
  std::int64_t several_spikes = 0;  // the firing neuron made more than one
  std::int64_t output_full = 0;     // the firing neuron waits for the output FIFO
  std::int64_t send_blocked = 0;    // a packet waits for the router's local input
  std::int64_t pushed_spikes = 0;   // entries of output FIFOs
  std::int64_t packets = 0;         // taken by local inputs of routers
};

// SCHED of all cores: spike counts by slot and axon.
class Schedule {
 public:
  Schedule(const OpenCorePlan& plan);
  void reset();
  // A write of the core: sat(count + n), at most 1 where spikes are merged.
  void add(std::int64_t tick, std::int32_t axon, std::int64_t n);
  // Calls `take(axon, count)` for every count of a tick that is not 0, and clears it.
  template <class Take>
  void take(std::int64_t tick, const Take& take) {
    Ints& axons = active_[slot(tick)];
    for (const std::int32_t axon : axons) take(axon, std::exchange(counts_[at(tick, axon)], 0));
    axons.clear();
  }
  const Ints& counts() const { return counts_; }
  void restore(Ints counts);

 private:
  std::size_t slot(std::int64_t tick) const { return static_cast<std::size_t>(tick) & (plan_.slots - 1); }
  std::size_t at(std::int64_t tick, std::int32_t axon) const { return slot(tick) * axons_ + axon; }
  const OpenCorePlan& plan_;
  std::int32_t axons_;
  Ints counts_;               // [slot][axon]
  std::vector<Ints> active_;  // [slot] axons whose count is not 0, in any order
};

class OpenCoreUnit {
 public:
  OpenCoreUnit(const OpenCorePlan& plan, std::int32_t core);
  void reset();
  // Starts a tick. Spikes by their neuron's number on the core, ascending.
  // The unit swaps `spikes` for those of the tick before.
  void begin(std::int64_t input_clocks, std::int64_t deliver_clocks, std::vector<PushedSpike>& spikes);

  // Of the state when the clock began:
  Phase phase() const { return phase_; }
  bool done() const {
    return phase_ == drain_phase && output_.empty() && sending_ == Sending::idle && !writing_;
  }
  std::int32_t written() const;
  const Fifo<PushedSpike>& output() const { return output_; }
  // Clocks in which this core decides nothing; 0 where it must be stepped.
  std::int64_t calm(const Fifo<Packet>& received) const;

  // One clock. True where the firing neuron pushed `spike`.
  bool step(std::int64_t tick, Mesh& mesh, Fifo<Packet>& received, Schedule& schedule, OpenCoreCounts& counts,
            PushedSpike& spike);
  void settle() { output_.settle(); }
  void skip(std::int64_t clocks);  // at most what calm() said

  std::int64_t update_clocks() const { return updated_; }  // so far, in this tick

 private:
  void send(Mesh& mesh, OpenCoreCounts& counts);
  void receive(std::int64_t tick, Fifo<Packet>& received, Schedule& schedule);
  bool update(OpenCoreCounts& counts, PushedSpike& spike);
  void pass(std::int64_t clocks);
  bool firing() const {
    return next_spike_ < spikes_.size() && spikes_[next_spike_].neuron + plan_.fire_stage == position_;
  }

  enum class Sending : std::uint8_t { idle, reading, offering };

  const OpenCorePlan& plan_;
  std::int32_t core_;
  Phase phase_ = drain_phase;
  std::int64_t left_ = 0, deliver_clocks_ = 0;  // of INPUT and DELIVER
  std::int64_t position_ = 0;                   // neuron j is in stage position_ - j
  std::int64_t updated_ = 0;                    // clocks of UPDATE, holds included
  std::int64_t stayed_ = 0;                     // clocks that the firing neuron has been in its stage
  std::vector<PushedSpike> spikes_;
  std::size_t next_spike_ = 0;
  Fifo<PushedSpike> output_;
  Sending sending_ = Sending::idle;
  std::int32_t destination_ = 0, last_destination_ = 0, sent_n_ = 0;
  bool writing_ = false;  // RECEIVE is in its second clock
  Packet received_{};
};

inline std::int64_t OpenCoreUnit::calm(const Fifo<Packet>& received) const {
  const bool receives = writing_ || (!received.empty() && phase_ >= update_phase);
  if (receives || sending_ != Sending::idle || !output_.empty()) return 0;
  if (phase_ == drain_phase) return std::numeric_limits<std::int64_t>::max();
  if (phase_ != update_phase) return left_;
  if (next_spike_ == spikes_.size()) return plan_.update_clocks() - position_;
  return spikes_[next_spike_].neuron + plan_.fire_stage - position_;
}

}  // namespace spikeloom
