#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "program/check_parts.hpp"

namespace spikeloom {
namespace {

void check_formats(const Spec& spec, const Arrays& a) {
  const std::size_t formats = a.format_mode.size();
  const std::int64_t modes = static_cast<std::int64_t>(spec.weights.modes.size());
  check_range(a.format_mode, "format_mode", modes == 0 ? -1 : 0, modes == 0 ? -1 : modes - 1);
  for (const SharedValue& shared : spec.weights.shared) {
    const auto found = a.format_shared.find(shared.name);
    const std::string name = "format_shared." + shared.name;
    if (found == a.format_shared.end()) throw ProgramError("array " + name, "is missing");
    check_size(found->second, name, formats);
    check_range(found->second, name, shared.min, shared.max);
  }
  if (a.format_shared.size() != spec.weights.shared.size())
    throw ProgramError("array format_shared", "holds a name that the profile does not have");
  check_range(a.code_format, "code_format", 0, static_cast<std::int64_t>(formats) - 1);
}

// One standard deviation a synapse: reads are numbered by the synapses' codes, so none may share them.
void check_read_noise(const Spec& spec, const Arrays& a) {
  if (a.read_std.empty()) return;
  if (!spec.analog || !std::holds_alternative<Reals>(a.codes))
    throw ProgramError("array read_std", "needs an analog soma and real weights");
  check_size(a.read_std, "read_std", n_codes(a));
  for (std::size_t i = 0; i < a.read_std.size(); ++i)
    if (!(a.read_std[i] >= 0) || !std::isfinite(a.read_std[i]))
      throw ProgramError(entry("read_std", i), "is negative or not finite");
}

void check_codes(const Spec& spec, const Arrays& a) {
  check_size(a.code_format, "code_format", n_codes(a));
  check_read_noise(spec, a);
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

// A number as one would write it.
std::string text(double value) {
  if (value == std::floor(value) && std::abs(value) < 9e15)
    return std::to_string(static_cast<std::int64_t>(value));
  std::array<char, 32> digits;
  return {digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr};
}

std::string place_of(const Arrays& a, std::size_t neuron) {
  const auto& starts = a.core_neuron_start;
  const auto core = std::upper_bound(starts.begin(), starts.end(), static_cast<std::int64_t>(neuron)) - 1;
  return "core " + std::to_string(core - starts.begin()) + ", neuron " + std::to_string(neuron);
}

void check_list(const Arrays& a, const Codes& values, const std::string& name, bool real,
                std::optional<double> min, std::optional<double> max) {
  const std::size_t neurons = a.core_neuron_start.back();
  if (real != std::holds_alternative<Reals>(values))
    throw ProgramError("array " + name, real ? "must hold real values" : "must hold integers");
  if (size_of(values) != neurons)
    throw ProgramError(
        "array " + name, "needs one value a neuron",
        {.value = static_cast<std::int64_t>(size_of(values)), .limit = static_cast<std::int64_t>(neurons)});
  std::visit(
      [&](const auto& codes) {
        for (std::size_t i = 0; i < codes.size(); ++i) {
          const double code = static_cast<double>(codes[i]);
          if (!std::isfinite(code) || (min && code < *min) || (max && code > *max))
            throw ProgramError(
                entry(name, i), "is out of range: " + place_of(a, i),
                {.value = text(code), .limit = (min ? text(*min) : "") + " to " + (max ? text(*max) : "")});
        }
      },
      values);
}

void check_params(const Spec& spec, const Arrays& a) {
  std::size_t expected = 0;
  for (const ParamSpec& param : spec.params) {
    const auto found = a.params.find(param.name);
    if (found == a.params.end()) throw ProgramError("array params." + param.name, "is missing");
    check_list(a, found->second, "params." + param.name, spec.analog, param.min, param.max);
    ++expected;
    if (param.format != ParamFormat::mant_exp) continue;
    const auto exponent = a.params.find(param.name + "_exp");
    if (exponent == a.params.end()) throw ProgramError("array params." + param.name + "_exp", "is missing");
    check_list(a, exponent->second, "params." + param.name + "_exp", spec.analog, 0.0, param.exp_max);
    ++expected;
  }
  if (a.params.size() != expected)
    throw ProgramError("array params", "holds a name that the profile does not have");
}

void check_init(const Spec& spec, const Arrays& a) {
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
    check_list(a, values, "init." + name, spec.analog, lo, hi);
  }
}

}  // namespace

void check_values(const Spec& spec, const Arrays& a) {
  check_code_types(spec, a);
  check_codes(spec, a);
  check_params(spec, a);
  check_init(spec, a);
}

}  // namespace spikeloom
