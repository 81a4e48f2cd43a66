// What base/normals.hpp turns into normal numbers one by one, many at a time: the same bits.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include "base/lanes.hpp"
#include "base/normals.hpp"

namespace spikeloom {
namespace detail {

// Vectors that are worked on by turns, so that each may wait for its last result.
inline constexpr int chains = 8;

// w > 5 only where a word or its complement is below this: one word in 290.
inline constexpr std::uint32_t tail_words = 7'400'000;

// Where the tails are among words.
template <int width>
class Tails {
 public:
  static constexpr int lanes = 2 * width, rows = std::min(32, 256 / lanes), most = rows * lanes;
  static constexpr int slack = 4;  // places behind the last one that are written

  // Indices of the tails among `count` words, at most `most`, in any order; their number. There is no branch
  // that depends on the words: it would be guessed wrong.
  SPIKELOOM_INLINE static int list(std::int32_t* found, const std::uint32_t* words, int count) {
    std::uint32_t padded[most], marks[lanes];
    if (count < most) {
      std::fill_n(padded, most, std::uint32_t{1} << 31);  // no tail
      std::memcpy(padded, words, count * sizeof(std::uint32_t));
      words = padded;
    }
    mark(marks, words);
    constexpr int together = 64 / rows;
    int n = 0;
    for (int lane = 0; lane < lanes; lane += together) {
      std::uint64_t bits = 0;
      for (int i = 0; i < together; ++i) bits |= std::uint64_t{marks[lane + i]} << (rows * i);
      n = list_bits(found, n, bits, lane);
    }
    return n;
  }

 private:
  using Vector = typename Lanes<std::uint32_t, lanes>::Vector;
  using Signed = typename Lanes<std::int32_t, lanes>::Vector;

  // Bit j of a lane: its word in row j. Words are moved so that tails are the least numbers with a sign.
  SPIKELOOM_INLINE static void mark(std::uint32_t* marks, const std::uint32_t* words) {
    constexpr std::uint32_t least = std::uint32_t{1} << 31;
    Vector found{}, row;
    for (int j = 0; j < rows; ++j) {
      std::memcpy(&row, words + j * lanes, sizeof(row));
      const Signed moved = (Signed)(row + (tail_words + least));
      found |= (Vector)(moved < static_cast<std::int32_t>(2 * tail_words + least)) & (std::uint32_t{1} << j);
    }
    std::memcpy(marks, &found, sizeof(found));
  }

  SPIKELOOM_INLINE static int list_bits(std::int32_t* found, int n, std::uint64_t bits, int lane) {
    const int end = n + std::popcount(bits);
    do {
      for (int i = 0; i < slack; ++i) {
        const int bit = std::countr_zero(bits);  // of no bits: 64, which is not kept
        found[n + i] = bit % rows * lanes + lane + bit / rows;
        bits &= bits - 1;
      }
      n += slack;
    } while (n < end);
    return end;
  }
};

// quotient = x / -2.5 of an x that is 0 or not tiny. Where a product can be added before it is rounded,
// that is x times both halves of the reciprocal: no quotient lies within 1/10 of a unit of the last place of
// a number half between two others, so that both round alike.
template <int width>
SPIKELOOM_INLINE void divide_by_minus_five_halves(typename Lanes<double, width>::Vector& quotient,
                                                  const typename Lanes<double, width>::Vector& x) {
  quotient = x / -2.5;
}
#if SPIKELOOM_X86_LEVELS && defined(__SSE2__)
template <>
SPIKELOOM_TARGET_V4 inline void divide_by_minus_five_halves<8>(Lanes<double, 8>::Vector& quotient,
                                                               const Lanes<double, 8>::Vector& x) {
  const __m512d reciprocal = _mm512_set1_pd(-0.4), rest = _mm512_set1_pd(0x1.999999999999ap-56);
  quotient =
      (Lanes<double, 8>::Vector)_mm512_fmadd_pd((__m512d)x, reciprocal, _mm512_mul_pd((__m512d)x, rest));
}
#endif

// The steps of normal_of where w <= 5, each for `chains` vectors.
template <int width>
struct MiddleNormals {
  static constexpr int numbers = chains * width;
  using Reals = typename Lanes<double, width>::Vector;
  using Words = typename Lanes<std::uint64_t, width>::Vector;
  using Halves = typename Lanes<std::uint32_t, width>::Vector;

