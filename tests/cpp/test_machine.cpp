// Runs: threads, samples side by side, the first error, saved states, arrival counts on both ways of
// delivery.
#include <cstdint>
#include <random>
#include <vector>

#include "expect.hpp"
#include "fixture.hpp"
#include "same_results.hpp"

using namespace spikeloom;

namespace {

// Neurons in a ring that pass spikes on, with delays and every third line driven.
Fixture ring(int neurons) {
  Fixture f(neurons);
  f.spec.delay_max = 3;
  f.add_register("v", 24, Rule::saturate, true);
  f.add_operation("sum", {{"dst", std::string("v")}, {"terms", std::vector<Operand>{"v", "q"}}});
  f.add_operation("fire", {{"reg", std::string("v")},
                           {"cmp", std::string("ge")},
                           {"thr", std::int64_t{10}},
                           {"reset", std::string("subtract")}});
  for (int i = 0; i < neurons; ++i) f.add_input_row((i * 7) % (neurons - 2), {4, -1, 6}, i % 4);
  f.arrays.neuron_fan_start = Ints{0};
  for (int i = 0; i < neurons; ++i) {
    f.arrays.neuron_fan_axon.push_back((i + 1) % neurons);
    f.arrays.neuron_fan_start.push_back(i + 1);
  }
  return f;
}

struct Inputs {
  std::vector<std::uint8_t> bytes;
  RunRequest request;
  Inputs(const Machine& machine, int samples, int ticks, int threads) {
    std::mt19937 random(5);
    bytes.resize(std::size_t(samples) * ticks * machine.program().inputs());
    for (auto& byte : bytes) byte = random() % 5 == 0 ? static_cast<std::uint8_t>(random() % 3) : 0;
    request.inputs = bytes.data();
    request.samples = samples;
    request.input_ticks = ticks;
    request.ticks = ticks + 2;
    request.window = ticks;
    request.depths = Ints(machine.program().neurons(), 1);
    request.probes = {{0, {0, 1, 2}}, {1, {5, 3}}};
    request.readings = {{1, {2, 2}, ticks + 1}};
    request.traced.assign(machine.program().neurons(), 1);
    request.threads = threads;
  }
};

void threads_change_nothing() {
  const auto machine = ring(300).machine();
  const RunResult one = machine->run(Inputs(*machine, 9, 12, 1).request);
  for (const int threads : {2, 4, 16})
    EXPECT(same_results(one, machine->run(Inputs(*machine, 9, 12, threads).request)));
  std::int64_t spikes = 0;
  for (const EventRow& row : one.events) spikes += row.spikes;
  EXPECT(spikes > 100);
  EXPECT_EQ(one.spikes.size(), std::size_t(spikes));
}

// spikes_max that never acts delivers at the due tick; without it spikes add at emission: same sums either
// way.
void both_ways_of_delivery_agree() {
  Fixture late = ring(40);
  late.spec.spikes_max_input = late.spec.spikes_max_recurrent = 1000000;
  const auto at_due = late.machine(), at_emission = ring(40).machine();
  EXPECT(same_results(at_due->run(Inputs(*at_due, 4, 12, 1).request),
                      at_emission->run(Inputs(*at_emission, 4, 12, 1).request)));
}

void a_session_equals_a_run_and_restores() {
  const auto machine = ring(40).machine();
  const Inputs inputs(*machine, 1, 10, 1);
  const RunResult whole = machine->run(inputs.request);
  const auto session = machine->open({Trial{}}, false);
  std::string middle;
  Ints last, again;
  for (int round = 0; round < 2; ++round) {
    for (int t = round == 0 ? 0 : 5; t < 10; ++t) {
      if (t == 5 && round == 0) middle = session->save();
      const Ints spikes = session->tick(inputs.bytes.data() + t * machine->program().inputs());
      const Ints v = session->registers(1).ints;
      EXPECT_EQ(v[5], whole.probes[1].ints[t * 2]);
      EXPECT_EQ(v[3], whole.probes[1].ints[t * 2 + 1]);
      (round == 0 ? last : again) = spikes;
    }
    if (round == 0) session->restore(middle);
  }
  EXPECT(last == again);
  EXPECT_THROWS(EmulationError, "is not a state", session->restore(middle.substr(1)));
  EXPECT_THROWS(EmulationError, "is not a state", session->restore(middle + "x"));
  std::string forged = middle;
  for (std::size_t i = 8; i < 48; ++i) forged[i] = '\x7f';  // registers beyond what the list can leave
  EXPECT_THROWS(EmulationError, "is not a state", session->restore(forged));
}

void the_first_failing_sample_is_named() {
  Fixture f(2);
  f.add_register("v", 8, Rule::trap, true);
  f.add_operation("sum", {{"dst", std::string("v")}, {"terms", std::vector<Operand>{"v", "q"}}});
  f.add_input_row(0, {1, 2});
  const auto machine = f.machine();
  std::vector<std::uint8_t> bytes(20 * 3, 0);  // 20 samples of 3 ticks
  bytes[7 * 3 + 1] = 100;                      // v[1] = 200 in tick 1
  bytes[12 * 3] = 100;
  RunRequest request;
  request.inputs = bytes.data();
  request.samples = 20;
  request.input_ticks = request.ticks = request.window = 3;
  request.depths = {0, 0};
  for (const int threads : {1, 4}) {
    request.threads = threads;
    EXPECT_THROWS(EmulationError, "tick 1, core 0, neuron 1, register v: left its width",
                  machine->run(request));
  }
}

void bad_requests_are_refused() {
  const auto machine = ring(40).machine();
  Inputs inputs(*machine, 1, 4, 1);
  inputs.request.probes = {{9, {0}}};
  EXPECT_THROWS(EmulationError, "names no register", machine->run(inputs.request));
  inputs.request.probes = {{0, {40}}};
  EXPECT_THROWS(EmulationError, "names a neuron", machine->run(inputs.request));
  inputs.request.probes.clear();
  inputs.request.depths.pop_back();
  EXPECT_THROWS(EmulationError, "one depth a neuron", machine->run(inputs.request));
}

}  // namespace

int main() {
  skip_unless_level_runs();
  threads_change_nothing();
  both_ways_of_delivery_agree();
  a_session_equals_a_run_and_restores();
  the_first_failing_sample_is_named();
  bad_requests_are_refused();
}
