// Neighbouring cores of a chip: what one of several threads computes.
#pragma once

#include <cstdint>
#include <vector>

#include "program/program.hpp"

namespace spikeloom {

// Their neurons [first_neuron, last_neuron), and the axons that reach them. Spikes of any neuron arrive
// there.
struct Part {
  std::int32_t first_neuron = 0, last_neuron = 0;
  std::int32_t first_axon = 0, last_axon = 0;

  int neurons() const { return last_neuron - first_neuron; }
  bool has_neuron(std::int64_t neuron) const { return neuron >= first_neuron && neuron < last_neuron; }
  bool has_axon(std::int32_t axon) const { return axon >= first_axon && axon < last_axon; }
};

Part whole_chip(const Program& program);

// At most `most` parts of about equal work; at least one.
std::vector<Part> parts_of(const Program& program, std::int64_t most);

}  // namespace spikeloom
