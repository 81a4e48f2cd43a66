#include "bindings/convert.hpp"

#include <limits>
#include <utility>

#include "base/error.hpp"
#include "bindings/integers.hpp"

namespace spikeloom::bindings {
namespace {

py::handle item(const py::dict& table, const char* key, const char* what) {
  if (!table.contains(key)) throw ProgramError(std::string(what) + " " + key, "is missing");
  return table[key].ptr();
}

template <class T>
T get(const py::dict& table, const char* key) {
  const py::handle value = item(table, key, "field");
  try {
    return value.cast<T>();
  } catch (const py::cast_error&) {
    throw ProfileError(std::string("field ") + key, "has the wrong type or leaves its range",
                       {.value = py::str(value).cast<std::string>()});
  }
}

template <class T>
std::optional<T> get_optional(const py::dict& table, const char* key) {
  if (!table.contains(key) || table[key].is_none()) return std::nullopt;
  return get<T>(table, key);
}

template <class Value>
Value named(const std::string& name, std::initializer_list<std::pair<const char*, Value>> known,
            const char* what) {
  for (const auto& [text, value] : known)
    if (name == text) return value;
  throw ProfileError(what, "is unknown to the core", {.value = name});
}

Rule rule_of(const py::dict& table) {
  const auto name = get_optional<std::string>(table, "overflow");
  if (!name) return Rule::fits;
  return named<Rule>(*name,
                     {{"wrap", Rule::wrap},
                      {"saturate", Rule::saturate},
                      {"wrap_lava24", Rule::wrap_lava24},
                      {"trap", Rule::trap}},
                     "overflow rule");
}

RegisterSpec register_of(const py::dict& table, bool analog) {
  RegisterSpec spec;
  spec.name = get<std::string>(table, "name");
  spec.bits = get_optional<int>(table, "bits").value_or(0);
  spec.is_signed = get<bool>(table, "signed");
  spec.rule = rule_of(table);
  if (!analog && spec.rule == Rule::fits)
    throw ProfileError("regs." + spec.name + ".overflow", "is missing on a digital soma");
  spec.clear_each_tick = get<bool>(table, "clear_each_tick");
  spec.free_start = get<bool>(table, "free_start");
  return spec;
}

ParamSpec param_of(const py::dict& table) {
  ParamSpec spec;
  spec.name = get<std::string>(table, "name");
  spec.format = named<ParamFormat>(get<std::string>(table, "format"),
                                   {{"int", ParamFormat::plain},
                                    {"shift", ParamFormat::shift},
                                    {"mant_exp", ParamFormat::mant_exp},
                                    {"pow2_minus1", ParamFormat::pow2_minus1},
                                    {"neg_pow2_plus1", ParamFormat::neg_pow2_plus1},
                                    {"pow2_9_plus_2e_minus1", ParamFormat::pow2_9_plus_2e_minus1},
                                    {"float", ParamFormat::real}},
                                   "parameter format");
  spec.min = get_optional<double>(table, "min");
  spec.max = get_optional<double>(table, "max");
  spec.shift = get<int>(table, "shift");
  spec.exp_max = get<int>(table, "exp_max");
  return spec;
}

WeightSpec weights_of(const py::dict& table) {
  WeightSpec spec;
  spec.formula = named<WeightFormula>(get<std::string>(table, "formula"),
                                      {{"float", WeightFormula::real},
                                       {"int", WeightFormula::plain},
                                       {"int_shift", WeightFormula::shift},
                                       {"mant_exp", WeightFormula::mant_exp},
                                       {"type_table", WeightFormula::type_table},
                                       {"sign_pre", WeightFormula::sign_pre}},
                                      "weight formula");
  spec.unit_shift = get<int>(table, "unit_shift");
  spec.clip = get_optional<std::int64_t>(table, "clip");
  spec.table = get<std::vector<std::string>>(table, "table");
  for (const py::handle entry : get<py::list>(table, "modes")) {
    const auto mode = entry.cast<py::dict>();
    spec.modes.push_back({get<std::string>(mode, "name"), get<std::int64_t>(mode, "min"),
                          get<std::int64_t>(mode, "max"), get<std::int64_t>(mode, "step")});
  }
  for (const py::handle entry : get<py::list>(table, "shared")) {
    const auto shared = entry.cast<py::dict>();
    spec.shared.push_back({get<std::string>(shared, "name"), get<std::int64_t>(shared, "min"),
                           get<std::int64_t>(shared, "max")});
  }
  return spec;
}

Operand operand_of(const py::handle& value) {
  if (py::isinstance<py::str>(value)) return value.cast<std::string>();
  return value.cast<std::int64_t>();
}

Field field_of(const py::handle& value) {
  if (py::isinstance<py::bool_>(value)) return value.cast<bool>();
  if (py::isinstance<py::str>(value)) return value.cast<std::string>();
  if (py::isinstance<py::int_>(value)) return value.cast<std::int64_t>();
  if (py::isinstance<py::dict>(value)) {
    std::vector<std::pair<std::string, Operand>> pairs;
    for (const auto& [key, operand] : value.cast<py::dict>())
      pairs.emplace_back(key.cast<std::string>(), operand_of(operand));
    return pairs;
  }
  const auto list = value.cast<py::sequence>();
  if (list.size() > 0 && py::isinstance<py::float_>(list[0])) return value.cast<std::vector<double>>();
  std::vector<Operand> operands;
  for (const py::handle operand : value.cast<py::sequence>()) operands.push_back(operand_of(operand));
  return operands;
}

OperationSpec operation_of(const py::dict& table) {
  OperationSpec spec;
  for (const auto& [key, value] : table) {
    const auto name = key.cast<std::string>();
    if (value.is_none()) continue;
    if (name == "op")
      spec.op = value.cast<std::string>();
    else if (name == "name")
      spec.name = value.cast<std::string>();
    else if (name == "on")
      spec.on = value.cast<std::string>();
    else
      spec.fields.emplace(name, field_of(value));
  }
  return spec;
}

CycleSpec cycles_of(const py::dict& table) {
  return {get<std::string>(table, "controller"), get<std::map<std::string, double>>(table, "numbers")};
}

EventSpec event_of(const py::dict& table) {
  EventSpec spec;
  for (const std::string& kind : get<std::vector<std::string>>(table, "receptors"))
    spec.receptors.push_back(named<EventKind>(kind,
                                              {{"neuron", EventKind::neuron},
                                               {"virtual", EventKind::virtual_synapse},
                                               {"synapse", EventKind::synapse}},
                                              "kind of event"));
  spec.fifo_depth = get<std::int32_t>(table, "fifo_depth");
  spec.max_events = get<std::int64_t>(table, "max_events");
  spec.leak_every_ticks = get_optional<std::int32_t>(table, "leak_every_ticks").value_or(0);
  spec.visited = get<std::int32_t>(table, "visited");
  return spec;
}

std::map<std::string, Codes> named_codes(const py::dict& table, const std::string& what) {
  std::map<std::string, Codes> result;
  for (const auto& [key, value] : table) {
    const auto name = key.cast<std::string>();
    result.emplace(name, codes_of(value, what + "." + name));
  }
  return result;
}

}  // namespace

Ints ints_of(const py::handle& array, const std::string& name) {
  return integers_of<std::int32_t>(array, name);
}
Longs longs_of(const py::handle& array, const std::string& name) {
  return integers_of<std::int64_t>(array, name);
}

Codes codes_of(const py::handle& value, const std::string& name) {
  const py::array array = flat_array(value, name);
  if (array.dtype().kind() != 'f') return ints_of(value, name);
  const auto reals = py::array_t<double, py::array::c_style | py::array::forcecast>::ensure(array);
  if (!reals) throw py::error_already_set();
  return Reals(reals.data(), reals.data() + reals.size());
}

Spec spec_of(const py::dict& table) {
  Spec spec;
  spec.analog = get<bool>(table, "analog");
  spec.latency = get<std::int32_t>(table, "latency");
  spec.steps = get_optional<std::int32_t>(table, "steps").value_or(1);
  spec.spread_input = get_optional<bool>(table, "spread_input").value_or(false);
  spec.read_layer = get_optional<int>(table, "read_layer").value_or(0);
  spec.jitter = {get_optional<double>(table, "jitter_std").value_or(0.0),
                 get_optional<std::int32_t>(table, "jitter_most").value_or(0),
                 get_optional<int>(table, "jitter_layer").value_or(0)};
  spec.delay_max = get<std::int32_t>(table, "delay_max");
  spec.merge_or = get<bool>(table, "merge_or");
  spec.spikes_max_input = get_optional<std::int32_t>(table, "spikes_max_input");
  spec.spikes_max_recurrent = get_optional<std::int32_t>(table, "spikes_max_recurrent");
  spec.accumulate_each = get<bool>(table, "accumulate_each");
  spec.recurrent_first = get<bool>(table, "recurrent_first");
  spec.into = get<std::vector<std::string>>(table, "into");
  spec.overridable = get_optional<std::string>(table, "overridable").value_or("");
  if (table.contains("event") && !table["event"].is_none())
    spec.event = event_of(get<py::dict>(table, "event"));
  for (const py::handle entry : get<py::list>(table, "registers"))
    spec.registers.push_back(register_of(entry.cast<py::dict>(), spec.analog));
  for (const py::handle entry : get<py::list>(table, "params"))
    spec.params.push_back(param_of(entry.cast<py::dict>()));
  spec.weights = weights_of(get<py::dict>(table, "weights"));
  for (const py::handle entry : get<py::list>(table, "operations"))
    spec.operations.push_back(operation_of(entry.cast<py::dict>()));
  if (const auto cycles = get_optional<py::dict>(table, "cycles")) spec.cycles = cycles_of(*cycles);
  return spec;
}

Arrays arrays_of(const py::dict& table) {
  Arrays a;
  const auto ints = [&](const char* name) { return ints_of(item(table, name, "array"), name); };
  const auto longs = [&](const char* name) { return longs_of(item(table, name, "array"), name); };
  a.core_neuron_start = ints("core_neuron_start");
  a.core_axon_start = ints("core_axon_start");
  a.axon_template = ints("axon_template");
  a.axon_target = ints("axon_target");
  a.axon_weight = longs("axon_weight");
  a.template_run_start = ints("template_run_start");
  a.run_target = ints("run_target");
  a.run_length = ints("run_length");
  a.run_weight = longs("run_weight");
  a.run_delay = ints("run_delay");
  a.run_receptor = ints("run_receptor");
  a.run_index = longs("run_index");
  a.index_target = ints("index_target");
  a.codes = codes_of(item(table, "codes", "array"), "codes");
  a.code_format = integers_of<std::uint8_t>(item(table, "code_format", "array"), "code_format");
  if (table.contains("read_std")) a.read_std = std::get<Reals>(codes_of(table["read_std"], "read_std"));
  a.format_mode = ints("format_mode");
  a.input_fan_start = ints("input_fan_start");
  a.input_fan_axon = ints("input_fan_axon");
  a.neuron_fan_start = ints("neuron_fan_start");
  a.neuron_fan_axon = ints("neuron_fan_axon");
  for (const auto& [key, value] : get<py::dict>(table, "format_shared")) {
    const auto name = key.cast<std::string>();
    a.format_shared.emplace(name, ints_of(value, "format_shared." + name));
  }
  a.params = named_codes(get<py::dict>(table, "params"), "params");
  a.init = named_codes(get<py::dict>(table, "init"), "init");
  return a;
}

py::array owned_values(Values&& values, bool analog, std::vector<py::ssize_t> shape) {
  if (analog) return owned(std::move(values.reals), std::move(shape));
  return owned(std::move(values.ints), std::move(shape));
}

}  // namespace spikeloom::bindings
