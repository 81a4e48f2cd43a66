// The rule after every addition, against plain loops: dense and listed rows, every rule, blocks, traps; and
// weights by the type of the axon.
#include <cstdint>
#include <random>
#include <vector>

#include "expect.hpp"
#include "extremes.hpp"
#include "fixture.hpp"

using namespace spikeloom;

namespace {

// q keeps what arrives; nothing else happens.
Fixture accumulators(int neurons, int bits, Rule rule) {
  Fixture fixture(neurons);
  fixture.spec.accumulate_each = true;
  fixture.spec.registers.clear();
  fixture.add_register("q", bits, rule, true);
  fixture.add_operation("sum", {{"dst", std::string("q")}, {"terms", std::vector<Operand>{"q"}}});
  return fixture;
}

Wide through(Rule rule, int bits, Wide x) {
  const Wide half = Wide{1} << (bits - 1);
  return rule == Rule::saturate ? std::clamp<Wide>(x, -half, half - 1) : ((x + half) & (2 * half - 1)) - half;
}

void rows_add_in_their_order(Rule rule, int bits, int reach, bool listed) {
  const int neurons = 600, lines = 9;
  Fixture fixture = accumulators(neurons, bits, rule);
  std::mt19937 random(5);
  std::uniform_int_distribution<int> draw(-reach, reach), count(0, 4);
  for (int line = 0; line < lines; ++line) {
    Ints weights(neurons);
    for (int& weight : weights) weight = draw(random);
    fixture.add_input_row(0, weights);
    if (listed) fixture.arrays.run_index[line] = 0;
  }
  for (int i = 0; listed && i < neurons; ++i) fixture.arrays.index_target.push_back(i);
  std::vector<std::uint8_t> spikes(lines);
  for (std::uint8_t& n : spikes) n = static_cast<std::uint8_t>(count(random));
  const auto machine = fixture.machine();
  const auto session = machine->open({Trial{}}, false);
  session->tick(spikes.data());
  const Ints got = session->registers(0).ints;
  const Ints& codes = std::get<Ints>(fixture.arrays.codes);
  for (int i = 0; i < neurons; ++i) {
    Wide x = 0;
    for (int line = 0; line < lines; ++line)
      for (int n = 0; n < spikes[line]; ++n) x = through(rule, bits, x + codes[line * neurons + i]);
    EXPECT_EQ(got[i], x);
  }
}

void limits_and_traps() {
  Fixture fixture = accumulators(3, 8, Rule::trap);
  fixture.add_input_row(0, {1, 50, 60});
  fixture.spec.spikes_max_input = 2;
  const auto machine = fixture.machine();
  const auto session = machine->open({Trial{}}, false);
  const std::uint8_t nine = 9;
  session->tick(&nine);
  EXPECT_EQ(session->registers(0).ints[1], 100);
  EXPECT_THROWS(EmulationError, "tick 1, core 0, neuron 1, register q: left its width", session->tick(&nine));
  fixture.spec.delay_max = 1;
  EXPECT_THROWS(ProfileError, "each needs a digital soma and no delays", fixture.machine());
}

Fixture typed() {
  Fixture fixture(3);
  fixture.spec.weights.formula = WeightFormula::type_table;
  fixture.spec.weights.table = {"w0", "w1"};
  fixture.spec.weights.shared = {{"type", 0, 1}};
  fixture.arrays.format_mode = {-1, -1};
  fixture.arrays.format_shared["type"] = {0, 1};
  fixture.add_register("v", 16, Rule::saturate, true);
  fixture.add_param("w0", {1, 20, 300});
  fixture.add_param("w1", {-5, -5, -5});
  fixture.add_operation("sum", {{"dst", std::string("v")}, {"terms", std::vector<Operand>{"v", "q"}}});
  fixture.add_input_row(0, {1, 0, 1});
  fixture.add_input_row(0, {1, 1, 0});
  fixture.arrays.code_format = {0, 0, 0, 1, 1, 1};
  return fixture;
}

void a_bit_adds_what_its_target_keeps() {
  Fixture fixture = typed();
  fixture.arrays.axon_target = {0, 0,
                                1};  // a third axon reads the first two bits of row 0 one neuron further
  fixture.arrays.axon_template = {0, 1, 2};
  fixture.arrays.axon_weight = {0, 0, 0};
  fixture.arrays.template_run_start = {0, 1, 2, 3};
  fixture.arrays.run_target.push_back(0);
  fixture.arrays.run_length.push_back(2);
  fixture.arrays.run_weight.push_back(1);
  fixture.arrays.run_delay.push_back(0);
  fixture.arrays.run_receptor.push_back(0);
  fixture.arrays.run_index.push_back(-1);
  fixture.arrays.core_axon_start = {0, 3};
  fixture.arrays.input_fan_axon = {0, 1, 2};
  fixture.arrays.input_fan_start = {0, 1, 2, 3};
  const auto machine = fixture.machine();
  const auto session = machine->open({Trial{}}, false);
  const std::vector<std::vector<std::uint8_t>> ticks{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
  const std::vector<Ints> wanted{{1, 0, 300}, {-4, -5, 300}, {-4, -5, 600}};
  for (std::size_t t = 0; t < ticks.size(); ++t) {
    session->tick(ticks[t].data());
    const Ints got = session->registers(1).ints;
    for (int i = 0; i < 3; ++i) EXPECT_EQ(got[i], wanted[t][i]);
  }
}

void wrong_types_are_refused() {
  Fixture fixture = typed();
  fixture.arrays.code_format = {0, 1, 0, 1, 1, 1};
  EXPECT_THROWS(ProgramError, "array axon_weight[0]: reads bits of several types of axon", fixture.machine());
  fixture = typed();
  fixture.spec.weights.table = {"w0", "w2"};
  EXPECT_THROWS(ProfileError, "weights.table: names no parameter; got w2", fixture.machine());
  fixture = typed();
  fixture.spec.weights.table = {"w0"};
  EXPECT_THROWS(ProgramError, "array format_shared.type: is out of range; got 1", fixture.machine());
}

}  // namespace

int main() {
  skip_unless_level_runs();
  for (const bool listed : {false, true})
    for (const Rule rule : {Rule::saturate, Rule::wrap}) {
      rows_add_in_their_order(rule, 8, 100, listed);
      rows_add_in_their_order(rule, 16, 20000, listed);
      rows_add_in_their_order(rule, 31, 2000000000, listed);
    }
  limits_and_traps();
  a_bit_adds_what_its_target_keeps();
  wrong_types_are_refused();
}
