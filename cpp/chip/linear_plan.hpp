// What the clocks of a program are modelled from: coefficients, and what every axon costs.
#pragma once

#include <cstdint>
#include <vector>

#include "program/program.hpp"

namespace spikeloom {

// What an active axon costs depends on it.
struct AxonLoad {
  std::int32_t synapses = 0;
  std::int32_t core = 0;
};

// The axons of each source. Most have no other source: such an axon's costs are known when it fires, and lie
// together here. Spikes of several sources may meet on the others.
struct AxonFans {
  Ints alone_start, shared_start;  // [source + 1]
  std::vector<AxonLoad> alone;
  Ints shared;            // axons
  std::int64_t most = 1;  // spikes of a source that an axon alone reads in one tick
};

// Coefficients; one that the profile does not state adds nothing, and the report says so.
struct LinearPlan {
  explicit LinearPlan(const Program& program);

  std::int64_t cores() const { return std::ssize(update); }

  const Program& program;
  double fixed, per_axon, per_event, per_spike;
  std::vector<AxonLoad> axons;
  AxonFans of_lines, of_neurons;
  Ints core_of_neuron;
  std::vector<double> update;  // [core] clocks of its neurons in every tick
};

// Spikes of one tick that an axon reads, at most.
std::int64_t most_read(const Program& program, std::int32_t axon);

}  // namespace spikeloom
