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
  const std::vector<Ints> grid = combinations({values, values, values, {0, 1}, {-7, 12}});
  Fixture fixture(static_cast<int>(grid[0].size()));
  fixture.add_register("r", 32, Rule::saturate, true, grid[0]);
  for (const auto& [name, k] : {std::pair{"pos", 1}, {"neg", 2}, {"mode", 3}, {"back", 4}})
    fixture.add_param(name, grid[k]);
  fixture.add_operation("fire2", {{"reg", r},
                                  {"pos", std::string("pos")},
                                  {"neg", std::string("neg")},
                                  {"cmp", cmp},
                                  {"neg_cmp", neg_cmp},
                                  {"mode", std::string("mode")},
                                  {"r", std::string("back")}});
  const Outcome got = after_one_tick(fixture);
  for (std::size_t i = 0; i < grid[0].size(); ++i) {
    const Wide x = grid[0][i], pos = grid[1][i], neg = grid[2][i], back = grid[4][i];
    const bool above = cmp == "gt" ? x > pos : x >= pos, below = neg_cmp == "lt" ? x < neg : x <= neg;
    const bool subtracts = grid[3][i] != 0;
    const Wide after = above ? (subtracts ? x - pos : back) : below ? (subtracts ? x - neg : -back) : x;
    EXPECT_EQ(got.spikes[i], Wide{above});
    EXPECT_EQ(got.registers.at("r")[i], saturated(after));
  }
}

void two_thresholds() {
  for (const Ints& values : {small, extreme})
    for (const char* cmp : {"gt", "ge"})
      for (const char* neg_cmp : {"lt", "le"}) check_fire2(cmp, neg_cmp, values);
}

void several_spikes(Rule rule, const Ints& thresholds) {
  const std::vector<Ints> grid =
      combinations({{-128, -1, 0, 1, 5, 63, 126, 127}, thresholds, {0, 1, 2, 31, 400}});
  Fixture fixture(static_cast<int>(grid[0].size()));
  fixture.add_register("r", 8, rule, true, grid[0]);
  fixture.add_param("thr", grid[1]);
  fixture.add_param("max", grid[2]);
  fixture.add_operation("multi_fire", {{"reg", r}, {"thr", std::string("thr")}, {"max", std::string("max")}});
  const Outcome got = after_one_tick(fixture);
  for (std::size_t i = 0; i < grid[0].size(); ++i) {
    Wide x = grid[0][i], n = 0;
    while (x >= grid[1][i] && n < grid[2][i]) {
      ++n;
      x -= grid[1][i];
      x = rule == Rule::saturate ? std::clamp<Wide>(x, -128, 127) : ((x + 128) & 255) - 128;
    }
    EXPECT_EQ(got.spikes[i], n);
    EXPECT_EQ(got.registers.at("r")[i], x);
  }
}

}  // namespace

int main() {
  skip_unless_level_runs();
  one_threshold();
  two_thresholds();
  for (const Rule rule : {Rule::saturate, Rule::wrap}) {
    several_spikes(rule, {1, 2, 3, 127});
    several_spikes(rule, {-128, -5, -1, 0, 1, 40});
  }
}
