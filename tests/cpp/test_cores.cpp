// One sample on several threads, each with some of the cores: the results of one thread, and its first error.
#include <algorithm>
#include <cstdint>
#include <numeric>
#include <random>
#include <set>
#include <vector>

#include "expect.hpp"
#include "fixture.hpp"
#include "program/part.hpp"
#include "same_results.hpp"

using namespace spikeloom;

namespace {

const std::vector<int> sizes{70, 3, 130, 1, 300, 64, 90};  // of the cores
constexpr int lines = 60, ticks = 14;

// Dense rows that are packed, patches with shared weights, listed targets of several delays: a shape of each.
enum Kind { dense, patch, listed, kinds };

class Chip {
 public:
  Chip(unsigned seed, int longest_delay)
      : fixture(std::accumulate(sizes.begin(), sizes.end(), 0)),
        longest_delay_(longest_delay),
        random_(seed) {
    Arrays& a = fixture.arrays;
    a.core_neuron_start = {0};
    a.core_axon_start = {0};
    fixture.spec.delay_max = longest_delay;
    for (const int size : sizes) {
      const int first = a.core_neuron_start.back();
      a.core_neuron_start.push_back(first + size);
      for (int kind = 0; kind < kinds; ++kind) add_axons(static_cast<Kind>(kind), first, size);
      a.core_axon_start.push_back(static_cast<std::int32_t>(a.axon_template.size()));
    }
    a.code_format.resize(std::get<Ints>(a.codes).size());
    for (int line = 0; line < lines; ++line) add_fan(a.input_fan_start, a.input_fan_axon);
    a.neuron_fan_start = {0};
    for (int i = 0; i < fixture.neurons(); ++i) add_fan(a.neuron_fan_start, a.neuron_fan_axon);
  }

  Fixture fixture;

 private:
  int below(int end) { return static_cast<int>(random_() % end); }

  void add_axons(Kind kind, int first, int size) {
    Arrays& a = fixture.arrays;
    const std::int64_t weights = add_shape(kind, size);
    const int axons = kind == dense ? 80 : 20;
    for (int k = 0; k < axons; ++k) {
      Ints& codes = std::get<Ints>(a.codes);
      const bool shares = kind == patch && k > 0;
      a.axon_template.push_back(static_cast<std::int32_t>(a.template_run_start.size()) - 2);
      a.axon_target.push_back(first);
      a.axon_weight.push_back(shares ? a.axon_weight.back() : static_cast<std::int64_t>(codes.size()));
      for (std::int64_t w = 0; !shares && w < weights; ++w) codes.push_back(below(15) - 6);
    }
  }

  // The number of weights of its rows.
  std::int64_t add_shape(Kind kind, int size) {
    Arrays& a = fixture.arrays;
    std::int64_t weights = 0;
    const int runs = kind == dense || (kind == listed && longest_delay_ == 0) ? 1 : 2;
    for (int r = 0; r < runs; ++r) {
      const int length = kind == dense ? size : std::max(1, size / 3);
      a.run_target.push_back(kind == listed ? 0 : r * (size - length));
      a.run_length.push_back(length);
      a.run_weight.push_back(weights);
      a.run_delay.push_back(kind == dense ? 0 : longest_delay_ * r);
      a.run_receptor.push_back(0);
      a.run_index.push_back(kind == listed ? static_cast<std::int64_t>(a.index_target.size()) : -1);
      std::vector<std::int32_t> targets;
      for (int k = 0; kind == listed && k < length; ++k) targets.push_back(below(size));
      std::sort(targets.begin(), targets.end());
      a.index_target.insert(a.index_target.end(), targets.begin(), targets.end());
      weights += length;
    }
    a.template_run_start.push_back(static_cast<std::int32_t>(a.run_target.size()));
    return weights;
  }

  // Axons of several cores.
  void add_fan(Ints& starts, Ints& fan) {
    std::set<std::int32_t> axons;
    for (int k = below(5); k > 0; --k) axons.insert(below(fixture.arrays.core_axon_start.back()));
    fan.insert(fan.end(), axons.begin(), axons.end());
    starts.push_back(static_cast<std::int32_t>(fan.size()));
  }

