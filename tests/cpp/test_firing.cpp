// Operations that make spikes, on every combination of extreme operands against their definitions.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "expect.hpp"
#include "extremes.hpp"
#include "fixture.hpp"

using namespace spikeloom;

namespace {

const std::string r = "r";

// r, thr and gate on every combination; a counter that is started.
void check_fire(const std::string& cmp, const std::string& reset, const Ints& values) {
  const std::vector<Ints> grid = combinations({values, values, {0, 3}});
  Fixture fixture(static_cast<int>(grid[0].size()));
  fixture.add_register("r", 32, Rule::saturate, true, grid[0]);
  fixture.add_register("counter", 8, Rule::wrap, false);
  fixture.add_param("thr", grid[1]);
  fixture.add_param("gate", grid[2]);
  fixture.add_operation(
      "fire", {{"reg", r},
               {"cmp", cmp},
               {"thr", std::string("thr")},
               {"reset", reset},
               {"value", std::int64_t{-9}},
               {"gate", std::string("gate")},
               {"start", std::vector<std::pair<std::string, Operand>>{{"counter", std::int64_t{300}}}}});
  const Outcome got = after_one_tick(fixture);
  for (std::size_t i = 0; i < grid[0].size(); ++i) {
    const Wide x = grid[0][i], thr = grid[1][i];
    const bool over = cmp == "gt" ? x > thr : x >= thr && (cmp == "ge" || x >= 0);
    const Wide after = reset == "zero" ? 0 : reset == "value" ? -9 : reset == "subtract" ? x - thr : x;
    EXPECT_EQ(got.spikes[i], over && grid[2][i] == 0);
    EXPECT_EQ(got.registers.at("r")[i], over ? saturated(after) : x);
    EXPECT_EQ(got.registers.at("counter")[i], over ? 300 - 256 : 0);
  }
}

void one_threshold() {
  for (const Ints& values : {small, extreme})
    for (const char* cmp : {"gt", "ge", "ge_nonneg"})
      for (const char* reset : {"zero", "value", "subtract", "none"}) check_fire(cmp, reset, values);
}

void check_fire2(const std::string& cmp, const std::string& neg_cmp, const Ints& values) {
  const std::vector<Ints> grid = combinations({values, values, values, {0, 1, 2}, {-7, 12}, {0, 1}});
  Fixture fixture(static_cast<int>(grid[0].size()));
  fixture.add_register("r", 32, Rule::saturate, true, grid[0]);
  for (const auto& [name, k] : {std::pair{"pos", 1}, {"neg", 2}, {"mode", 3}, {"back", 4}, {"stop", 5}})
    fixture.add_param(name, grid[k]);
  fixture.add_operation("fire2", {{"reg", r},
                                  {"pos", std::string("pos")},
                                  {"neg", std::string("neg")},
                                  {"cmp", cmp},
                                  {"neg_cmp", neg_cmp},
                                  {"mode", std::string("mode")},
                                  {"r", std::string("back")},
                                  {"saturate", std::string("stop")}});
  const Outcome got = after_one_tick(fixture);
  for (std::size_t i = 0; i < grid[0].size(); ++i) {
    const Wide x = grid[0][i], pos = grid[1][i], neg = grid[2][i], back = grid[4][i];
    const bool above = cmp == "gt" ? x > pos : x >= pos, below = neg_cmp == "lt" ? x < neg : x <= neg;
    const Wide up[] = {back, x - pos, x}, down[] = {-back, x - neg, x};
    const Wide after = above ? up[grid[3][i]] : !below ? x : grid[5][i] != 0 ? neg : down[grid[3][i]];
    EXPECT_EQ(got.spikes[i], Wide{above});
    EXPECT_EQ(got.registers.at("r")[i], saturated(after));
  }
}

void two_thresholds() {
  for (const Ints& values : {small, extreme})
    for (const char* cmp : {"gt", "ge"})
      for (const char* neg_cmp : {"lt", "le"}) check_fire2(cmp, neg_cmp, values);
}

void several_spikes(Rule rule, const std::string& reset, const Ints& thresholds) {
  const std::vector<Ints> grid =
      combinations({{-128, -1, 0, 1, 5, 63, 126, 127}, thresholds, {0, 1, 2, 31, 400}});
  Fixture fixture(static_cast<int>(grid[0].size()));
  fixture.add_register("r", 8, rule, true, grid[0]);
  fixture.add_param("thr", grid[1]);
  fixture.add_param("max", grid[2]);
  fixture.add_operation(
      "multi_fire", {{"reg", r}, {"thr", std::string("thr")}, {"max", std::string("max")}, {"reset", reset}});
  const bool saturates = rule == Rule::saturate && reset == "subtract";
  const Outcome got = after_one_tick(fixture);
  for (std::size_t i = 0; i < grid[0].size(); ++i) {
    Wide x = grid[0][i], n = 0;
    while (x >= grid[1][i] && n < grid[2][i]) {
      ++n;
      x -= grid[1][i];
      x = saturates ? std::clamp<Wide>(x, -128, 127) : ((x + 128) & 255) - 128;
    }
    EXPECT_EQ(got.spikes[i], n);
    EXPECT_EQ(got.registers.at("r")[i], x);
  }
}

// Every neuron has fired `own` times by itself; sources give to `offset`, in their turn.
void check_aliases(const Ints& own, const Ints& offset, std::int64_t max) {
  const int neurons = static_cast<int>(own.size());
  Ints start(neurons);
  std::transform(own.begin(), own.end(), start.begin(), [](int n) { return 10 * n; });
  Fixture fixture(neurons);
  fixture.add_register("r", 16, Rule::saturate, true, start);
  fixture.add_param("offset", offset);
  fixture.add_operation("multi_fire", {{"reg", r}, {"thr", std::int64_t{10}}, {"max", std::int64_t{31}}});
  fixture.add_operation("alias", {{"offset", std::string("offset")}, {"max", max}});
  std::vector<Wide> n(neurons), rest(start.begin(), start.end());
  for (int i = 0; i < neurons; ++i) {
    for (; rest[i] >= 10 && n[i] < 31; rest[i] -= 10) ++n[i];
    if (offset[i] != 0) n[i + offset[i]] = std::min<Wide>(max, n[i + offset[i]] + n[i]);
  }
  const Outcome got = after_one_tick(fixture);
  for (int i = 0; i < neurons; ++i) {
    EXPECT_EQ(got.spikes[i], n[i]);
    EXPECT_EQ(got.registers.at("r")[i], rest[i]);
  }
}

void aliases() {
  check_aliases({2, 1, 4, 0}, {1, 2, -2, 0}, 31);
  check_aliases({30, 5, 40}, {1, -1, -1}, 31);
  check_aliases({0, 0, 9}, {2, 1, -1}, 5);
  const int many = 3 * 256 + 7;  // copies cross blocks in both directions
  Ints own(many), offset(many);
  for (int i = 0; i < many; ++i) {
    own[i] = i * 7 % 5;
    offset[i] = i % 3 == 0 ? (i * 131 % many) - i : 0;
  }
  check_aliases(own, offset, 31);
}

void aliases_stay_on_their_core_and_behind_multi_fire() {
  Fixture fixture(4);
  fixture.add_register("r", 16, Rule::saturate, true);
  fixture.add_param("offset", {0, 1, 0, 0});
  fixture.add_operation("multi_fire", {{"reg", r}, {"thr", std::int64_t{10}}, {"max", std::int64_t{31}}});
  fixture.add_operation("alias", {{"offset", std::string("offset")}, {"max", std::int64_t{31}}});
  fixture.arrays.core_neuron_start = {0, 2, 4};
  fixture.arrays.core_axon_start = {0, 0, 0};
  EXPECT_THROWS(ProgramError,
                "params.offset[1]: copies spikes to a neuron outside core 0; got 2, limit 0 to 1",
                fixture.machine());
  fixture.arrays.params["offset"] = Ints{0, -1, 1, 0};
  fixture.machine();
  std::swap(fixture.spec.operations[0], fixture.spec.operations[1]);
  EXPECT_THROWS(ProfileError, "must follow multi_fire directly", fixture.machine());
}

}  // namespace

int main() {
  skip_unless_level_runs();
  one_threshold();
  two_thresholds();
  for (const Rule rule : {Rule::saturate, Rule::wrap}) {
    for (const char* reset : {"subtract", "wrap"}) {
      several_spikes(rule, reset, {1, 2, 3, 127});
      several_spikes(rule, reset, {-128, -5, -1, 0, 1, 40});
    }
  }
  aliases();
  aliases_stay_on_their_core_and_behind_multi_fire();
}
