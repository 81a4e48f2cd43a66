#include "chip/open_core_plan.hpp"

#include <algorithm>

#include "chip/core_sizes.hpp"

namespace spikeloom {
namespace {

bool is_firing(const OperationSpec& operation) {
  return operation.op == "fire" || operation.op == "fire2" || operation.op == "multi_fire";
}

// Stage 0 reads; operation k is stage k + 1.
std::int32_t firing_stage(const std::vector<OperationSpec>& list) {
  const auto found = std::find_if(list.begin(), list.end(), is_firing);
  return static_cast<std::int32_t>(found - list.begin()) + 1;
}

// Words of one run, and stretches of consecutive words, which are the runs of the core.
struct Stretches {
  std::int64_t words = 0, stretches = 0;
};

Stretches stretches_of(const Program& program, const Run& run, std::int32_t first_target,
                       std::int32_t lanes) {
  if (run.index < 0) {
    const std::int32_t first = first_target / lanes, last = (first_target + run.length - 1) / lanes;
    return {last - first + 1, 1};
  }
  Stretches found;
  std::int32_t before = -2;
  for (std::int64_t k = run.index; k < run.index + run.length; ++k) {
    const std::int32_t word = (first_target + program.index_target[k]) / lanes;
    found.words += word != before;
    found.stretches += word > before + 1;
    before = word;
  }
  return found;
}

std::int64_t nonzero(const Weights& weights, std::int64_t first, std::int64_t length) {
  return std::visit(
      [&](const auto& values) -> std::int64_t {
        return std::count_if(values.begin() + first, values.begin() + first + length,
                             [](auto value) { return value != 0; });
      },
      weights.values);
}

}  // namespace

OpenCorePlan::OpenCorePlan(const Program& loaded)
    : program(loaded),
      neurons(cycle_number(loaded, "neurons")),
      axons(cycle_number(loaded, "axons")),
      lanes(cycle_number(loaded, "lanes")),
      slots(cycle_number(loaded, "slots")),
      output_fifo(cycle_number(loaded, "output_fifo")),
      receive_fifo(cycle_number(loaded, "receive_fifo")),
      width(cycle_number(loaded, "width")),
      height(cycle_number(loaded, "height")),
      buffer(cycle_number(loaded, "buffer")),
      stages(static_cast<std::int32_t>(loaded.spec.operations.size()) + 2),
      fire_stage(firing_stage(loaded.spec.operations)) {
  check_core_sizes(program);
  const std::size_t n = program.axon_rows.size();
  core_of_axon.resize(n);
  most.resize(n);
  delay.resize(n);
  words.resize(n);
  row_clocks.resize(n);
  events.resize(n);
  for (std::int32_t core = 0; core < cores(); ++core)
    for (std::int32_t axon = program.core_axon_start[core]; !ends_core(core, axon); ++axon) {
      core_of_axon[axon] = core;
      read_row(core, axon);
    }
}

void OpenCorePlan::read_row(std::int32_t core, std::int32_t axon) {
  const Axon& row = program.axon_rows[axon];
  delay[axon] = delay_of_axon(program, axon);
  const std::int64_t counted = (std::int64_t{1} << cycle_number(program, "count_bits")) - 1;
  most[axon] = static_cast<std::int32_t>(std::min(program.spikes_max(axon).value_or(counted), counted));
  for (std::int32_t r = row.first_run; r < row.last_run; ++r) {
    const Run& run = program.runs[r];
    const std::int32_t first = row.target + run.target - program.core_neuron_start[core];
    const Stretches found = stretches_of(program, run, first, lanes);
    words[axon] += found.words;
    row_clocks[axon] += found.words + found.stretches;
    events[axon] += nonzero(program.weights, row.weight + run.weight, run.length);
  }
}

}  // namespace spikeloom