  int longest_delay_;
  std::mt19937 random_;
};

Fixture integrating(unsigned seed, Rule rule = Rule::saturate, int bits = 24, int longest_delay = 2) {
  Fixture f = Chip(seed, longest_delay).fixture;
  f.add_register("v", bits, rule, true);
  f.add_param("leak", Ints(f.neurons(), 4));
  f.add_operation("decay_shift",
                  {{"dst", std::string("v")}, {"reg", std::string("v")}, {"param", std::string("leak")}});
  f.add_operation("sum", {{"dst", std::string("v")}, {"terms", std::vector<Operand>{"v", "q"}}});
  f.add_operation("fire", {{"reg", std::string("v")},
                           {"cmp", std::string("ge")},
                           {"thr", std::int64_t{12}},
                           {"reset", std::string("subtract")}});
  return f;
}

struct Inputs {
  std::vector<std::uint8_t> bytes;
  RunRequest request;

  Inputs(const Machine& machine, unsigned seed, int most) {
    std::mt19937 random(seed);
    bytes.resize(std::size_t{2} * ticks * lines);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random() % 4 == 0 ? 1 + random() % most : 0);
    request.inputs = bytes.data();
    request.samples = 2;
    request.input_ticks = ticks;
    request.ticks = request.window = ticks + 2;
    const int neurons = machine.program().neurons();
    request.depths = Ints(neurons, 0);
    request.traced.assign(neurons, 1);
    Ints all(neurons);
    std::iota(all.rbegin(), all.rend(), 0);
    request.probes = {{1, all}};
    request.readings = {{1, all, ticks}};
    request.neurons_per_thread = 1;
  }
};

std::int64_t expect_same_for_any_number_of_threads(const Fixture& fixture, unsigned seed, int most) {
  const auto machine = fixture.machine();
  Inputs inputs(*machine, seed, most);
  const RunResult one = machine->run(inputs.request);
  for (const int threads : {3, 4, 6, 9, 40}) {
    inputs.request.threads = threads;
    EXPECT(same_results(one, machine->run(inputs.request)));
  }
  return static_cast<std::int64_t>(one.spikes.size());
}

void spikes_that_add_at_once() {
  std::int64_t spikes = 0;
  for (unsigned seed = 0; seed < 4; ++seed)
    spikes += expect_same_for_any_number_of_threads(integrating(seed), seed, 1 + seed % 3);
  EXPECT(spikes > 1000);
}

void spikes_that_wait() {
  Fixture merged = integrating(7), each = integrating(8, Rule::saturate, 24, 0);
  merged.spec.merge_or = true;
  merged.spec.spikes_max_input = merged.spec.spikes_max_recurrent = 1;
  each.spec.accumulate_each = true;
  each.spec.registers[0].rule = Rule::saturate;
  each.spec.registers[0].bits = 6;
  EXPECT(expect_same_for_any_number_of_threads(merged, 7, 3) > 200);
  EXPECT(expect_same_for_any_number_of_threads(each, 8, 3) > 200);
}

// Parameters of every neuron, in places the same for many; one that samples set.
Fixture leaking(unsigned seed, int bits, Rule rule, const char* reset) {
  Fixture f = Chip(seed, 2).fixture;
  std::mt19937 random(seed);
  for (int& code : std::get<Ints>(f.arrays.codes)) code *= 8;
  const auto values = [&](int low, int high) {
    Ints made(f.neurons(), low);
    for (int i = 200; i < f.neurons(); ++i) made[i] = low + static_cast<int>(random() % (high - low));
    return made;
  };
  const int end = (1 << (bits - 1)) - 1;
  Ints start(f.neurons());  // near the ends
  for (int& v : start) v = (random() % 2 == 0 ? 1 : -1) * (end - static_cast<int>(random() % 100));
  f.add_register("v", bits, rule, true, start);
  f.add_param("leak", values(3, 9));
  f.add_param("bias", values(2, 30));
  f.add_param("thr", values(0, 40));
  f.add_param("after", values(-5, 5));
  f.spec.params[1].min = -40;
  f.spec.params[1].max = 40;
  f.spec.overridable = "bias";
  f.add_operation("decay_shift",
                  {{"dst", std::string("v")}, {"reg", std::string("v")}, {"param", std::string("leak")}});
  f.add_operation("sum", {{"dst", std::string("v")}, {"terms", std::vector<Operand>{"v", "q", "bias"}}});
  f.add_operation("fire", {{"reg", std::string("v")},
                           {"cmp", std::string(seed % 2 == 0 ? "ge" : "gt")},
                           {"thr", std::string("thr")},
                           {"reset", std::string(reset)},
                           {"value", std::string("after")}});
  return f;
}