  SPIKELOOM_INLINE static void run(double* z, const std::uint32_t* words) {
    Reals above[chains], t[chains], middle[chains];
#pragma GCC unroll 8
    for (int j = 0; j < chains; ++j) one_plus_x(above[j], words + j * width);
    minus_w(t, above);
#pragma GCC unroll 8
    for (int j = 0; j < chains; ++j) {
      Reals quotient;
      divide_by_minus_five_halves<width>(quotient, t[j]);
      t[j] = quotient - 1.0;
    }
    horners(middle, normal_middle, t);
#pragma GCC unroll 8
    for (int j = 0; j < chains; ++j) {
      const Reals result = (above[j] - 1.0) * middle[j];
      std::memcpy(z + j * width, &result, sizeof(result));
    }
  }

 private:
  // Coefficient by coefficient. This loop stays one: written out, compilers put one vector behind the other.
  template <int count>
  SPIKELOOM_INLINE static void horners(Reals (&sum)[chains], const double (&c)[count],
                                       const Reals (&t)[chains]) {
#pragma GCC unroll 8
    for (int j = 0; j < chains; ++j) sum[j] = Reals{} + c[count - 1];
#pragma GCC unroll 1
    for (int k = count - 2; k >= 0; --k)
#pragma GCC unroll 8
      for (int j = 0; j < chains; ++j) sum[j] = c[k] + t[j] * sum[j];
  }

  // (word + 1/2) / 2^31, exactly: the bits of 2^21 with the word in their last places are 2^21 + word / 2^31.
  SPIKELOOM_INLINE static void one_plus_x(Reals& above, const std::uint32_t* words) {
    Halves halves;
    std::memcpy(&halves, words, sizeof(halves));
    const Words bits = __builtin_convertvector(halves, Words) | std::uint64_t{0x4140000000000000};
    above = (Reals)bits - (0x1p21 - 0x1p-32);
  }

  // log_of of 1 - x^2. The exponent is kept 1024 too large, so that none is negative, and becomes a real as
  // the last places of 2^52.
  SPIKELOOM_INLINE static void minus_w(Reals (&log)[chains], const Reals (&above)[chains]) {
    constexpr std::uint64_t three_quarters = 0x3FE8000000000000, bias = std::uint64_t{1024} << 52;
    Reals e[chains], s[chains], square[chains], series[chains];
#pragma GCC unroll 8
    for (int j = 0; j < chains; ++j) {
      const Words bits = (Words)(above[j] * (2.0 - above[j]));
      const Words exponent = (bits + (bias - three_quarters)) >> 52;
      const Reals m = (Reals)(bits - ((exponent - 1024) << 52));
      e[j] = (Reals)(exponent | std::uint64_t{0x4330000000000000}) - (0x1p52 + 1024.0);
      s[j] = (m - 1.0) / (m + 1.0);
      square[j] = s[j] * s[j];
    }
    horners(series, inverse_odd, square);
#pragma GCC unroll 8
    for (int j = 0; j < chains; ++j) log[j] = e[j] * ln2_high + (2.0 * s[j] * series[j] + e[j] * ln2_low);
  }
};

}  // namespace detail

// As ToNormals.
template <int width>
struct ManyNormals {
  SPIKELOOM_INLINE static void run(double* z, const std::uint32_t* words, int count) {
    for (int from = 0; from < count; from += Tails::most)
      part(z + from, words + from, std::min(Tails::most, count - from));
  }

 private:
  using Middle = detail::MiddleNormals<width>;
  using Tails = detail::Tails<width>;

  SPIKELOOM_INLINE static void part(double* z, const std::uint32_t* words, int count) {
    std::int32_t found[Tails::most + Tails::slack];
    const int n = Tails::list(found, words, count);
    middle(z, words, count);
    for (int k = 0; k < n; ++k) z[found[k]] = normal_of(words[found[k]]);
  }

  SPIKELOOM_INLINE static void middle(double* z, const std::uint32_t* words, int count) {
    for (int i = 0; i < count; i += Middle::numbers) {
      if (count - i >= Middle::numbers) {
        Middle::run(z + i, words + i);
        continue;
      }
      std::uint32_t rest[Middle::numbers] = {};
      double made[Middle::numbers];
      std::memcpy(rest, words + i, (count - i) * sizeof(std::uint32_t));
      Middle::run(made, rest);
      std::memcpy(z + i, made, (count - i) * sizeof(double));
    }
  }
};

}  // namespace spikeloom
