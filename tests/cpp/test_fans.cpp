// Spikes of many sources at once, over packed rows, records, patches and plain axons, against plain loops.
#include <algorithm>
#include <cstdint>
#include <random>
#include <set>
#include <vector>

#include "expect.hpp"
#include "fixture.hpp"
#include "synapse/synapses.hpp"

using namespace spikeloom;

namespace {

constexpr int neurons = 200, lines = 240, group_size = 80;

// Runs of one axon, and how many weights they read.
struct Shape {
  std::vector<Run> runs;
  std::int64_t weights = 0;

  void add(int target, int length, int delay, int receptor, std::int64_t index = -1) {
    runs.push_back({target, length, weights, delay, receptor, index});
    weights += length;
  }
};

// An axon with weights of its own, or with those at `weight`.
void add_axon(Fixture& fixture, int shape, int target, std::int64_t weight) {
  fixture.arrays.axon_template.push_back(shape);
  fixture.arrays.axon_target.push_back(target);
  fixture.arrays.axon_weight.push_back(weight);
  ++fixture.arrays.core_axon_start.back();
}

void add_shape(Fixture& fixture, const Shape& shape) {
  Arrays& a = fixture.arrays;
  for (const Run& run : shape.runs) {
    a.run_target.push_back(run.target);
    a.run_length.push_back(run.length);
    a.run_weight.push_back(run.weight);
    a.run_delay.push_back(run.delay);
    a.run_receptor.push_back(run.receptor);
    a.run_index.push_back(run.index);
  }
  a.template_run_start.push_back(static_cast<std::int32_t>(a.run_target.size()));
}

// Dense rows that are packed, patches that share weights, lists, and axons of both kinds of runs.
std::vector<Shape> shapes_in(Ints& index) {
  for (int k = 0; k < 30; ++k) index.push_back(k + k / 3);
  index.resize(9000);  // records are made where lists are not shared by many sources
  std::vector<Shape> shapes(4);
  shapes[0].add(0, 70, 0, 0);
  shapes[0].add(5, 131, 1, 1);
  for (const int length : {1, 16, 33}) shapes[1].add(length, length, length / 16, 0);
  shapes[2].add(0, 20, 0, 1, 0);
  shapes[2].add(3, 2, 2, 0);
  shapes[2].add(0, 9, 2, 0, 21);
  shapes[3].add(0, 3, 0, 0, 4);
  shapes[3].add(9, 40, 2, 1);
  return shapes;
}

Fixture mixed_program(int reach) {
  Fixture fixture(neurons);
  fixture.spec.into = {"q", "r"};
  fixture.add_register("r", 32, Rule::trap, true);
  fixture.spec.delay_max = 2;
  std::mt19937 random(3);
  const std::vector<Shape> shapes = shapes_in(fixture.arrays.index_target);
  std::int64_t weight = 0;
  for (std::size_t s = 0; s < shapes.size(); ++s) {
    add_shape(fixture, shapes[s]);
    for (int k = 0; k < group_size; ++k) {
      add_axon(fixture, static_cast<int>(s), s == 0 ? 0 : static_cast<int>(random() % 100), weight);
      if (s != 1 || k % 16 == 0) weight += shapes[s].weights;
    }
  }
  Ints codes(weight + 100);
  for (std::int32_t& code : codes) code = static_cast<std::int32_t>(random() % (2 * reach)) - reach;
  fixture.arrays.codes = codes;
  fixture.arrays.code_format = Bytes(codes.size());
  // First lines that have one packed row each, then any mixture.
  fixture.arrays.input_fan_start = {0};
  for (int line = 0; line < lines; ++line) {
    Ints& fan = fixture.arrays.input_fan_axon;
    std::set<std::int32_t> mixture;
    for (int k = line % 5; k > 0; --k)
      mixture.insert(static_cast<std::int32_t>(random() % fixture.arrays.axon_template.size()));
    if (line < group_size / 2) mixture = {line};
    fan.insert(fan.end(), mixture.begin(), mixture.end());
    fixture.arrays.input_fan_start.push_back(static_cast<std::int32_t>(fan.size()));
  }
  return fixture;
}

// Adds what one spike after the other adds; returns the number of additions.
std::int64_t plain_loops(const Fixture& fixture, const std::vector<Spike>& spikes, int slots,
                         std::int64_t arrival, std::int64_t end, std::vector<std::int64_t>& sums) {
  const Arrays& a = fixture.arrays;
  const auto receptors = static_cast<std::int64_t>(fixture.spec.into.size());
  std::int64_t additions = 0;
  for (const Spike& spike : spikes)
    for (int f = a.input_fan_start[spike.neuron]; f < a.input_fan_start[spike.neuron + 1]; ++f) {
      const int axon = a.input_fan_axon[f], shape = a.axon_template[axon];
      for (int r = a.template_run_start[shape]; r < a.template_run_start[shape + 1]; ++r) {
        if (arrival + a.run_delay[r] >= end) continue;
        const std::int64_t slot = (arrival + a.run_delay[r]) % slots;
        for (int k = 0; k < a.run_length[r]; ++k) {
          const int step = a.run_index[r] < 0 ? k : a.index_target[a.run_index[r] + k];
          const int neuron = a.axon_target[axon] + a.run_target[r] + step;
          sums[(slot * receptors + a.run_receptor[r]) * fixture.neurons() + neuron] +=
              std::int64_t{spike.n} * std::get<Ints>(a.codes)[a.axon_weight[axon] + a.run_weight[r] + k];
        }
        additions += std::int64_t{spike.n} * a.run_length[r];
      }
    }
  return additions;
}

// Whether the flags of the lines are known, too, makes no difference.
Spikes with_flags(const std::vector<Spike>& spikes, bool known, std::vector<std::uint8_t>& flags) {
  std::fill(flags.begin(), flags.end(), std::uint8_t{0});
  for (const Spike& spike : spikes) flags[spike.neuron] = spike.n == 1;
  return {spikes, known ? flags.data() : nullptr, true};
}

// One line in `rarity` spikes in a tick.
template <class Sum>
void check_spikes(const Fixture& fixture, unsigned rarity) {
  const Program program(fixture.spec, fixture.arrays);
  const Synapses<Sum> synapses(program, packed_fans(program, active_level()), active_level());
  std::mt19937 random(5);
  for (const std::int64_t end : {6, 8, 100}) {
    SynapseState<Sum> state = synapses.fresh();
    std::vector<std::int64_t> wanted(state.sums.size());
    std::int64_t additions = 0;
    std::vector<std::uint8_t> flags(program.inputs() + flag_slack);
    for (std::int64_t arrival = 5; arrival < 7; ++arrival) {
      std::vector<Spike> spikes;
      for (std::int32_t line = 0; line < program.inputs(); ++line)
        if (random() % rarity == 0) spikes.push_back({line, random() % 9 == 0 ? 3 : 1});
      synapses.arrive_from_lines(state, with_flags(spikes, arrival == 6, flags), arrival, end);
      if (arrival < end) additions += plain_loops(fixture, spikes, synapses.slots(), arrival, end, wanted);
    }
    EXPECT_EQ(state.additions, additions);
    EXPECT((std::vector<std::int64_t>(state.sums.begin(), state.sums.end()) == wanted));
  }
}

void packed_synapses_add_what_plain_loops_add() {
  check_spikes<std::int32_t>(mixed_program(127), 2);
  check_spikes<std::int32_t>(mixed_program(30000), 2);
  check_spikes<std::int64_t>(mixed_program(127), 2);
  check_spikes<std::int64_t>(mixed_program(1000000), 2);
}

constexpr int side = 6, kernel_side = 3;

// The runs of a source of a convolution with padding, channels last; the kernel is [in][y][x][out].
Shape patch_of(int row, int column, int channel, int out) {
  Shape shape;
  for (int y = kernel_side - 1; y >= 0; --y)  // targets ascend
    for (int x = kernel_side - 1; x >= 0; --x) {
      const int to_row = row + 1 - y, to_column = column + 1 - x;
      if (to_row < 0 || to_row >= side || to_column < 0 || to_column >= side) continue;
      const std::int64_t weight = std::int64_t{(channel * kernel_side + y) * kernel_side + x} * out;
      shape.runs.push_back({(to_row * side + to_column) * out, out, weight, 0, 0, -1});
    }
  return shape;
}

Fixture convolution(int out, int reach, int channels = 4) {
  Fixture fixture(side * side * out);
  std::mt19937 random(4);
  for (int source = 0; source < side * side * channels; ++source) {
    const int pixel = source / channels;
    add_shape(fixture, patch_of(pixel / side, pixel % side, source % channels, out));
    add_axon(fixture, source, 0, 0);
    fixture.arrays.input_fan_axon.push_back(source);
    fixture.arrays.input_fan_start.push_back(source + 1);
  }
  Ints codes(channels * kernel_side * kernel_side * out);
  for (std::int32_t& code : codes) code = static_cast<std::int32_t>(random() % (2 * reach)) - reach;
  fixture.arrays.codes = codes;
  fixture.arrays.code_format = Bytes(codes.size());
  return fixture;
}

// Nine kinds of targets, at corners, edges and inside, share all kernels; tables of the widest rows would be
// too large, and of one channel few sources are neighbours.
void a_convolution_is_gathered_by_its_targets() {
  for (const int out : {16, 20, 48, 240}) {
    const Fixture fixture = convolution(out, 127);
    const Program program(fixture.spec, fixture.arrays);
    const auto fans = packed_fans(program, active_level());
    EXPECT_EQ(fans->gathers.size(), 1u);
    EXPECT_EQ(fans->gathers[0].outputs.size(), std::size_t(side * side));
    EXPECT_EQ(fans->gathers[0].width != 0, out < 200);
    EXPECT_EQ(fans->gathers[0].shapes.size(), 9u);
    for (const unsigned rarity : {2, 10, 60}) {  // the last one goes source by source
      check_spikes<std::int16_t>(convolution(out, 100), rarity);
      check_spikes<std::int32_t>(fixture, rarity);
      check_spikes<std::int16_t>(convolution(out, 100, 1), rarity);
      check_spikes<std::int32_t>(convolution(out, 30000), rarity);
      check_spikes<std::int64_t>(convolution(out, 1000000), rarity);
    }
  }
  const Fixture narrow = convolution(8, 127);
  EXPECT(packed_fans(Program(narrow.spec, narrow.arrays), active_level())->gathers.empty());
}

void dense_rows_are_packed_once_and_in_step() {
  const Fixture fixture = mixed_program(127);
  const Program program(fixture.spec, fixture.arrays);
  const Fans fans(program, row_lane_bytes(program.weights, active_level()));
  EXPECT_EQ(fans.groups.size(), 1u);
  EXPECT_EQ(fans.segments.front().end, group_size / 2);
  EXPECT_EQ(fans.segments.front().group, 0);
  EXPECT_EQ(fans.packed->patch_runs.size(), 3u);
  EXPECT(fans.packed->records.size() > 0);
}

}  // namespace

int main() {
  skip_unless_level_runs();
  packed_synapses_add_what_plain_loops_add();
  dense_rows_are_packed_once_and_in_step();
  a_convolution_is_gathered_by_its_targets();
}
