#include "program/part.hpp"

#include <algorithm>

namespace spikeloom {
namespace {

// Few synapses see a spike in a tick: the update of a neuron takes about as long as what so many of them add.
constexpr std::int64_t synapses_per_neuron = 64;

// Synapses that each core is reached by, a shared row as often as it is read.
Longs synapses_of_cores(const Program& program) {
  Longs of_axon(program.axons()), of_core(program.core_axon_start.size() - 1);
  for (const Ints* fan : {&program.input_fan_axon, &program.neuron_fan_axon})
    for (const std::int32_t axon : *fan) of_axon[axon] += program.synapses_of(axon);
  for (std::size_t core = 0; core < of_core.size(); ++core)
    for (std::int32_t k = program.core_axon_start[core]; k < program.core_axon_start[core + 1]; ++k)
      of_core[core] += of_axon[k];
  return of_core;
}

// Work of the cores before each core, and of all.
Longs work_before(const Program& program) {
  const Longs synapses = synapses_of_cores(program);
  Longs before{0};
  for (std::size_t core = 0; core < synapses.size(); ++core) {
    const std::int64_t neurons = program.core_neuron_start[core + 1] - program.core_neuron_start[core];
    before.push_back(before.back() + synapses[core] + synapses_per_neuron * neurons);
  }
  return before;
}

// The core boundary whose work before it is nearest to a share.
std::size_t nearest_to(std::int64_t share, const Longs& before) {
  const auto above = std::lower_bound(before.begin(), before.end() - 1, share);
  const bool below_is_nearer = above != before.begin() && share - above[-1] < *above - share;
  return static_cast<std::size_t>(above - before.begin()) - below_is_nearer;
}

Part of_cores(const Program& program, std::size_t first, std::size_t last) {
  return {program.core_neuron_start[first], program.core_neuron_start[last], program.core_axon_start[first],
          program.core_axon_start[last]};
}

}  // namespace

Part whole_chip(const Program& program) {
  return of_cores(program, 0, program.core_neuron_start.size() - 1);
}

std::vector<Part> parts_of(const Program& program, std::int64_t most) {
  const Longs before = work_before(program);
  std::vector<Part> parts;
  std::size_t first = 0;
  for (std::int64_t k = 1; k <= most; ++k) {
    const std::size_t last = k == most ? before.size() - 1 : nearest_to(before.back() * k / most, before);
    if (last <= first) continue;
    parts.push_back(of_cores(program, first, last));
    first = last;
  }
  return parts;
}

}  // namespace spikeloom
