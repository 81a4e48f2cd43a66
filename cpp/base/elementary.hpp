// Elementary functions in plain + - * / and square root alone, so that every machine, compiler and vector
// width gives the same bits. Nothing here calls the C library.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>

#include "base/level.hpp"

namespace spikeloom {

// Terms of the series below: 1 / n!, and 1 / (2 n + 1).
inline constexpr double inverse_factorial[] = {
    1.0 / 1.0,       1.0 / 1.0,        1.0 / 2.0,         1.0 / 6.0,         1.0 / 24.0,
    1.0 / 120.0,     1.0 / 720.0,      1.0 / 5040.0,      1.0 / 40320.0,     1.0 / 362880.0,
    1.0 / 3628800.0, 1.0 / 39916800.0, 1.0 / 479001600.0, 1.0 / 6227020800.0};
inline constexpr double inverse_odd[] = {1.0 / 1.0,  1.0 / 3.0,  1.0 / 5.0,  1.0 / 7.0,
                                         1.0 / 9.0,  1.0 / 11.0, 1.0 / 13.0, 1.0 / 15.0,
                                         1.0 / 17.0, 1.0 / 19.0, 1.0 / 21.0};

// c[0] + t (c[1] + t (c[2] + ...)).
template <int count>
SPIKELOOM_INLINE double horner(const double (&c)[count], double t) {
  double sum = c[count - 1];
#pragma GCC unroll 32  // whole, or no loop around it becomes one over vectors
  for (int k = count - 2; k >= 0; --k) sum = c[k] + t * sum;
  return sum;
}

inline constexpr double log2_e = 1.4426950408889634;
inline constexpr double ln2_high = 0.6931471803691238, ln2_low = 1.9082149292705877e-10;

// e^x, x taken into [-708, 709]; relative error below 1e-15. k = x / ln 2 to the nearest (even) integer,
// e^x = 2^k times the series of e^r to its 13th power, r = (x - k ln2_high) - k ln2_low.
SPIKELOOM_INLINE double exp_of(double x) {
  x = x < -708.0 ? -708.0 : x > 709.0 ? 709.0 : x;
  constexpr double magic = 6755399441055744.0;  // 1.5 2^52: adding it rounds to an integer
  const double shifted = x * log2_e + magic;
  const double k = shifted - magic;
  const double r = (x - k * ln2_high) - k * ln2_low;
  const std::int64_t exponent = std::bit_cast<std::int64_t>(shifted) - std::bit_cast<std::int64_t>(magic);
  return horner(inverse_factorial, r) * std::bit_cast<double>((exponent + 1023) << 52);
}

// ln x, x taken up to the smallest normal number; error below 1e-15 relative, or absolute near 1.
// x = m 2^e, m in [0.75, 1.5); ln x = e ln2_high + (2 s (series of atanh(s) / s in s^2) + e ln2_low),
// s = (m - 1) / (m + 1).
SPIKELOOM_INLINE double log_of(double x) {
  constexpr double least = std::numeric_limits<double>::min();
  x = x > least ? x : least;
  const std::int64_t bits = std::bit_cast<std::int64_t>(x);
  constexpr std::int64_t three_quarters = 0x3FE8000000000000;
  const std::int64_t exponent = (bits - three_quarters) >> 52;
  const double m = std::bit_cast<double>(bits - (exponent << 52));
  const double e = static_cast<double>(static_cast<std::int32_t>(exponent));
  const double s = (m - 1.0) / (m + 1.0);
  return e * ln2_high + (2.0 * s * horner(inverse_odd, s * s) + e * ln2_low);
}

// Chebyshev fits of z / x against the exact inverse of the normal distribution: in w up to 5, in sqrt w
// above.
inline constexpr double normal_middle[] = {
    2.1233134670428684,     0.8720050611762219,     -0.03692262390361028,   -0.02768120005547204,
    0.012056782394492937,   -0.0006899615279124273, -0.0011799169362733818, 0.0004131423823346528,
    2.973731223938311e-05,  -5.854905887836021e-05, 1.1060098704365998e-05, 4.145253956186078e-06,
    -1.7305699309705327e-06};
inline constexpr double normal_tail[] = {
    4.671505672557389,      1.754773175845961,       0.0074739385170720304,  -0.005845350569038066,
    0.003939552044359968,   -0.003081749011957478,   0.0023892066661738384,  -0.0014898758845461532,
    0.0006012122362710241,  -1.931304909961593e-05,  -0.0002037234850583825, 0.0001688337358207003,
    -3.615124999203851e-05, -2.9129248292892087e-05, 1.442204883097608e-05};

// The normal number of one random word: z with P(z) = (word + 1/2) / 2^32, |error| < 1e-9, up to 6.3 sigma.
// x = 2 P - 1, w = -ln(1 - x^2); z = x p(w / 2.5 - 1) for w <= 5, else x q((sqrt w - 3.468) / 1.232).
SPIKELOOM_INLINE double normal_of(std::uint32_t word) {
  const double above = (static_cast<double>(word) + 0.5) * 0x1p-31;  // 1 + x
  const double w = -log_of(above * (2.0 - above));
  const double middle = horner(normal_middle, w / 2.5 - 1.0);
  const double tail = horner(normal_tail, (__builtin_sqrt(w) - 3.468) / 1.232);
  return (above - 1.0) * (w <= 5.0 ? middle : tail);
}

}  // namespace spikeloom
