// Every operation on every combination of extreme operands against its definition, in narrow and in wide
// lanes.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include "expect.hpp"
#include "extremes.hpp"
#include "fixture.hpp"

using namespace spikeloom;

namespace {

using Definition = std::function<Wide(Wide r, Wide a, Wide b)>;  // what register "r" becomes, before its rule

// Register r (32 bits, saturating) and parameters a, b on every combination.
void check_one(const std::string& op, std::map<std::string, Field> fields, const Ints& rs, const Ints& as,
               const Ints& bs, const Definition& definition) {
  const std::vector<Ints> grid = combinations({rs, as, bs});
  Fixture fixture(static_cast<int>(grid[0].size()));
  fixture.add_register("r", 32, Rule::saturate, true, grid[0]);
  fixture.add_param("a", grid[1]);
  fixture.add_param("b", grid[2]);
  fixture.add_operation(op, std::move(fields));
  const Ints got = after_one_tick(fixture).registers.at("r");
  for (std::size_t i = 0; i < got.size(); ++i)
    if (got[i] != saturated(definition(grid[0][i], grid[1][i], grid[2][i])))
      expect_failed(__FILE__, __LINE__, op.c_str(),
                    std::to_string(got[i]) + " from " + std::to_string(grid[0][i]) + ", " +
                        std::to_string(grid[1][i]) + ", " + std::to_string(grid[2][i]));
}

const std::string r = "r", a = "a", b = "b";

void sums() {
  for (const Ints& values : {small, extreme}) {
    check_one("sum", {{"dst", r}, {"terms", std::vector<Operand>{r, a}}}, values, values, {0},
              [](Wide x, Wide p, Wide) { return x + p; });
    check_one("sum", {{"dst", r}, {"terms", std::vector<Operand>{"-r", a}}}, values, values, {0},
              [](Wide x, Wide p, Wide) { return -x + p; });
    check_one("sum", {{"dst", r}, {"terms", std::vector<Operand>{"-a", "-b", r, std::int64_t{7}}}}, values,
              values, values, [](Wide x, Wide p, Wide q) { return -p - q + x + 7; });
    check_one("sum", {{"dst", r}, {"terms", std::vector<Operand>{"-r"}}}, values, {0}, {0},
              [](Wide x, Wide, Wide) { return -x; });
  }
}

void decay_by_a_product() {
  for (const Wide shift : {1, 7, 12, 15, 16, 24})
    for (const Wide offset : {0, 1}) {
      const auto whole = static_cast<std::int32_t>(1 << shift),
                 most = static_cast<std::int32_t>(whole - offset);
      const Ints params{0, 1, most / 2, most / 3, std::max(0, most - 1), most};
      const auto fields = [&](const char* round) -> std::map<std::string, Field> {
        return {
            {"reg", r}, {"param", a}, {"offset", offset}, {"shift", shift}, {"round", std::string(round)}};
      };
      const auto product = [=](Wide x, Wide p) { return x * (whole - offset - p); };
      const int s = static_cast<int>(shift);
      for (const Ints& values : {small, extreme}) {
        check_one("decay_mul", fields("trunc"), values, params, {0}, [=](Wide x, Wide p, Wide) {
          return sign(product(x, p)) * floor_shift(std::abs(product(x, p)), s);
        });
        check_one("decay_mul", fields("floor"), values, params, {0},
                  [=](Wide x, Wide p, Wide) { return floor_shift(product(x, p), s); });
        check_one("decay_mul", fields("nearest"), values, params, {0},
                  [=](Wide x, Wide p, Wide) { return floor_shift(product(x, p) + whole / 2, s); });
      }
    }
}

void decay_by_a_shift() {
  const Ints shifts{0, 1, 2, 8, 30, 31, 32, 62, 63};
  const auto step = [](Wide x, Wide p, bool at_least_one) {
    const Wide d = floor_shift(x, static_cast<int>(p));
    return at_least_one && d == 0 ? sign(x) : d;
  };
  for (const Ints& values : {small, extreme})
    for (const bool min_step : {false, true}) {
      const std::map<std::string, Field> fields{{"dst", r}, {"reg", r}, {"param", a}, {"min_step", min_step}};
      check_one("decay_shift", fields, values, shifts, {0},
                [=](Wide x, Wide p, Wide) { return x - step(x, p, min_step); });
      auto negated = fields;
      negated["negate"] = true;
      check_one("decay_shift", negated, values, shifts, {0},
                [=](Wide x, Wide p, Wide) { return -step(x, p, min_step); });
      auto wrapped = fields;
      wrapped["negate"] = std::string("wrap");  // only -(-2^31) leaves the width
      check_one("decay_shift", wrapped, values, shifts, {0}, [=](Wide x, Wide p, Wide) {
        const Wide d = -step(x, p, min_step);
        return d > int32_hi ? int32_lo : d;
      });
    }
}

void decay_by_a_difference() {
  for (const Ints& values : {small, extreme}) {
    check_one("decay_sub", {{"reg", r}, {"param", a}, {"toward", std::string("zero")}, {"enable", b}}, values,
              values, {0, 1, -5}, [](Wide x, Wide p, Wide on) {
                if (on == 0 || x == 0) return x;
                return x > 0 ? std::max<Wide>(0, x - p) : std::min<Wide>(0, x + p);
              });
    check_one("decay_sub", {{"reg", r}, {"param", a}, {"toward", std::string("floor0")}}, values, values, {0},
              [](Wide x, Wide p, Wide) { return std::max<Wide>(0, x - p); });
  }
}

void signed_leaks() {
  for (const Ints& values : {small, extreme})
    for (const bool guard : {true, false})
      check_one("leak_signed", {{"reg", r}, {"lambda", a}, {"eps", b}, {"guard", guard}}, values, values,
                {0, 1}, [=](Wide x, Wide lambda, Wide eps) {
                  const Wide moved = x + (eps == 0 ? 1 : sign(x)) * lambda;
                  return eps != 0 && guard && sign(moved) * sign(x) < 0 ? 0 : moved;
                });
}

void limits_and_zeros() {
  for (const Ints& values : {small, extreme}) {
    check_one("clip", {{"reg", r}, {"min", a}, {"max", b}}, values, values, values,
              [](Wide x, Wide lo, Wide hi) { return std::min(std::max(x, lo), hi); });
    check_one("clip", {{"reg", r}, {"min", a}}, values, values, {0},
              [](Wide x, Wide lo, Wide) { return std::max(x, lo); });
    check_one("clip", {{"reg", r}, {"max", a}}, values, values, {0},
              [](Wide x, Wide hi, Wide) { return std::min(x, hi); });
    check_one("clip", {{"reg", r}}, values, {0}, {0}, [](Wide x, Wide, Wide) { return x; });
    check_one("clear", {{"reg", r}, {"flag", a}}, values, values, {0},
              [](Wide x, Wide f, Wide) { return f != 0 ? 0 : x; });
    check_one("clear", {{"reg", r}}, values, {0}, {0}, [](Wide, Wide, Wide) { return 0; });
    check_one("count_down", {{"reg", r}}, values, {0}, {0},
              [](Wide x, Wide, Wide) { return std::max<Wide>(x - 1, 0); });
    check_one("hold_zero", {{"reg", r}, {"counter", r}}, values, {0}, {0},
              [](Wide x, Wide, Wide) { return x > 0 ? 0 : x; });
  }
}

void neurons_that_unless_holds_stay() {
  Fixture fixture(4);
  fixture.add_register("r", 16, Rule::saturate, true, {10, 10, 30000, 30000});
  fixture.add_register("busy", 4, Rule::wrap, false, {0, 2, 0, 2});
  fixture.add_operation(
      "sum",
      {{"dst", r}, {"terms", std::vector<Operand>{r, std::int64_t{5000}}}, {"unless", std::string("busy")}});
  fixture.add_operation("fire", {{"reg", r},
                                 {"cmp", std::string("ge")},
                                 {"thr", std::int64_t{5000}},
                                 {"reset", std::string("zero")},
                                 {"unless", std::string("busy")}});
  const Outcome got = after_one_tick(fixture);
  EXPECT((got.registers.at("r") == Ints{0, 10, 0, 30000}));
  EXPECT((got.spikes == Ints{1, 0, 1, 0}));
}

// A threshold of 2^40 fits no 32-bit lane.
void parameters_may_be_wide() {
  Fixture fixture(3);
  fixture.add_register("r", 32, Rule::trap, true, {-5, 0, 2147483647});
  fixture.add_param("big", {512, 0, 0});
  fixture.spec.params.back().format = ParamFormat::shift;
  fixture.spec.params.back().shift = 31;
  fixture.add_operation("fire", {{"reg", r},
                                 {"cmp", std::string("ge")},
                                 {"thr", std::string("big")},
                                 {"reset", std::string("subtract")}});
  const Outcome got = after_one_tick(fixture);
  EXPECT((got.spikes == Ints{0, 1, 1}));
  EXPECT((got.registers.at("r") == Ints{-5, 0, 2147483647}));
}

}  // namespace

int main() {
  skip_unless_level_runs();
  sums();
  decay_by_a_product();
  decay_by_a_shift();
  decay_by_a_difference();
  signed_leaks();
  limits_and_zeros();
  neurons_that_unless_holds_stay();
  parameters_may_be_wide();
}
