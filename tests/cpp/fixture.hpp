// Small programs for tests: registers and parameters by name, an operation list, rows of synapses.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "chip/machine.hpp"

namespace spikeloom {

struct Fixture {
  Spec spec;
  Arrays arrays;

  explicit Fixture(int neurons) {
    spec.into = {"q"};
    spec.weights.formula = WeightFormula::plain;
    arrays.core_neuron_start = {0, neurons};
    arrays.core_axon_start = {0, 0};
    arrays.template_run_start = {0};
    arrays.codes = Ints{};
    arrays.format_mode = {-1};
    arrays.input_fan_start = {0};
    arrays.neuron_fan_start = Ints(neurons + 1, 0);
    add_register("q", 32, Rule::trap, true);
    spec.registers.back().clear_each_tick = true;
  }

  int neurons() const { return arrays.core_neuron_start.back(); }

  void add_register(const std::string& name, int bits, Rule rule, bool is_signed, Ints start = {}) {
    spec.registers.push_back({name, bits, is_signed, rule, false, !start.empty()});
    if (!start.empty()) arrays.init[name] = std::move(start);
  }

  void add_param(const std::string& name, Ints values) {
    spec.params.push_back({name, ParamFormat::plain, {}, {}, 0, 0});
    arrays.params[name] = std::move(values);
  }

  void add_operation(const std::string& op, std::map<std::string, Field> fields) {
    spec.operations.push_back({op, op + std::to_string(spec.operations.size()), std::move(fields)});
  }

  // A row of its own for one axon of one input line: dense targets from `target` on.
  void add_input_row(std::int32_t target, const Ints& weights, std::int32_t delay = 0) {
    Ints& codes = std::get<Ints>(arrays.codes);
    arrays.axon_template.push_back(static_cast<std::int32_t>(arrays.template_run_start.size()) - 1);
    arrays.axon_target.push_back(0);
    arrays.axon_weight.push_back(0);
    arrays.run_target.push_back(target);
    arrays.run_length.push_back(static_cast<std::int32_t>(weights.size()));
    arrays.run_weight.push_back(static_cast<std::int64_t>(codes.size()));
    arrays.run_delay.push_back(delay);
    arrays.run_receptor.push_back(0);
    arrays.run_index.push_back(-1);
    arrays.template_run_start.push_back(static_cast<std::int32_t>(arrays.run_target.size()));
    codes.insert(codes.end(), weights.begin(), weights.end());
    arrays.code_format.resize(codes.size());
    arrays.core_axon_start.back() += 1;
    arrays.input_fan_axon.push_back(arrays.core_axon_start.back() - 1);
    arrays.input_fan_start.push_back(static_cast<std::int32_t>(arrays.input_fan_axon.size()));
  }

  std::unique_ptr<Machine> machine() const { return load(spec, arrays); }
};

// What one tick leaves in the registers, and the spikes it makes.
struct Outcome {
  std::map<std::string, Ints> registers;
  Ints spikes;
};

inline Outcome after_one_tick(const Fixture& fixture) {
  const auto machine = fixture.machine();
  const auto session = machine->open({Trial{}}, false);
  Outcome outcome;
  outcome.spikes = session->tick(nullptr);
  for (std::size_t k = 0; k < fixture.spec.registers.size(); ++k)
    outcome.registers[fixture.spec.registers[k].name] = session->registers(static_cast<int>(k)).ints;
  return outcome;
}

}  // namespace spikeloom
