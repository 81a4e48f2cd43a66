// Rows of every weight type, dense and listed, one spike and several, against plain loops; the bounds hold
// them.
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "expect.hpp"
#include "fixture.hpp"
#include "program/effective.hpp"
#include "synapse/bounds.hpp"
#include "synapse/dense.hpp"
#include "synapse/rows.hpp"

using namespace spikeloom;

namespace {

template <class Stored>
Weights weights_of(int count, int reach, int shift) {
  std::mt19937 random(7);
  std::uniform_int_distribution<int> draw(-reach, reach);
  Table<Stored> values(count);
  for (Stored& value : values) value = static_cast<Stored>(draw(random));
  return {values, shift};
}

// Runs of lengths 1 to 40, dense and listed, delays 0 to 2, two receptors.
template <class Sum, class Stored>
void check_rows_of(int reach, std::int64_t n) {
  const int neurons = 64, slots = 3, receptors = 2;
  const Weights weights = weights_of<Stored>(4000, reach, 0);
  const auto& values = std::get<Table<Stored>>(weights.values);
  Ints index;
  std::vector<Run> runs;
  std::int64_t offset = 0;
  for (int delay = 0; delay < slots; ++delay)
    for (int receptor = 0; receptor < receptors; ++receptor)
      for (const int length : {1, 3, 16, 17, 40})
        for (const bool listed : {false, true}) {
          runs.push_back(
              {length % 5, length, offset, delay, receptor, listed ? std::int64_t(index.size()) : -1});
          for (int k = 0; listed && k < length; ++k) index.push_back(k + k / 3);
          offset += length;
        }
  std::vector<Sum> sums(slots * receptors * neurons), wanted(sums.size());
  const Row row{runs.data(), runs.data() + runs.size(), 2, 5, n, 2, 1};
  std::int64_t additions = 0;
  for (const Run& run : runs) {
    if (run.delay > row.longest) continue;
    for (int k = 0; k < run.length; ++k) {
      const int step = run.index < 0 ? k : index[run.index + k];
      const int slot = (2 + run.delay) % slots;
      Sum& sum = wanted[(slot * receptors + run.receptor) * neurons + 2 + run.target + step];
      for (std::int64_t i = 0; i < n; ++i) sum += static_cast<Sum>(values[5 + run.weight + k]);
      additions += n;
    }
  }
  const Ring<Sum> ring{sums.data(), neurons, receptors, slots};
  const auto got = add_row<Sum>(weights, active_level())(ring, row, values.data(), index.data());
  EXPECT_EQ(got, additions);
  EXPECT(sums == wanted);
}

void rows_add_what_plain_loops_add() {
  for (const std::int64_t n : {1, 2, 255}) {
    check_rows_of<std::int32_t, std::int8_t>(127, n);
    check_rows_of<std::int32_t, std::int16_t>(32000, n);
    check_rows_of<std::int32_t, std::int32_t>(1000000, n);
    check_rows_of<std::int64_t, std::int8_t>(127, n);
    check_rows_of<std::int64_t, std::int16_t>(32000, n);
    check_rows_of<std::int64_t, std::int32_t>(2000000000, n);
    check_rows_of<std::int64_t, std::int64_t>(2000000000, n);
    check_rows_of<double, double>(1000000, n);
  }
}

// Many rows at once, extremes included: more rows than the narrow lanes hold, every length of a rest.
template <class Sum, class Stored>
void check_many_rows(std::int64_t rows) {
  const int longest = 1100, different = 40;
  std::mt19937 random(9);
  Table<Stored> values(different * longest);
  for (Stored& value : values) {
    const auto draw = random();
    value = draw % 4 == 0   ? std::numeric_limits<Stored>::min()
            : draw % 4 == 1 ? std::numeric_limits<Stored>::max()
                            : static_cast<Stored>(draw >> 8);
  }
  const Weights weights{values, 0};
  const int lane_bytes = row_lane_bytes(weights, active_level());
  const int stride = (longest * int{sizeof(Stored)} + 63) / 64 * 64;
  for (const int length : {1, 7, 15, 16, 31, 33, 63, 64, 65, 127, 128, 129, 200, 300, 512, 1100}) {
    Table<std::byte> packed(different * stride);
    for (int r = 0; r < different; ++r)
      pack_row(weights, r * longest, length, lane_bytes, packed.data() + r * stride);
    std::vector<std::int64_t> places;
    std::vector<Sum> sums(length + 1, 5), wanted(sums);
    for (std::int64_t i = 0; i < rows; ++i) {
      const int r = i % 3 == 0 ? 7 : static_cast<int>(random() % different);
      places.push_back(r * stride);
      for (int k = 0; k < length; ++k) wanted[k] += values[r * longest + k];
    }
    add_rows<Sum>(weights, active_level())(sums.data(), packed.data(), places.data(), rows, length);
    EXPECT(sums == wanted);
  }
}

void many_rows_add_what_plain_loops_add() {
  for (const std::int64_t rows : {0, 1, 2, 254, 255, 256, 511, 700}) {
    if (rows < 255) check_many_rows<std::int16_t, std::int8_t>(rows);
    check_many_rows<std::int32_t, std::int8_t>(rows);
    check_many_rows<std::int64_t, std::int8_t>(rows);
    check_many_rows<std::int64_t, std::int16_t>(rows);
  }
  check_many_rows<std::int64_t, std::int16_t>(66000);
  EXPECT_EQ(row_lane_bytes(Weights{Table<double>{1.0}, 0}, active_level()), 0);
  EXPECT((add_rows<double>(Weights{Table<double>{1.0}, 0}, active_level()) == nullptr));
  EXPECT((add_rows<std::int64_t>(Weights{Table<std::int32_t>{1}, 0}, active_level()) == nullptr));
}

// Partial sums may leave 32 bits where the total comes back into them.
void partial_sums_may_leave_the_width() {
  Fixture fixture(1);
  for (int i = 0; i < 3; ++i) fixture.add_input_row(0, {i < 2 ? 8000000 : -8000000});
  fixture.add_register("v", 32, Rule::saturate, true);
  fixture.add_operation("sum", {{"dst", std::string("v")}, {"terms", std::vector<Operand>{"v", "q"}}});
  const auto machine = fixture.machine();
  const auto session = machine->open({Trial{}}, false);
  const std::uint8_t counts[] = {255, 100, 200};
  session->tick(counts);
  EXPECT_EQ(session->registers(1).ints[0], 8000000 * 155);
}

void bounds_are_reached_and_never_passed() {
  Fixture fixture(3);
  fixture.add_input_row(0, {5, -7, 0});
  fixture.add_input_row(1, {100, 3});
  const Program program(fixture.spec, fixture.arrays);
  const std::vector<Interval> bounds = arriving_bounds(program, 255, 1);
  EXPECT_EQ(bounds.size(), 1u);
  EXPECT((bounds[0] == Interval{-7 * 255, 100 * 255}));
  EXPECT((arriving_bounds(program, 1, 1)[0] == Interval{-7, 100}));
}

void the_narrowest_weights_that_are_exact() {
  const auto stored = [](const Ints& codes) {
    Fixture fixture(static_cast<int>(codes.size()));
    fixture.add_input_row(0, codes);
    return Program(fixture.spec, fixture.arrays).weights;
  };
  const Weights even = stored({-256, 254, 6});
  EXPECT_EQ(even.shift, 1);
  EXPECT((std::get<Table<std::int8_t>>(even.values) == Table<std::int8_t>{-128, 127, 3}));
  EXPECT(std::holds_alternative<Table<std::int16_t>>(stored({255, 1}).values));
  EXPECT(std::holds_alternative<Table<std::int32_t>>(stored({70001, 2}).values));
  EXPECT(std::holds_alternative<Table<std::int8_t>>(stored({0, 0}).values));
}

}  // namespace

int main() {
  skip_unless_level_runs();
  rows_add_what_plain_loops_add();
  many_rows_add_what_plain_loops_add();
  partial_sums_may_leave_the_width();
  bounds_are_reached_and_never_passed();
  the_narrowest_weights_that_are_exact();
}
