// One core with a token controller: one axon a clock, one neuron after the other.
#pragma once

#include <cstdint>
#include <vector>

#include "chip/cycles.hpp"
#include "noc/mesh.hpp"

namespace spikeloom {

enum TokenState : std::int32_t {
  idle_state,
  set_state,
  axons_state,
  write_state,
  check_state,
  clear_state,
  token_states
};

// What a neuron that spikes sends.
struct TokenSpike {
  std::int32_t neuron;  // by its number on the core
  Packet packet;
};

class TokenUnit {
 public:
  TokenUnit(std::int32_t place, std::int32_t neurons, std::int32_t axons)
      : place_(place), neurons_(neurons), axons_(axons) {}

  void reset(std::int64_t pointer);
  // The tick at its edge; false where the core is busy and loses it.
  bool sample(std::int64_t tick);
  // What the neurons of the sampled tick send, ascending; before the first of them is written.
  void give(std::vector<TokenSpike> spikes);

  TokenState state() const;
  std::int32_t neuron() const;  // in its write clock, or -1
  bool busy() const { return position_ >= 0; }
  std::int64_t pointer() const { return pointer_; }  // the tick that the scheduler reads
  std::int64_t tick() const { return tick_; }
  std::int64_t waited() const { return waited_; }  // clocks for the router, in this tick
  std::int64_t tick_clocks() const { return last_position() + waited_; }
  std::int64_t calm() const;

  // One clock. True where it sent `sent`.
  bool step(Mesh& mesh, PushedSpike& sent);
  void skip(std::int64_t clocks);

 private:
  std::int64_t last_position() const { return 2 + std::int64_t{neurons_} * (axons_ + 2); }
  std::int64_t write_position(std::int32_t neuron) const {
    return 2 + std::int64_t{neuron} * (axons_ + 2) + axons_;
  }
  bool sends() const { return next_ < spikes_.size() && write_position(spikes_[next_].neuron) == position_; }

  std::int32_t place_, neurons_, axons_;
  std::int64_t position_ = -1;  // clocks since the sampled tick, without waiting; -1: idle
  std::int64_t tick_ = -1, pointer_ = -1, waited_ = 0;
  std::vector<TokenSpike> spikes_;
  std::size_t next_ = 0;
};

}  // namespace spikeloom
