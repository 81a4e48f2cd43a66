#include "synapse/bounds.hpp"

#include <algorithm>
#include <limits>

#include "base/error.hpp"

namespace spikeloom {
namespace {

constexpr std::int64_t far = std::int64_t{1} << 62;

std::vector<std::int64_t> most_spikes_on_axons(const Program& program, std::int64_t most_of_line,
                                               std::int64_t most_of_neuron) {
  std::vector<std::int64_t> most(program.axons(), 0);
  for (const std::int32_t axon : program.input_fan_axon)
    most[axon] = add_or_saturate(most[axon], most_of_line);
  for (const std::int32_t axon : program.neuron_fan_axon)
    most[axon] = add_or_saturate(most[axon], most_of_neuron);
  for (std::int32_t axon = 0; axon < program.axons(); ++axon)
    most[axon] = std::min(most[axon], program.spikes_max(axon).value_or(most[axon]));
  return most;
}

// lo and hi of every neuron of every receptor.
struct Reached {
  std::vector<Interval> of;
  std::int64_t neurons;

  void add(std::int64_t receptor, std::int64_t neuron, std::int64_t most) {
    Interval& interval = of[receptor * neurons + neuron];
    std::int64_t& end = most < 0 ? interval.lo : interval.hi;
    end = add_or_saturate(end, most);
  }
};

template <class Values>
void reach(const Program& program, const Values& weights, const Axon& axon, std::int64_t n,
           Reached& reached) {
  for (std::int32_t r = axon.first_run; r < axon.last_run; ++r) {
    const Run& run = program.runs[r];
    for (std::int32_t k = 0; k < run.length; ++k) {
      const std::int64_t step = run.index < 0 ? k : program.index_target[run.index + k];
      const auto weight = static_cast<std::int64_t>(weights[axon.weight + run.weight + k]);
      reached.add(run.receptor, axon.target + run.target + step, multiply_or_saturate(weight, n));
    }
  }
}

}  // namespace

std::vector<Interval> arriving_bounds(const Program& program, std::int64_t most_of_line,
                                      std::int64_t most_of_neuron) {
  const std::vector<std::int64_t> most = most_spikes_on_axons(program, most_of_line, most_of_neuron);
  Reached reached{std::vector<Interval>(std::size_t(program.receptors()) * program.neurons()),
                  program.neurons()};
  std::visit(
      [&](const auto& weights) {
        for (std::int32_t axon = 0; axon < program.axons(); ++axon)
          if (most[axon] > 0) reach(program, weights, program.axon_rows[axon], most[axon], reached);
      },
      program.weights.values);
  std::vector<Interval> bounds(program.receptors());
  for (std::size_t i = 0; i < reached.of.size(); ++i) {
    Interval& bound = bounds[i / std::max(1, program.neurons())];
    bound = hull(bound, reached.of[i]);
  }
  for (const Interval& bound : bounds)
    if (!bound.within({-(far >> program.weights.shift), far >> program.weights.shift}))
      throw ProgramError("program", "has a neuron whose input of one tick may leave 64 bits",
                         {.remedy = "use smaller weights"});
  return bounds;
}

}  // namespace spikeloom
