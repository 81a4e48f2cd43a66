#include "chip/core_sizes.hpp"

#include "base/error.hpp"

namespace spikeloom {
namespace {

void check_size(const Program& program, const Ints& starts, std::int32_t most, const char* what) {
  for (std::size_t core = 0; core + 1 < starts.size(); ++core)
    if (starts[core + 1] - starts[core] > most)
      throw ProgramError(
          "core " + std::to_string(core),
          std::string("has too many ") + what + " for " + program.spec.cycles.controller,
          {.value = std::int64_t{starts[core + 1] - starts[core]}, .limit = std::int64_t{most}});
}

}  // namespace

std::int32_t cycle_number(const Program& program, const std::string& key) {
  const auto found = program.spec.cycles.numbers.find(key);
  if (found == program.spec.cycles.numbers.end())
    throw ProfileError("cycles",
                       "lacks a number that the controller " + program.spec.cycles.controller + " needs",
                       {.value = key});
  return static_cast<std::int32_t>(found->second);
}

void check_core_sizes(const Program& program) {
  const auto cores = static_cast<std::int64_t>(program.core_neuron_start.size()) - 1;
  const std::int64_t places = std::int64_t{cycle_number(program, "width")} * cycle_number(program, "height");
  if (cores > places)
    throw ProgramError("program", "has more cores than the mesh has places",
                       {.value = cores, .limit = places});
  check_size(program, program.core_neuron_start, cycle_number(program, "neurons"), "neurons");
  check_size(program, program.core_axon_start, cycle_number(program, "axons"), "axons");
}

std::int32_t delay_of_axon(const Program& program, std::int32_t axon) {
  const Axon& row = program.axon_rows[axon];
  if (row.first_run == row.last_run) return 0;
  const std::int32_t first = program.runs[row.first_run].delay, last = program.runs[row.last_run - 1].delay;
  if (first != last)  // runs are sorted by delay
    throw ProgramError("axon " + std::to_string(axon), "has synapses of several delays",
                       {.value = std::int64_t{last}, .remedy = "use one axon for each delay"});
  return first;
}

}  // namespace spikeloom
