// Philox against its published answers, many words and normal numbers against one at a time, encoders against
// exact arithmetic, intervals, errors.
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "base/encode.hpp"
#include "base/error.hpp"
#include "base/interval.hpp"
#include "base/kernel_in_lanes.hpp"
#include "base/normal_lanes.hpp"
#include "base/philox.hpp"
#include "base/philox_lanes.hpp"
#include "expect.hpp"

using namespace spikeloom;

namespace {

constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();

// Known answers published with the generator (Random123, kat_vectors).
void philox_gives_its_published_answers() {
  EXPECT((philox({0, 0, 0, 0}, {0, 0}) == PhiloxCounter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  const std::uint32_t ones = 0xffffffff;
  EXPECT((philox({ones, ones, ones, ones}, {ones, ones}) ==
          PhiloxCounter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT((philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
          PhiloxCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

// floor(1/2 + k x) where x = m / 2^e exactly, in integers.
std::int64_t emitted_exactly(double x, std::int64_t k) {
  int e = 0;
  const double mantissa = std::frexp(x, &e);
  const auto m = static_cast<std::int64_t>(std::ldexp(mantissa, 53));
  const int shift = 53 - e;  // x = m / 2^shift
  if (shift > 120) return 0;
  __extension__ using Wide = __int128;
  return static_cast<std::int64_t>((Wide{m} * k + (Wide{1} << (shift - 1))) >> shift);
}

void rate_is_exact() {
  std::mt19937_64 random(1);
  std::vector<double> values{1.0,
                             0.5,
                             0.25,
                             0.1,
                             0.3,
                             1.0 / 3,
                             1.0 / 6,
                             1.0 / 14,
                             1.0 / 64,
                             0x1p-60,
                             std::nextafter(0.5, 0),
                             std::nextafter(0.5, 1),
                             std::nextafter(1.0, 0)};
  for (int i = 0; i < 20000; ++i) values.push_back(std::ldexp(static_cast<double>(random() >> 11), -53));
  for (std::int64_t half = 1; half < 400; half += 2) {  // k x next to a half
    const double x = static_cast<double>(half) / 800;
    values.insert(values.end(), {x, std::nextafter(x, 0), std::nextafter(x, 1)});
  }
  for (const double x : values)
    for (std::int64_t k = 0; k <= 200; k += 1 + k / 20) EXPECT_EQ(emitted(x, k), emitted_exactly(x, k));
}

void rate_starts_half_full() {
  const double x[] = {0.0, 0.5, 1.0, 0.25};
  std::vector<std::uint8_t> spikes(5 * 6);
  encode_rate(x, 4, 5, spikes.data() + 1, 6);  // four of six lines, from the second on
  const std::vector<std::uint8_t> wanted{0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1,
                                         1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0};
  EXPECT(spikes == wanted);
}

void bernoulli_follows_its_words() {
  const double x[] = {0.0, 1.0, 0.5, 0.5, 0.5, 0.5};
  std::vector<std::uint8_t> spikes(3 * 6);
  encode_bernoulli(x, 6, 3, spikes.data(), 6, 7, 11, 2);
  for (std::uint32_t t = 0; t < 3; ++t) {
    EXPECT_EQ(int{spikes[t * 6]}, 0);
    EXPECT_EQ(int{spikes[t * 6 + 1]}, 1);
    for (std::uint32_t line = 2; line < 6; ++line) {
      const std::uint32_t index = 2 + line;
      const std::uint32_t word = philox({index >> 2, t, 11, 0}, {7, 1})[index & 3];
      EXPECT_EQ(int{spikes[t * 6 + line]}, int{word < 0x80000000u});
    }
  }
}

// Rows that begin and end anywhere; of 60,000 numbers some 200 are tails. Nothing behind a row is written.
void many_at_a_time_are_those_of_one_at_a_time() {
  const auto fill = kernel_in_lanes<FillManyWords>(active_level());
  const auto to_normals = kernel_in_lanes<ManyNormals>(active_level());
  std::uint32_t first = 0;
  int tails = 0;
  for (const int count : {1, 2, 3, 5, 16, 31, 63, 64, 65, 127, 255, 256, 257, 700, 4000, 54000}) {
    const Draw draw{{std::uint32_t(count), 2}, 3, 0xFFFFFFFF, 5};
    std::vector<std::uint32_t> one(count + 1, 7), many(count + 1, 7);
    std::vector<double> z(count + 1, 7.0), all(count + 1, 7.0);
    FillWords::run(one.data(), first, count, draw);
    fill(many.data(), first, count, draw);
    EXPECT((one == many));
    ToNormals::run(z.data(), one.data(), count);
    to_normals(all.data(), one.data(), count);
    EXPECT((z == all));
    for (int i = 0; i < count; ++i) tails += std::fabs(z[i]) > 3.0;
    first += static_cast<std::uint32_t>(count) + 1;
  }
  EXPECT(tails > 100);
}

// The words that are rarest: both ends, the middle, and where the tail begins.
void edges_of_normal_numbers_are_those_of_one_at_a_time() {
  std::vector<std::uint32_t> words;
  for (const std::uint32_t edge : {0u, 0x80000000u, detail::tail_words, 0u - detail::tail_words, 7'247'043u})
    for (std::uint32_t near = 0; near < 400; ++near) words.push_back(edge + near - 200);
  const int count = static_cast<int>(words.size());
  std::vector<double> z(count), all(count);
  ToNormals::run(z.data(), words.data(), count);
  kernel_in_lanes<ManyNormals>(active_level())(all.data(), words.data(), count);
  EXPECT((z == all));
}

void intervals_hold_or_refuse() {
  EXPECT((add({-3, 4}, {10, 20}) == Interval{7, 24}));
  EXPECT((subtract({-3, 4}, {10, 20}) == Interval{-23, -6}));
  EXPECT((multiply({-3, 4}, {-5, 2}) == Interval{-20, 15}));
  EXPECT_THROWS(ProfileError, "64 bits", add({0, highest}, {0, 1}));
  EXPECT_THROWS(ProfileError, "64 bits", subtract({lowest, 0}, {0, 1}));
  EXPECT_THROWS(ProfileError, "64 bits", multiply({lowest, 0}, {-1, 0}));
  EXPECT_EQ(add_or_saturate(highest, 5), highest);
  EXPECT_EQ(add_or_saturate(lowest, -5), lowest);
  EXPECT_EQ(multiply_or_saturate(highest, -2), lowest);
  EXPECT_EQ(multiply_or_saturate(lowest, -1), highest);
}

void errors_are_one_line_and_keep_their_data() {
  const ProgramError error("array codes[3]", "is wrong",
                           {.value = std::int64_t{5}, .limit = "0 to 4", .remedy = "x"});
  EXPECT_EQ(std::string(error.what()), "array codes[3]: is wrong; got 5, limit 0 to 4; x");
  EXPECT_EQ(std::get<std::int64_t>(error.facts.value), 5);
  EXPECT_EQ(std::string(EmulationError("a", "b", {.limit = 2.5}).what()), "a: b; limit 2.500000");
}

}  // namespace

int main() {
  skip_unless_level_runs();
  philox_gives_its_published_answers();
  rate_is_exact();
  rate_starts_half_full();
  bernoulli_follows_its_words();
  many_at_a_time_are_those_of_one_at_a_time();
  edges_of_normal_numbers_are_those_of_one_at_a_time();
  intervals_hold_or_refuse();
  errors_are_one_line_and_keep_their_data();
}
