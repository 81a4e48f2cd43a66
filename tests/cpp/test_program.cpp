// Altered programs are refused by name or run: nothing may crash, whatever the arrays hold.
#include <cstdint>
#include <functional>
#include <random>
#include <vector>

#include "expect.hpp"
#include "fixture.hpp"

using namespace spikeloom;

namespace {

// Two cores of 4 and 3 neurons, dense, listed and shared rows, delays, a loop through the neurons.
Fixture intact() {
  Fixture f(7);
  f.spec.delay_max = 4;
  f.add_register("v", 16, Rule::saturate, true, {0, 1, 2, 3, 4, 5, 6});
  f.add_param("thr", {3, 3, 3, 3, 9, 9, 9});
  f.add_operation("sum", {{"dst", std::string("v")}, {"terms", std::vector<Operand>{"v", "q"}}});
  f.add_operation("fire", {{"reg", std::string("v")},
                           {"cmp", std::string("ge")},
                           {"thr", std::string("thr")},
                           {"reset", std::string("subtract")}});
  Arrays& a = f.arrays;
  a.core_neuron_start = {0, 4, 7};
  a.core_axon_start = {0, 2, 4};
  a.axon_template = {0, 0, 1, 1};
  a.axon_target = {0, 1, 4, 4};
  a.axon_weight = {0, 3, 6, 6};
  a.template_run_start = {0, 2, 4};
  a.run_target = {0, 1, 0, 0};
  a.run_length = {3, 2, 1, 3};
  a.run_weight = {0, 1, 0, 1};
  a.run_delay = {0, 2, 0, 4};
  a.run_receptor = {0, 0, 0, 0};
  a.run_index = {-1, -1, -1, 0};
  a.index_target = {0, 1, 2};
  a.codes = Ints{3, -2, 5, 7, 1, -4, 2, 6, 6, -1};
  a.code_format = Bytes(10, 0);
  a.input_fan_start = {0, 1, 2};
  a.input_fan_axon = {0, 2};
  a.neuron_fan_start = {0, 1, 1, 2, 2, 2, 2, 2};
  a.neuron_fan_axon = {1, 3};
  return f;
}

void run(const Fixture& fixture) {
  const auto machine = fixture.machine();
  const std::vector<std::uint8_t> inputs(2 * 6 * machine->program().inputs(), 3);
  RunRequest request;
  request.inputs = inputs.data();
  request.samples = 2;
  request.input_ticks = 6;
  request.ticks = 9;
  request.window = 6;
  request.depths = Ints(machine->program().neurons(), 1);
  const RunResult result = machine->run(request);
  EXPECT_EQ(result.counts.size(), std::size_t(2 * machine->program().neurons()));
}

using Change = std::function<void(Arrays&)>;

void every_mistake_names_its_array() {
  const std::vector<std::pair<const char*, Change>> mistakes{
      {"array core_neuron_start", [](Arrays& a) { a.core_neuron_start = {0, 4}; }},
      {"core_neuron_start[1]: falls", [](Arrays& a) { a.core_neuron_start = {0, -1, 7}; }},
      {"array core_axon_start: does not end", [](Arrays& a) { a.core_axon_start = {0, 2, 3}; }},
      {"axon_template[2]", [](Arrays& a) { a.axon_template[2] = 2; }},
      {"axon_target[1]: reaches neurons outside its core", [](Arrays& a) { a.axon_target[1] = 2; }},
      {"axon_target[3]: reaches neurons outside its core", [](Arrays& a) { a.axon_target[3] = 3; }},
      {"axon_weight[1]: reaches codes", [](Arrays& a) { a.axon_weight[1] = 8; }},
      {"axon_weight[0]: reaches codes", [](Arrays& a) { a.axon_weight[0] = -1; }},
      {"run_length[0]", [](Arrays& a) { a.run_length[0] = 0; }},
      {"run_delay[3]", [](Arrays& a) { a.run_delay[3] = 5; }},
      {"run_delay[0]", [](Arrays& a) { a.run_delay[0] = -1; }},
      {"run_target[1]: is out of order", [](Arrays& a) { a.run_delay[0] = 3; }},
      {"run_receptor[2]", [](Arrays& a) { a.run_receptor[2] = 1; }},
      {"run_index[3]: leaves index_target", [](Arrays& a) { a.run_index[3] = 1; }},
      {"run_index[3]", [](Arrays& a) { a.run_index[3] = -2; }},
      {"index_target[1]: falls", [](Arrays& a) { a.index_target = {2, 1, 2}; }},
      {"code_format[4]", [](Arrays& a) { a.code_format[4] = 1; }},
      {"array code_format", [](Arrays& a) { a.code_format.pop_back(); }},
      {"array codes: must hold integers", [](Arrays& a) { a.codes = Reals(10, 0.0); }},
      {"input_fan_axon[0]", [](Arrays& a) { a.input_fan_axon[0] = 4; }},
      {"input_fan_axon[1]: does not ascend",
       [](Arrays& a) {
         a.input_fan_start = {0, 2, 2};
         a.input_fan_axon = {2, 2};
       }},
      {"array neuron_fan_start", [](Arrays& a) { a.neuron_fan_start.clear(); }},
      {"array params.thr: needs one value a neuron", [](Arrays& a) { a.params["thr"] = Ints{1}; }},
      {"array params.thr: is missing", [](Arrays& a) { a.params.clear(); }},
      {"array params: holds a name", [](Arrays& a) { a.params["more"] = Ints(7, 0); }},
      {"init.v[0]: is out of range", [](Arrays& a) { a.init["v"] = Ints(7, 40000); }},
      {"init.q", [](Arrays& a) { a.init["q"] = Ints(7, 0); }},
      {"array format_mode", [](Arrays& a) { a.format_mode = {0}; }},
      {"array format_shared", [](Arrays& a) { a.format_shared["w_exp"] = {0}; }},
  };
  for (const auto& [text, change] : mistakes) {
    Fixture fixture = intact();
    change(fixture.arrays);
    EXPECT_THROWS(ProgramError, text, fixture.machine());
  }
}

void unsound_lists_are_refused() {
  const std::vector<std::pair<const char*, OperationSpec>> mistakes{
      {"no_such", {"no_such", "x", {}}},
      {"operation.x.reg: is missing", {"count_down", "x", {}}},
      {"operation.x.reg: names no register: w", {"count_down", "x", {{"reg", std::string("w")}}}},
      {"operation.x.terms: names neither",
       {"sum", "x", {{"dst", std::string("v")}, {"terms", std::vector<Operand>{"nothing"}}}}},
      {"operation.x.param: is not a shift",
       {"decay_shift",
        "x",
        {{"dst", std::string("v")}, {"reg", std::string("v")}, {"param", std::int64_t{64}}}}},
      {"operation.x.param: gives a factor",
       {"decay_mul",
        "x",
        {{"reg", std::string("v")},
         {"param", std::int64_t{9}},
         {"shift", std::int64_t{3}},
         {"round", std::string("floor")}}}},
      {"more than one operation that makes spikes",
       {"fire",
        "x",
        {{"reg", std::string("v")},
         {"cmp", std::string("gt")},
         {"thr", std::int64_t{1}},
         {"reset", std::string("none")}}}},
  };
  for (const auto& [text, operation] : mistakes) {
    Fixture fixture = intact();
    fixture.spec.operations.push_back(operation);
    EXPECT_THROWS(ProfileError, text, fixture.machine());
  }
}

std::vector<Ints*> ints_of(Arrays& a) {
  return {&a.core_neuron_start,
          &a.core_axon_start,
          &a.axon_template,
          &a.axon_target,
          &a.template_run_start,
          &a.run_target,
          &a.run_length,
          &a.run_delay,
          &a.run_receptor,
          &a.index_target,
          &std::get<Ints>(a.codes),
          &a.format_mode,
          &a.input_fan_start,
          &a.input_fan_axon,
          &a.neuron_fan_start,
          &a.neuron_fan_axon,
          &std::get<Ints>(a.params["thr"]),
          &std::get<Ints>(a.init["v"])};
}

std::vector<Longs*> longs_of(Arrays& a) {
  return {&a.axon_weight, &a.run_weight, &a.run_index};
}

template <class Array>
void damage(Array& array, std::mt19937_64& random) {
  using Value = typename Array::value_type;
  const Value hostile[] = {Value(-1),
                           Value(0),
                           Value(1),
                           Value(2),
                           Value(5),
                           Value(7),
                           std::numeric_limits<Value>::min(),
                           std::numeric_limits<Value>::max(),
                           static_cast<Value>(std::uint64_t{1} << 30)};
  const auto pick = [&] { return hostile[random() % std::size(hostile)]; };
  const auto what = random() % 8;
  if (what == 0 && !array.empty())
    array.pop_back();
  else if (what == 1)
    array.push_back(pick());
  else if (what == 2)
    array.clear();
  else if (!array.empty())
    array[random() % array.size()] = what == 3 ? Value(random()) : pick();
}

// One to three damages at a time; each result is refused, or runs under the sanitizers.
void damaged_arrays_never_crash() {
  std::mt19937_64 random(3);
  int refused = 0, ran = 0;
  for (int round = 0; round < 20000; ++round) {
    Fixture fixture = intact();
    for (std::uint64_t k = 0; k <= random() % 3; ++k) {
      const auto ints = ints_of(fixture.arrays);
      const auto longs = longs_of(fixture.arrays);
      const std::size_t which = random() % (ints.size() + longs.size() + 1);
      if (which < ints.size())
        damage(*ints[which], random);
      else if (which < ints.size() + longs.size())
        damage(*longs[which - ints.size()], random);
      else
        damage(fixture.arrays.code_format, random);
    }
    try {
      run(fixture);
      ++ran;
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT(refused > 10000);
  EXPECT(ran > 500);
}

}  // namespace

int main() {
  skip_unless_level_runs();
  run(intact());
  every_mistake_names_its_array();
  unsound_lists_are_refused();
  damaged_arrays_never_crash();
}
