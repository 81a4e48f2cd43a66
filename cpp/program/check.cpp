#include "program/check.hpp"

#include "program/check_parts.hpp"

namespace spikeloom {
namespace {

// A start array: from 0, never falling, to the number of things it divides.
void check_starts(const Ints& starts, const char* name, std::size_t total) {
  if (starts.empty() || starts.front() != 0)
    throw ProgramError(std::string("array ") + name, "must begin with 0");
  for (std::size_t i = 1; i < starts.size(); ++i)
    if (starts[i] < starts[i - 1])
      throw ProgramError(entry(name, i), "falls",
                         {.value = std::int64_t{starts[i]}, .limit = std::int64_t{starts[i - 1]}});
  if (static_cast<std::size_t>(starts.back()) != total)
    throw ProgramError(std::string("array ") + name, "does not end at the number of entries",
                       {.value = std::int64_t{starts.back()}, .limit = static_cast<std::int64_t>(total)});
}

void check_fan(const Ints& starts, const Ints& axons, const char* start_name, const char* axon_name,
               std::int32_t n_axons) {
  check_starts(starts, start_name, axons.size());
  check_range(axons, axon_name, 0, std::int64_t{n_axons} - 1);
  for (std::size_t source = 0; source + 1 < starts.size(); ++source)
    for (std::int32_t i = starts[source] + 1; i < starts[source + 1]; ++i)
      if (axons[i] <= axons[i - 1])
        throw ProgramError(entry(axon_name, i), "does not ascend within its source",
                           {.value = std::int64_t{axons[i]}, .limit = std::int64_t{axons[i - 1]}});
}

void check_sizes(const Arrays& a) {
  const std::size_t axons = a.axon_template.size(), runs = a.run_target.size();
  check_size(a.axon_target, "axon_target", axons);
  check_size(a.axon_weight, "axon_weight", axons);
  check_size(a.run_length, "run_length", runs);
  check_size(a.run_weight, "run_weight", runs);
  check_size(a.run_delay, "run_delay", runs);
  check_size(a.run_receptor, "run_receptor", runs);
  check_size(a.run_index, "run_index", runs);
  for (const std::size_t size : {axons, runs, a.index_target.size(), a.input_fan_start.size()})
    if (size >= most_entries)
      throw ProgramError("program", "is too large", {.limit = static_cast<std::int64_t>(most_entries)});
}

}  // namespace

void check_spec(const Spec& spec) {
  const std::int32_t least = spec.event ? 0 : 1;
  if (spec.latency < least || spec.latency > (spec.event ? 0 : 65535))
    throw ProfileError(
        "time.spike_latency_ticks", "is out of range",
        {.value = std::int64_t{spec.latency}, .limit = spec.event ? "0 in event mode" : "1 to 65535"});
  if (spec.event) check_event_spec(spec);
  if (spec.delay_max < 0 || spec.delay_max > 65535)
    throw ProfileError("time.delay_max", "is out of range",
                       {.value = std::int64_t{spec.delay_max}, .limit = "0 to 65535"});
  if (spec.steps < 1 || spec.steps > 65535)
    throw ProfileError("time.dt_s", "makes a number of steps a tick that is out of range",
                       {.value = std::int64_t{spec.steps}, .limit = "1 to 65535"});
  if (!(spec.jitter.std >= 0) || spec.jitter.most < 0 || spec.jitter.most > 65535)
    throw ProfileError("imperfection", "has a jitter that is out of range", {.value = spec.jitter.std});
  if (spec.into.empty()) throw ProfileError("delivery.into", "names no register");
  for (const auto& most : {spec.spikes_max_input, spec.spikes_max_recurrent})
    if (most && *most < 1)
      throw ProfileError("delivery.spikes_max", "must be 1 or more", {.value = std::int64_t{*most}});
  if (spec.accumulate_each && (spec.analog || spec.delay_max > 0))
    throw ProfileError("delivery.accumulate", "each needs a digital soma and no delays");
  if (spec.registers.empty() || spec.registers.size() > 4096)
    throw ProfileError("regs", "has no register, or more than 4096 elements");
  for (const RegisterSpec& r : spec.registers) {
    if (spec.analog) continue;
    const int most = r.is_signed ? 32 : 31;  // every register is kept in a signed 32-bit integer
    if (r.bits < 1 || r.bits > most)
      throw ProfileError("regs." + r.name, "has a width that the core cannot hold",
                         {.value = std::int64_t{r.bits}, .limit = std::int64_t{most}});
    if (r.rule == Rule::wrap_lava24 && !r.is_signed)
      throw ProfileError("regs." + r.name, "needs a sign for wrap_lava24");
  }
  if (!spec.analog && spec.weights.formula == WeightFormula::real)
    throw ProfileError("weights.formula", "float needs an analog soma");
  if (spec.analog && spec.weights.formula == WeightFormula::type_table)
    throw ProfileError("weights.formula", "type_table needs a digital soma");
  for (const WeightMode& mode : spec.weights.modes)
    if (mode.step < 1) throw ProfileError("weights.mode." + mode.name, "has no step");
}

void check_arrays(const Spec& spec, const Arrays& a) {
  check_sizes(a);
  if (a.core_neuron_start.size() < 2 || a.core_neuron_start.size() != a.core_axon_start.size())
    throw ProgramError("array core_neuron_start",
                       "needs one entry more than there are cores, as core_axon_start");
  if (a.neuron_fan_start.empty()) throw ProgramError("array neuron_fan_start", "must begin with 0");
  check_starts(a.core_neuron_start, "core_neuron_start", a.neuron_fan_start.size() - 1);
  check_starts(a.core_axon_start, "core_axon_start", a.axon_template.size());
  check_starts(a.template_run_start, "template_run_start", a.run_target.size());
  check_range(a.run_length, "run_length", 1, static_cast<std::int64_t>(most_entries));
  check_range(a.run_weight, "run_weight", -far, far);
  check_range(a.axon_weight, "axon_weight", -far, far);
  check_range(a.run_delay, "run_delay", 0, spec.delay_max);
  check_range(a.run_receptor, "run_receptor", 0, static_cast<std::int64_t>(spec.into.size()) - 1);
  const std::int32_t axons = a.core_axon_start.back();
  check_fan(a.input_fan_start, a.input_fan_axon, "input_fan_start", "input_fan_axon", axons);
  check_fan(a.neuron_fan_start, a.neuron_fan_axon, "neuron_fan_start", "neuron_fan_axon", axons);
  check_rows(spec, a);
  check_values(spec, a);
  check_sources(spec, a);
}

}  // namespace spikeloom
