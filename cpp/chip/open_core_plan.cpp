#include "chip/open_core_plan.hpp"

#include <algorithm>
#include <string>

#include "base/error.hpp"

namespace spikeloom {
namespace {

std::int32_t number(const Program& program, const std::string& key) {
  const auto found = program.spec.cycles.numbers.find(key);
  if (found == program.spec.cycles.numbers.end())
    throw ProfileError("cycles", "lacks a number that the controller open_core needs", {.value = key});
  return static_cast<std::int32_t>(found->second);
}

bool is_firing(const OperationSpec& operation) {
  return operation.op == "fire" || operation.op == "fire2" || operation.op == "multi_fire";
}

// Stage 0 reads; operation k is stage k + 1.
std::int32_t firing_stage(const std::vector<OperationSpec>& list) {
  const auto found = std::find_if(list.begin(), list.end(), is_firing);
  return static_cast<std::int32_t>(found - list.begin()) + 1;
}

void check_size(const Program& program, const Ints& starts, std::int32_t most, const char* what) {
  for (std::size_t core = 0; core + 1 < starts.size(); ++core)
    if (starts[core + 1] - starts[core] > most)
      throw ProgramError(
          "core " + std::to_string(core),
          std::string("has too many ") + what + " for " + program.spec.cycles.controller,
          {.value = std::int64_t{starts[core + 1] - starts[core]}, .limit = std::int64_t{most}});
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
      neurons(number(loaded, "neurons")),
      axons(number(loaded, "axons")),
      lanes(number(loaded, "lanes")),
      slots(number(loaded, "slots")),
      most((1 << number(loaded, "count_bits")) - 1),
      output_fifo(number(loaded, "output_fifo")),
      receive_fifo(number(loaded, "receive_fifo")),
      width(number(loaded, "width")),
      height(number(loaded, "height")),
      buffer(number(loaded, "buffer")),
      stages(static_cast<std::int32_t>(loaded.spec.operations.size()) + 2),
      fire_stage(firing_stage(loaded.spec.operations)) {
  if (cores() > width * height)
    throw ProgramError("program", "has more cores than the mesh has places",
                       {.value = std::int64_t{cores()}, .limit = std::int64_t{width} * height});
  check_size(program, program.core_neuron_start, neurons, "neurons");
  check_size(program, program.core_axon_start, axons, "axons");
  const std::size_t n = program.axon_rows.size();
  core_of_axon.resize(n);
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
  for (std::int32_t r = row.first_run; r < row.last_run; ++r) {
    const Run& run = program.runs[r];
    const std::int32_t first = row.target + run.target - program.core_neuron_start[core];
    const Stretches found = stretches_of(program, run, first, lanes);
    words[axon] += found.words;
    row_clocks[axon] += found.words + found.stretches;
    events[axon] += nonzero(program.weights, row.weight + run.weight, run.length);
    delay[axon] = run.delay;
    if (run.delay != program.runs[row.first_run].delay)
      throw ProgramError("axon " + std::to_string(axon), "has synapses of several delays",
                         {.value = std::int64_t{run.delay}, .remedy = "use one axon for each delay"});
  }
}

}  // namespace spikeloom
