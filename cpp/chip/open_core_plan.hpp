// A program as the memories of open_core hold it, as far as clocks depend on it.
#pragma once

#include <cstdint>
#include <vector>

#include "program/program.hpp"

namespace spikeloom {

struct OpenCorePlan {
  // ProgramError where a core, its axons or their delays do not fit.
  explicit OpenCorePlan(const Program& program);

  std::int32_t cores() const { return static_cast<std::int32_t>(program.core_neuron_start.size()) - 1; }
  std::int32_t update_clocks() const { return neurons + stages - 1; }
  bool ends_core(std::int32_t core, std::int32_t axon) const {
    return axon == program.core_axon_start[core + 1];
  }

  const Program& program;
  std::int32_t neurons, axons;  // of a core
  std::int32_t lanes, slots;
  std::int32_t output_fifo, receive_fifo;
  std::int32_t width, height, buffer;  // of the mesh
  std::int32_t stages;                 // of the update
  std::int32_t fire_stage;
  Ints core_of_axon;
  Ints most;         // [axon] largest spike count
  Ints delay;        // [axon] ticks
  Longs words;       // [axon] words of synapses in its row
  Longs row_clocks;  // [axon] clocks of one spike: a header a run, and the words
  Longs events;      // [axon] synapses that are not 0

 private:
  void read_row(std::int32_t core, std::int32_t axon);
};

}  // namespace spikeloom
