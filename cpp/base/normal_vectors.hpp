// What base/normals.hpp draws one by one, many at a time: the same bits.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/normals.hpp"

namespace spikeloom {
namespace detail {

constexpr int most_quads = 64;  // calls of Philox side by side
constexpr std::uint64_t philox_multiplier_0 = 0xD2511F53, philox_multiplier_1 = 0xCD9E8D57;
constexpr std::uint32_t philox_weyl_0 = 0x9E3779B9, philox_weyl_1 = 0xBB67AE85;

// One more round of every call; `key` is that of the round.
SPIKELOOM_INLINE void philox_round(std::uint32_t (&c)[4], const PhiloxKey& key) {
  const std::uint64_t product_0 = philox_multiplier_0 * c[0], product_1 = philox_multiplier_1 * c[2];
  const std::uint32_t c1 = c[1], c3 = c[3];
  c[0] = static_cast<std::uint32_t>(product_1 >> 32) ^ c1 ^ key[0];
  c[1] = static_cast<std::uint32_t>(product_1);
  c[2] = static_cast<std::uint32_t>(product_0 >> 32) ^ c3 ^ key[1];
  c[3] = static_cast<std::uint32_t>(product_0);
}

// words[4 j + k] = word k of the counter first + j. The rounds are written out, so that compilers see one
// loop over calls.
SPIKELOOM_INLINE void fill_quads(std::uint32_t* words, std::uint32_t first, int quads, const Draw& draw) {
  PhiloxKey keys[10];
  keys[0] = draw.key;
  for (int r = 1; r < 10; ++r) keys[r] = {keys[r - 1][0] + philox_weyl_0, keys[r - 1][1] + philox_weyl_1};
  const std::uint32_t second = draw.second, third = draw.third, fourth = draw.fourth;
  SPIKELOOM_INDEPENDENT
  for (int j = 0; j < quads; ++j) {
    std::uint32_t c[4] = {first + static_cast<std::uint32_t>(j), second, third, fourth};
    philox_round(c, keys[0]);
    philox_round(c, keys[1]);
    philox_round(c, keys[2]);
    philox_round(c, keys[3]);
    philox_round(c, keys[4]);
    philox_round(c, keys[5]);
    philox_round(c, keys[6]);
    philox_round(c, keys[7]);
    philox_round(c, keys[8]);
    philox_round(c, keys[9]);
    words[4 * j] = c[0];
    words[4 * j + 1] = c[1];
    words[4 * j + 2] = c[2];
    words[4 * j + 3] = c[3];
  }
}

}  // namespace detail

// As FillWords.
struct FillManyWords {
  SPIKELOOM_INLINE static void run(std::uint32_t* words, std::uint32_t first, int count, const Draw& draw) {
    std::uint32_t quads[4 * detail::most_quads];
    for (int i = 0; i < count;) {
      const std::uint32_t index = first + static_cast<std::uint32_t>(i), skipped = index & 3;
      const int wanted = std::min(count - i, 4 * detail::most_quads - static_cast<int>(skipped));
      detail::fill_quads(quads, index >> 2, (static_cast<int>(skipped) + wanted + 3) / 4, draw);
      std::memcpy(words + i, quads + skipped, wanted * sizeof(std::uint32_t));
      i += wanted;
    }
  }
};

namespace detail {

constexpr int wide =
    32;  // numbers side by side: several chains of dependent operations for a processor to mix
typedef double Reals __attribute__((vector_size(wide * 8)));
typedef std::uint64_t Words __attribute__((vector_size(wide * 8)));
typedef std::uint32_t Halves __attribute__((vector_size(wide * 4)));

template <int count>
SPIKELOOM_INLINE void horner(Reals& sum, const double (&c)[count], const Reals& t) {
  sum = Reals{} + c[count - 1];
#pragma GCC unroll 16
  for (int k = count - 2; k >= 0; --k) sum = c[k] + t * sum;
}

// Whole numbers below 2^52 as reals, plus 2^52: their bits are those of 2^52 with the number below.
SPIKELOOM_INLINE void above_2_52(Reals& x, const Words& n) {
  x = (Reals)(n | std::uint64_t{0x4330000000000000});
}

// log_of of a normal number, lane by lane. The exponent is kept 1024 too large, so that none is negative.
SPIKELOOM_INLINE void log_of(Reals& result, const Reals& given) {
  const Words bits = (Words)given;
  constexpr std::uint64_t three_quarters = 0x3FE8000000000000, bias = std::uint64_t{1024} << 52;
  const Words exponent = (bits + (bias - three_quarters)) >> 52;
  const Reals m = (Reals)(bits - ((exponent - 1024) << 52));
  Reals e, series;
  above_2_52(e, exponent);
  e = e - (0x1p52 + 1024.0);
  const Reals s = (m - 1.0) / (m + 1.0);
  horner(series, inverse_odd, s * s);
  result = e * ln2_high + (2.0 * s * series + e * ln2_low);
}

// normal_of where w <= 5, which `is_tail` rules out.
SPIKELOOM_INLINE void middle_normals(double* z, const std::uint32_t* words) {
  Halves halves;
  std::memcpy(&halves, words, sizeof(halves));
  Reals above, log, middle;
  above_2_52(above, __builtin_convertvector(halves, Words));
  above = ((above - 0x1p52) + 0.5) * 0x1p-31;
  log_of(log, above * (2.0 - above));
  horner(middle, normal_middle, -log / 2.5 - 1.0);
  const Reals result = (above - 1.0) * middle;
  std::memcpy(z, &result, sizeof(result));
}

// True wherever w > 5, and for few others: one word in 290.
SPIKELOOM_INLINE bool is_tail(std::uint32_t word) {
  return std::min(word, ~word) < 7'400'000;
}

}  // namespace detail

// As ToNormals.
struct ManyNormals {
  SPIKELOOM_INLINE static void run(double* z, const std::uint32_t* words, int count) {
    int i = 0;
    for (; i + detail::wide <= count; i += detail::wide) {
      detail::middle_normals(z + i, words + i);
      int tails = 0;
      for (int k = 0; k < detail::wide; ++k) tails += detail::is_tail(words[i + k]);
      if (tails != 0)
        for (int k = 0; k < detail::wide; ++k)
          if (detail::is_tail(words[i + k])) z[i + k] = normal_of(words[i + k]);
    }
    for (; i < count; ++i) z[i] = normal_of(words[i]);
  }
};

}  // namespace spikeloom