// What a run lists, counts and cuts, whether registers are read, and kept in 32 bits, or not, on any number
// of threads. The number of sums that were cut.
std::uint64_t expect_same_without_registers(const Fixture& fixture, unsigned seed) {
  const auto machine = fixture.machine();
  EXPECT(machine->one_pass());
  Inputs inputs(*machine, seed, 1 + seed % 2);
  Override change{1, {}, {}, {}};
  for (int i = 40; i < 300; i += 1 + i % 3) change.neurons.push_back(i);
  for (std::size_t k = 0; k < 2 * change.neurons.size(); ++k)
    change.values.push_back(static_cast<std::int64_t>(k % 80) - 40);
  inputs.request.overrides = {change};
  RunResult kept = machine->run(inputs.request);
  kept.probes.clear();
  kept.readings.clear();
  inputs.request.probes.clear();
  inputs.request.readings.clear();
  const auto expect_kept = [&] {
    for (const int threads : {1, 2, 5, 9}) {
      inputs.request.threads = threads;
      EXPECT(same_results(kept, machine->run(inputs.request)));
    }
  };
  expect_kept();
  EXPECT(kept.spikes.size() > 1000);
  kept.spikes.clear();
  inputs.request.traced.clear();
  expect_kept();
  return std::accumulate(kept.rules.begin(), kept.rules.end(), std::uint64_t{0});
}

void registers_that_nobody_reads() {
  for (const char* reset : {"zero", "value", "subtract", "none"}) {
    for (const int bits : {9, 16, 24}) {
      std::uint64_t cut = 0;
      for (unsigned seed = 0; seed < 4; ++seed)
        cut += expect_same_without_registers(leaking(seed, bits, Rule::saturate, reset), seed);
      EXPECT(bits == 24 || cut > 10);  // there the leak takes more than what arrives
    }
  }
}

// Whichever part fails first, the error is that of one thread.
void the_first_trap_is_named() {
  int trapped = 0;
  for (unsigned seed = 0; seed < 6; ++seed) {
    const Fixture fixture = integrating(seed, Rule::trap, 7);
    const auto machine = fixture.machine();
    Inputs inputs(*machine, seed, 2);
    const auto line = [&](int threads) -> std::string {
      inputs.request.threads = threads;
      try {
        machine->run(inputs.request);
      } catch (const EmulationError& error) {
        return error.what();
      }
      return "";
    };
    const std::string one = line(1);
    trapped += !one.empty();
    EXPECT_EQ(line(4), one);
    EXPECT_EQ(line(8), one);
  }
  EXPECT(trapped > 3);
}

void parts_hold_every_core_once_and_about_as_much_work() {
  const Fixture fixture = integrating(1);
  const Program program(fixture.spec, fixture.arrays);
  for (const int most : {1, 2, 3, 7, 20}) {
    const std::vector<Part> parts = parts_of(program, most);
    EXPECT(static_cast<int>(parts.size()) <= std::min<int>(most, static_cast<int>(sizes.size())));
    std::int32_t neuron = 0, axon = 0;
    for (const Part& part : parts) {
      EXPECT_EQ(part.first_neuron, neuron);
      EXPECT_EQ(part.first_axon, axon);
      neuron = part.last_neuron;
      axon = part.last_axon;
    }
    EXPECT_EQ(neuron, program.neurons());
    EXPECT_EQ(axon, program.axons());
  }
  EXPECT_EQ(parts_of(program, 2).front().last_neuron,
            70 + 3 + 130 + 1);  // 203 and 455 would be further apart
}

}  // namespace

int main() {
  skip_unless_level_runs();
  parts_hold_every_core_once_and_about_as_much_work();
  spikes_that_add_at_once();
  spikes_that_wait();
  registers_that_nobody_reads();
  the_first_trap_is_named();
}
