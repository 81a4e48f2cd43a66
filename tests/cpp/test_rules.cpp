// Every rule at every width: all small values, and the ends of the large widths; kernels equal the one-value
// form.
#include <cstdint>
#include <vector>

#include "expect.hpp"
#include "soma/block.hpp"
#include "soma/rule.hpp"

using namespace spikeloom;

namespace {

Target target_for(Rule rule, int bits, bool is_signed) {
  RegisterSpec spec;
  spec.bits = bits;
  spec.is_signed = is_signed;
  spec.rule = rule;
  return {0, rule, bits, is_signed, register_range(spec), 0};
}

// The definition of each rule, digit by digit as the contract words it.
std::int64_t defined(Rule rule, int bits, bool is_signed, std::int64_t x) {
  const std::int64_t turn = std::int64_t{1} << bits, half = turn / 2;
  const std::int64_t lo = is_signed ? -half : 0, hi = is_signed ? half - 1 : turn - 1;
  if (rule == Rule::saturate) return x < lo ? lo : x > hi ? hi : x;
  if (rule == Rule::wrap) {
    while (x < lo) x += turn;
    while (x > hi) x -= turn;
    return x;
  }
  if (rule == Rule::wrap_lava24) {
    if (x > half) x -= turn;
    if (x <= -half) x += turn;
  }
  return x;
}

bool fits(int bits, bool is_signed, std::int64_t x) {
  const std::int64_t turn = std::int64_t{1} << bits;
  return is_signed ? -turn / 2 <= x && x < turn / 2 : 0 <= x && x < turn;
}

std::vector<std::int64_t> values_around(int bits) {
  std::vector<std::int64_t> values;
  const std::int64_t turn = std::int64_t{1} << bits;
  for (const std::int64_t middle : {-turn, -turn / 2, std::int64_t{0}, turn / 2, turn})
    for (std::int64_t d = -20; d <= 20; ++d) values.push_back(middle + d);
  return values;
}

void one_value_follows_the_definition() {
  for (const Rule rule : {Rule::wrap, Rule::saturate, Rule::wrap_lava24})
    for (int bits = 1; bits <= 32; ++bits)
      for (const bool is_signed : {true, false}) {
        if (!is_signed && (bits == 32 || rule == Rule::wrap_lava24)) continue;
        for (const std::int64_t x : values_around(bits)) {
          const std::int64_t wanted = defined(rule, bits, is_signed, x);
          if (!fits(32, true, wanted)) continue;
          bool acted = false, trapped = false;
          EXPECT_EQ(through_rule(target_for(rule, bits, is_signed), x, acted, trapped), wanted);
          EXPECT_EQ(acted, wanted != x);
          EXPECT(!trapped);
        }
      }
}

void trap_tells_what_does_not_fit() {
  for (int bits = 1; bits <= 31; ++bits)
    for (const bool is_signed : {true, false})
      for (const std::int64_t x : values_around(bits)) {
        bool acted = false, trapped = false;
        through_rule(target_for(Rule::trap, bits, is_signed), x, acted, trapped);
        EXPECT_EQ(trapped, !fits(bits, is_signed, x));
      }
}

void intervals_after_a_rule_hold_every_value() {
  for (const Rule rule : {Rule::wrap, Rule::saturate, Rule::wrap_lava24})
    for (std::int64_t lo = -40; lo <= 40; lo += 3)
      for (std::int64_t hi = lo; hi <= 40; ++hi) {
        const Target target = target_for(rule, 4, true);
        const Interval after = after_rule(target, {lo, hi});
        for (std::int64_t x = lo; x <= hi; ++x) EXPECT(after.contains(defined(rule, 4, true, x)));
      }
}

// What a block writes, neuron by neuron, equals the rule of one value; masked neurons keep theirs.
template <class Lane>
void check_commit(Rule rule, int bits, bool is_signed, const std::vector<Lane>& values, bool masked) {
  static const RuleKernels<std::int32_t> kernels(active_level());
  const int count = static_cast<int>(values.size());
  std::vector<std::int32_t> registers(count, 77), where(count);
  for (int i = 0; i < count; ++i) where[i] = i % 3 != 0 ? i : 0;
  std::uint64_t counter = 0;
  Block<std::int32_t> block;
  block.count = count;
  block.registers = registers.data();
  block.neurons = count;
  block.counters = &counter;
  block.rules = &kernels;
  const Target target = target_for(rule, bits, is_signed);
  block.commit(target, values.data(), masked ? where.data() : nullptr);
  std::uint64_t changes = 0;
  for (int i = 0; i < count; ++i) {
    bool acted = false, trapped = false;
    const std::int32_t wanted = through_rule(target, values[i], acted, trapped);
    const bool written = !masked || where[i] != 0;
    EXPECT_EQ(registers[i], written ? wanted : 77);
    changes += written && acted;
  }
  EXPECT_EQ(counter, changes);
}

void kernels_equal_the_one_value_form() {
  for (const Rule rule : {Rule::wrap, Rule::saturate, Rule::wrap_lava24})
    for (const int bits : {1, 4, 16, 22, 24, 31, 32})
      for (const bool is_signed : {true, false})
        for (const bool masked : {true, false}) {
          if (!is_signed && (bits == 32 || rule == Rule::wrap_lava24)) continue;
          std::vector<std::int64_t> wide;
          std::vector<std::int32_t> narrow;
          for (const std::int64_t x : values_around(bits))
            if (fits(32, true, defined(rule, bits, is_signed, x))) {
              wide.push_back(x);
              if (fits(32, true, x)) narrow.push_back(static_cast<std::int32_t>(x));
            }
          check_commit(rule, bits, is_signed, wide, masked);
          check_commit(rule, bits, is_signed, narrow, masked);
        }
}

}  // namespace

int main() {
  skip_unless_level_runs();
  one_value_follows_the_definition();
  trap_tells_what_does_not_fit();
  intervals_after_a_rule_hold_every_value();
  kernels_equal_the_one_value_form();
}
