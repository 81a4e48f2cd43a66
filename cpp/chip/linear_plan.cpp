#include "chip/linear_plan.hpp"

#include <algorithm>
#include <limits>

namespace spikeloom {
namespace {

double coefficient(const Program& program, const char* key) {
  const auto found = program.spec.cycles.numbers.find(key);
  return found == program.spec.cycles.numbers.end() ? 0.0 : found->second;
}

Ints owners(const Ints& starts) {
  Ints owner(starts.back());
  for (std::size_t core = 0; core + 1 < starts.size(); ++core)
    std::fill(owner.begin() + starts[core], owner.begin() + starts[core + 1],
              static_cast<std::int32_t>(core));
  return owner;
}

std::vector<AxonLoad> loads_of_axons(const Program& program) {
  const Ints core = owners(program.core_axon_start);
  std::vector<AxonLoad> axons(program.axons());
  for (std::int32_t axon = 0; axon < program.axons(); ++axon)
    axons[axon] = {static_cast<std::int32_t>(program.synapses_of(axon)), core[axon]};
  return axons;
}

Ints sources_of_axons(const Program& program) {
  Ints sources(program.axons());
  for (const Ints* fan : {&program.input_fan_axon, &program.neuron_fan_axon})
    for (const std::int32_t axon : *fan) ++sources[axon];
  return sources;
}

std::vector<double> updates(const Program& program) {
  const double each = coefficient(program, "per_neuron");
  std::vector<double> clocks;
  for (std::size_t core = 0; core + 1 < program.core_neuron_start.size(); ++core)
    clocks.push_back(each * (program.core_neuron_start[core + 1] - program.core_neuron_start[core]));
  return clocks;
}

// Of lines, or of neurons: the axons of either all read equally many spikes.
AxonFans fans_of(const LinearPlan& plan, const Ints& sources, const Ints& start, const Ints& fan) {
  AxonFans fans;
  const auto mark = [&] {
    fans.alone_start.push_back(static_cast<std::int32_t>(fans.alone.size()));
    fans.shared_start.push_back(static_cast<std::int32_t>(fans.shared.size()));
  };
  const auto take = [&](std::int32_t axon) {
    if (sources[axon] > 1) return fans.shared.push_back(axon);
    fans.alone.push_back(plan.axons[axon]);
    fans.most = most_read(plan.program, axon);
  };
  mark();
  for (std::size_t source = 0; source + 1 < start.size(); ++source) {
    for (std::int32_t i = start[source]; i < start[source + 1]; ++i) take(fan[i]);
    mark();
  }
  return fans;
}

}  // namespace

LinearPlan::LinearPlan(const Program& loaded)
    : program(loaded),
      fixed(coefficient(loaded, "fixed")),
      per_axon(coefficient(loaded, "per_axon")),
      per_event(coefficient(loaded, "per_event")),
      per_spike(coefficient(loaded, "per_spike")),
      axons(loads_of_axons(loaded)),
      core_of_neuron(owners(loaded.core_neuron_start)),
      update(updates(loaded)) {
  const Ints sources = sources_of_axons(program);
  of_lines = fans_of(*this, sources, program.input_fan_start, program.input_fan_axon);
  of_neurons = fans_of(*this, sources, program.neuron_fan_start, program.neuron_fan_axon);
}

std::int64_t most_read(const Program& program, std::int32_t axon) {
  return program.spikes_max(axon).value_or(std::numeric_limits<std::int64_t>::max());
}

}  // namespace spikeloom
