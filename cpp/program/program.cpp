#include "program/program.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "program/check.hpp"
#include "program/effective.hpp"
#include "program/type_table.hpp"

namespace spikeloom {
namespace {

Table<Run> gathered_runs(const Arrays& a) {
  Table<Run> runs(a.run_target.size());
  for (std::size_t i = 0; i < runs.size(); ++i)
    runs[i] = {a.run_target[i], a.run_length[i],   a.run_weight[i],
               a.run_delay[i],  a.run_receptor[i], a.run_index[i]};
  return runs;
}

Table<Axon> gathered_axons(const Arrays& a) {
  Table<Axon> axons(a.axon_template.size());
  for (std::size_t i = 0; i < axons.size(); ++i) {
    const std::int32_t t = a.axon_template[i];
    axons[i] = {a.template_run_start[t], a.template_run_start[t + 1], a.axon_target[i], a.axon_weight[i]};
  }
  return axons;
}

// In event mode a line's spike is one event, wherever its axons lead.
Ints lines_by_first_axon(const Arrays& a) {
  Ints lines;
  for (std::size_t line = 0; line + 1 < a.input_fan_start.size(); ++line)
    if (a.input_fan_start[line] < a.input_fan_start[line + 1])
      lines.push_back(static_cast<std::int32_t>(line));
  std::stable_sort(lines.begin(), lines.end(), [&](std::int32_t one, std::int32_t other) {
    return a.input_fan_axon[a.input_fan_start[one]] < a.input_fan_axon[a.input_fan_start[other]];
  });
  return lines;
}

}  // namespace

const char* rule_name(Rule rule) {
  switch (rule) {
    case Rule::wrap:
      return "wrap";
    case Rule::saturate:
      return "saturate";
    case Rule::wrap_lava24:
      return "wrap_lava24";
    case Rule::trap:
      return "trap";
    case Rule::fits:
      break;
  }
  return "fits";
}

Program::Program(Spec given, Arrays arrays) : spec(std::move(given)) {
  check_spec(spec);
  check_arrays(spec, arrays);
  runs = gathered_runs(arrays);
  axon_rows = gathered_axons(arrays);
  read_std = std::move(arrays.read_std);
  for (const ParamSpec& param : spec.params) params.push_back(effective_param(spec, param, arrays));
  weights = spec.weights.formula == WeightFormula::type_table
                ? narrowest(unrolled_weights(spec, arrays, params, runs, axon_rows))
                : effective_weights(spec, arrays);
  for (const std::string& name : spec.into) {
    into.push_back(element(name));
    if (into.back() < 0) throw ProfileError("delivery.into", "names no register", {.value = name});
  }
  for (const RegisterSpec& r : spec.registers) {
    const auto found = arrays.init.find(r.name);
    start.push_back(found == arrays.init.end() ? Codes{Ints{}} : found->second);
  }
  for (const Run& run : runs) last_delay = std::max(last_delay, run.delay);
  if (spec.event) event_lines = lines_by_first_axon(arrays);
  from_input.assign(axon_rows.size(), false);
  for (const std::int32_t axon : arrays.input_fan_axon) from_input[axon] = true;
  core_neuron_start = std::move(arrays.core_neuron_start);
  core_axon_start = std::move(arrays.core_axon_start);
  index_target = std::move(arrays.index_target);
  input_fan_start = std::move(arrays.input_fan_start);
  input_fan_axon = std::move(arrays.input_fan_axon);
  neuron_fan_start = std::move(arrays.neuron_fan_start);
  neuron_fan_axon = std::move(arrays.neuron_fan_axon);
}

std::int32_t Program::core_of(std::int32_t neuron) const {
  const auto after = std::upper_bound(core_neuron_start.begin(), core_neuron_start.end(), neuron);
  return static_cast<std::int32_t>(after - core_neuron_start.begin()) - 1;
}

std::int64_t Program::synapses_of(std::int32_t axon) const {
  std::int64_t found = 0;
  for (std::int32_t r = axon_rows[axon].first_run; r < axon_rows[axon].last_run; ++r) found += runs[r].length;
  return found;
}

std::optional<std::int64_t> Program::spikes_max(std::int32_t axon) const {
  if (spec.merge_or) return 1;
  return from_input[axon] ? spec.spikes_max_input : spec.spikes_max_recurrent;
}

std::int32_t Program::receptor_of(const Ints& starts, const Ints& axons, std::int32_t source) const {
  for (std::int32_t i = starts[source]; i < starts[source + 1]; ++i) {
    const Axon& axon = axon_rows[axons[i]];
    if (axon.first_run < axon.last_run) return runs[axon.first_run].receptor;
  }
  return 0;
}

int Program::element(const std::string& name) const {
  for (std::size_t i = 0; i < spec.registers.size(); ++i)
    if (spec.registers[i].name == name) return static_cast<int>(i);
  return -1;
}

int Program::param(const std::string& name) const {
  for (std::size_t i = 0; i < params.size(); ++i)
    if (params[i].name == name) return static_cast<int>(i);
  return -1;
}

}  // namespace spikeloom
