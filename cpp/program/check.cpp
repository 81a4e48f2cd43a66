#include "program/check.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "base/error.hpp"
#include "base/interval.hpp"

namespace spikeloom {
namespace {

constexpr std::size_t most_entries = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t far = std::int64_t{1} << 60;  // offsets beyond it could overflow in sums

std::string entry(const char* array, std::size_t index) {
  return std::string("array ") + array + "[" + std::to_string(index) + "]";
}

template <class Array>
void check_size(const Array& array, const char* name, std::size_t wanted) {
  if (array.size() != wanted)
    throw ProgramError(std::string("array ") + name, "has the wrong length",
                       {.value = static_cast<std::int64_t>(array.size()),
                        .limit = static_cast<std::int64_t>(wanted)});
}

template <class Array>
void check_range(const Array& array, const char* name, std::int64_t lo, std::int64_t hi) {
  for (std::size_t i = 0; i < array.size(); ++i)
    if (array[i] < lo || array[i] > hi)
      throw ProgramError(entry(name, i), "is out of range",
                         {.value = static_cast<std::int64_t>(array[i]),
                          .limit = std::to_string(lo) + " to " + std::to_string(hi)});
}

// A start array: from 0, never falling, to the number of things it divides.
void check_starts(const Ints& starts, const char* name, std::size_t total) {
  if (starts.empty() || starts.front() != 0)
    throw ProgramError(std::string("array ") + name, "must begin with 0");
  for (std::size_t i = 1; i < starts.size(); ++i)
    if (starts[i] < starts[i - 1])
      throw ProgramError(entry(name, i), "falls", {.value = std::int64_t{starts[i]}, .limit = std::int64_t{starts[i - 1]}});
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

// Smallest and largest target and weight offset of a template, before its axons shift them.
struct Extent {
  Interval targets{far, -far};
  Interval weights{far, -far};
  bool empty = true;
};

Interval run_targets(const Arrays& a, std::size_t run) {
  const std::int64_t first = a.run_target[run], length = a.run_length[run];
  if (a.run_index[run] < 0) return {first, first + length - 1};
  const std::int64_t from = a.run_index[run];
  for (std::int64_t k = from + 1; k < from + length; ++k)
    if (a.index_target[k] < a.index_target[k - 1])
      throw ProgramError(entry("index_target", k), "falls within its run",
                         {.value = std::int64_t{a.index_target[k]}, .limit = std::int64_t{a.index_target[k - 1]}});
  return {first + a.index_target[from], first + a.index_target[from + length - 1]};
}

void check_run(const Spec& spec, const Arrays& a, std::size_t run) {
  const std::int64_t length = a.run_length[run], from = a.run_index[run];
  if (from < -1 || (from >= 0 && from > static_cast<std::int64_t>(a.index_target.size()) - length))
    throw ProgramError(entry("run_index", run), "leaves index_target",
                       {.value = from, .limit = static_cast<std::int64_t>(a.index_target.size())});
  if (a.run_delay[run] > spec.delay_max)
    throw ProgramError(entry("run_delay", run), "is above the profile's delay_max",
                       {.value = std::int64_t{a.run_delay[run]}, .limit = std::int64_t{spec.delay_max}});
}

bool in_order(const Arrays& a, std::size_t run, const Interval& before, const Interval& now) {
  if (a.run_delay[run] != a.run_delay[run - 1]) return a.run_delay[run] > a.run_delay[run - 1];
  if (a.run_receptor[run] != a.run_receptor[run - 1]) return a.run_receptor[run] > a.run_receptor[run - 1];
  return now.lo >= before.lo;
}

Extent template_extent(const Spec& spec, const Arrays& a, std::int32_t index) {
  Extent extent;
  Interval before;
  for (std::int32_t run = a.template_run_start[index]; run < a.template_run_start[index + 1]; ++run) {
    check_run(spec, a, run);
    const Interval targets = run_targets(a, run);
    if (!extent.empty && !in_order(a, run, before, targets))
      throw ProgramError(entry("run_target", run), "is out of order",
                         {.remedy = "sort the runs of a template by delay, receptor and first target"});
    extent.targets = extent.empty ? targets : hull(extent.targets, targets);
    const Interval weights{a.run_weight[run], a.run_weight[run] + a.run_length[run] - 1};
    extent.weights = extent.empty ? weights : hull(extent.weights, weights);
    extent.empty = false;
    before = targets;
  }
  return extent;
}

std::size_t n_codes(const Arrays& a) {
  return std::visit([](const auto& codes) { return codes.size(); }, a.codes);
}

void check_axon(const Arrays& a, std::size_t axon, const Extent& extent, const Interval& core) {
  if (extent.empty) return;
  const Interval targets{extent.targets.lo + a.axon_target[axon], extent.targets.hi + a.axon_target[axon]};
  if (!targets.within(core))
    throw ProgramError(entry("axon_target", axon), "reaches neurons outside its core",
                       {.value = std::to_string(targets.lo) + " to " + std::to_string(targets.hi),
                        .limit = std::to_string(core.lo) + " to " + std::to_string(core.hi)});
  const Interval weights{extent.weights.lo + a.axon_weight[axon], extent.weights.hi + a.axon_weight[axon]};
  const Interval codes{0, static_cast<std::int64_t>(n_codes(a)) - 1};
  if (!weights.within(codes))
    throw ProgramError(entry("axon_weight", axon), "reaches codes that do not exist",
                       {.value = std::to_string(weights.lo) + " to " + std::to_string(weights.hi),
                        .limit = codes.hi});
}

void check_rows(const Spec& spec, const Arrays& a) {
  const std::size_t templates = a.template_run_start.size() - 1;
  std::vector<Extent> extents;
  for (std::size_t index = 0; index < templates; ++index)
    extents.push_back(template_extent(spec, a, static_cast<std::int32_t>(index)));
  check_range(a.axon_template, "axon_template", 0, static_cast<std::int64_t>(templates) - 1);
  for (std::size_t core = 0; core + 1 < a.core_axon_start.size(); ++core) {
    const Interval neurons{a.core_neuron_start[core], std::int64_t{a.core_neuron_start[core + 1]} - 1};
    for (std::int32_t axon = a.core_axon_start[core]; axon < a.core_axon_start[core + 1]; ++axon)
      check_axon(a, axon, extents[a.axon_template[axon]], neurons);
  }
}

void check_formats(const Spec& spec, const Arrays& a) {
  const std::size_t formats = a.format_mode.size();
  const std::int64_t modes = static_cast<std::int64_t>(spec.weights.modes.size());
  check_range(a.format_mode, "format_mode", modes == 0 ? -1 : 0, modes == 0 ? -1 : modes - 1);
  for (const SharedValue& shared : spec.weights.shared) {
    const auto found = a.format_shared.find(shared.name);
    const std::string name = "format_shared." + shared.name;
    if (found == a.format_shared.end()) throw ProgramError("array " + name, "is missing");
    check_size(found->second, name.c_str(), formats);
    check_range(found->second, name.c_str(), shared.min, shared.max);
  }
  if (a.format_shared.size() != spec.weights.shared.size())
    throw ProgramError("array format_shared", "holds a name that the profile does not have");
  check_range(a.code_format, "code_format", 0, static_cast<std::int64_t>(formats) - 1);
}

void check_codes(const Spec& spec, const Arrays& a) {
  check_size(a.code_format, "code_format", n_codes(a));
  check_formats(spec, a);
  if (const Reals* reals = std::get_if<Reals>(&a.codes)) {
    for (std::size_t i = 0; i < reals->size(); ++i)
      if (!std::isfinite((*reals)[i])) throw ProgramError(entry("codes", i), "is not finite");
    return;
  }
  const Ints& codes = std::get<Ints>(a.codes);
  if (spec.weights.modes.empty()) return;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const WeightMode& mode = spec.weights.modes[a.format_mode[a.code_format[i]]];
    if (codes[i] < mode.min || codes[i] > mode.max || codes[i] % mode.step != 0)
      throw ProgramError(entry("codes", i), "is no code of the weight mode " + mode.name,
                         {.value = std::int64_t{codes[i]},
                          .limit = "multiples of " + std::to_string(mode.step) + " from " +
                                   std::to_string(mode.min) + " to " + std::to_string(mode.max)});
  }
}

void check_code_types(const Spec& spec, const Arrays& a) {
  const bool real_weights = spec.weights.formula == WeightFormula::real;
  if (real_weights != std::holds_alternative<Reals>(a.codes))
    throw ProgramError("array codes", real_weights ? "must hold real values" : "must hold integers");
}

std::size_t size_of(const Codes& codes) {
  return std::visit([](const auto& values) { return values.size(); }, codes);
}

void check_values(const Codes& values, const std::string& name, bool real, std::size_t neurons,
                  std::optional<double> min, std::optional<double> max) {
  if (real != std::holds_alternative<Reals>(values))
    throw ProgramError("array " + name, real ? "must hold real values" : "must hold integers");
  if (size_of(values) != neurons)
    throw ProgramError("array " + name, "needs one value a neuron",
                       {.value = static_cast<std::int64_t>(size_of(values)),
                        .limit = static_cast<std::int64_t>(neurons)});
  std::visit(
      [&](const auto& codes) {
        for (std::size_t i = 0; i < codes.size(); ++i) {
          const double code = static_cast<double>(codes[i]);
          if (!std::isfinite(code) || (min && code < *min) || (max && code > *max))
            throw ProgramError(entry(name.c_str(), i), "is out of range",
                               {.value = code, .limit = (min ? std::to_string(*min) : "") + " to " +
                                                        (max ? std::to_string(*max) : "")});
        }
      },
      values);
}

void check_params(const Spec& spec, const Arrays& a) {
  const std::size_t neurons = a.core_neuron_start.back();
  std::size_t expected = 0;
  for (const ParamSpec& param : spec.params) {
    const auto found = a.params.find(param.name);
    if (found == a.params.end()) throw ProgramError("array params." + param.name, "is missing");
    check_values(found->second, "params." + param.name, spec.analog, neurons, param.min, param.max);
    ++expected;
    if (param.format != ParamFormat::mant_exp) continue;
    const auto exponent = a.params.find(param.name + "_exp");
    if (exponent == a.params.end()) throw ProgramError("array params." + param.name + "_exp", "is missing");
    check_values(exponent->second, "params." + param.name + "_exp", spec.analog, neurons, 0.0, param.exp_max);
    ++expected;
  }
  if (a.params.size() != expected) throw ProgramError("array params", "holds a name that the profile does not have");
}

void check_init(const Spec& spec, const Arrays& a) {
  const std::size_t neurons = a.core_neuron_start.back();
  for (const auto& [name, values] : a.init) {
    const auto found = std::find_if(spec.registers.begin(), spec.registers.end(),
                                    [&, &wanted = name](const RegisterSpec& r) { return r.name == wanted; });
    if (found == spec.registers.end() || !found->free_start)
      throw ProgramError("array init." + name, "is no register that a program may set");
    std::optional<double> lo, hi;
    if (!spec.analog) {
      lo = found->is_signed ? -std::ldexp(1.0, found->bits - 1) : 0.0;
      hi = (found->is_signed ? std::ldexp(1.0, found->bits - 1) : std::ldexp(1.0, found->bits)) - 1;
    }
    check_values(values, "init." + name, spec.analog, neurons, lo, hi);
  }
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
    if (size >= most_entries) throw ProgramError("program", "is too large", {.limit = static_cast<std::int64_t>(most_entries)});
}

}  // namespace

void check_spec(const Spec& spec) {
  if (spec.latency < 1 || spec.latency > 65535) throw ProfileError("time.spike_latency_ticks", "is out of range", {.value = std::int64_t{spec.latency}, .limit = "1 to 65535"});
  if (spec.delay_max < 0 || spec.delay_max > 65535) throw ProfileError("time.delay_max", "is out of range", {.value = std::int64_t{spec.delay_max}, .limit = "0 to 65535"});
  if (spec.into.empty()) throw ProfileError("delivery.into", "names no register");
  if (spec.spikes_max && *spec.spikes_max < 1) throw ProfileError("delivery.spikes_max", "must be 1 or more", {.value = std::int64_t{*spec.spikes_max}});
  if (spec.registers.empty() || spec.registers.size() > 4096) throw ProfileError("regs", "has no register, or more than 4096 elements");
  for (const RegisterSpec& r : spec.registers) {
    if (spec.analog) continue;
    const int most = r.is_signed ? 32 : 31;  // every register is kept in a signed 32-bit integer
    if (r.bits < 1 || r.bits > most) throw ProfileError("regs." + r.name, "has a width that the core cannot hold", {.value = std::int64_t{r.bits}, .limit = std::int64_t{most}});
    if (r.rule == Rule::wrap_lava24 && !r.is_signed) throw ProfileError("regs." + r.name, "needs a sign for wrap_lava24");
  }
  if (!spec.analog && spec.weights.formula == WeightFormula::real) throw ProfileError("weights.formula", "float needs an analog soma");
  for (const WeightMode& mode : spec.weights.modes)
    if (mode.step < 1) throw ProfileError("weights.mode." + mode.name, "has no step");
}

void check_arrays(const Spec& spec, const Arrays& a) {
  check_sizes(a);
  if (a.core_neuron_start.size() < 2 || a.core_neuron_start.size() != a.core_axon_start.size())
    throw ProgramError("array core_neuron_start", "needs one entry more than there are cores, as core_axon_start");
  if (a.neuron_fan_start.empty()) throw ProgramError("array neuron_fan_start", "must begin with 0");
  check_starts(a.core_neuron_start, "core_neuron_start", a.neuron_fan_start.size() - 1);
  check_starts(a.core_axon_start, "core_axon_start", a.axon_template.size());
  check_starts(a.template_run_start, "template_run_start", a.run_target.size());
  check_range(a.run_target, "run_target", std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max());
  check_range(a.run_length, "run_length", 1, static_cast<std::int64_t>(most_entries));
  check_range(a.run_weight, "run_weight", -far, far);
  check_range(a.axon_weight, "axon_weight", -far, far);
  check_range(a.run_delay, "run_delay", 0, spec.delay_max);
  check_range(a.run_receptor, "run_receptor", 0, static_cast<std::int64_t>(spec.into.size()) - 1);
  check_range(a.index_target, "index_target", std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max());
  const std::int32_t axons = a.core_axon_start.back();
  check_fan(a.input_fan_start, a.input_fan_axon, "input_fan_start", "input_fan_axon", axons);
  check_fan(a.neuron_fan_start, a.neuron_fan_axon, "neuron_fan_start", "neuron_fan_axon", axons);
  check_code_types(spec, a);
  check_codes(spec, a);
  check_rows(spec, a);
  check_params(spec, a);
  check_init(spec, a);
}

}  // namespace spikeloom
