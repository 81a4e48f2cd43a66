// What base/philox.hpp draws one by one, many at a time: the same words.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include "base/lanes.hpp"
#include "base/normals.hpp"

namespace spikeloom {
namespace detail {

template <int width>
using WordLanes = typename Lanes<std::uint64_t, width>::Vector;

inline constexpr std::uint64_t low_half = 0xFFFFFFFF;

// product = low half of a, times m below 2^32. Every processor has one instruction for it, which compilers
// do not find in vectors of 64-bit lanes.
template <int width>
SPIKELOOM_INLINE void multiply_low(WordLanes<width>& product, const WordLanes<width>& a,
                                   const WordLanes<width>& m) {
  product = (a & low_half) * m;
}
#if SPIKELOOM_X86_LEVELS && defined(__SSE2__)
template <>
inline void multiply_low<2>(WordLanes<2>& product, const WordLanes<2>& a, const WordLanes<2>& m) {
  product = (WordLanes<2>)_mm_mul_epu32((__m128i)a, (__m128i)m);
}
template <>
SPIKELOOM_TARGET_V3 inline void multiply_low<4>(WordLanes<4>& product, const WordLanes<4>& a,
                                                const WordLanes<4>& m) {
  product = (WordLanes<4>)_mm256_mul_epu32((__m256i)a, (__m256i)m);
}
template <>
SPIKELOOM_TARGET_V4 inline void multiply_low<8>(WordLanes<8>& product, const WordLanes<8>& a,
                                                const WordLanes<8>& m) {
  product = (WordLanes<8>)_mm512_maskz_mul_epu32(0xFF, (__m512i)a, (__m512i)m);
}
#endif

// Lane by lane, a then b, of the even and of the odd lanes.
SPIKELOOM_INLINE void pair_up(WordLanes<2>& even, WordLanes<2>& odd, const WordLanes<2>& a,
                              const WordLanes<2>& b) {
  even = __builtin_shufflevector(a, b, 0, 2);
  odd = __builtin_shufflevector(a, b, 1, 3);
}
SPIKELOOM_INLINE void pair_up(WordLanes<4>& even, WordLanes<4>& odd, const WordLanes<4>& a,
                              const WordLanes<4>& b) {
  even = __builtin_shufflevector(a, b, 0, 4, 2, 6);
  odd = __builtin_shufflevector(a, b, 1, 5, 3, 7);
}
SPIKELOOM_INLINE void pair_up(WordLanes<8>& even, WordLanes<8>& odd, const WordLanes<8>& a,
                              const WordLanes<8>& b) {
  even = __builtin_shufflevector(a, b, 0, 8, 2, 10, 4, 12, 6, 14);
  odd = __builtin_shufflevector(a, b, 1, 9, 3, 11, 5, 13, 7, 15);
}

// `width` calls of Philox in 64-bit lanes, of which the low half counts. The high half of a product is the
// next word, its low half another: neither is ever cut out of it.
template <int width>
class PhiloxLanes {
 public:
  static constexpr int side_by_side = 4, words = 4 * width * side_by_side;
  using Vector = WordLanes<width>;

  // `first` is the counter of the first call.
  SPIKELOOM_INLINE PhiloxLanes(const Draw& draw, std::uint32_t first) {
    constexpr std::uint64_t weyl_0 = 0x9E3779B9, weyl_1 = 0xBB67AE85;
    for (std::uint64_t r = 0; r < rounds; ++r) {
      keys_[r][0] = draw.key[0] + r * weyl_0;
      keys_[r][1] = draw.key[1] + r * weyl_1;
    }
    same(given_[0], draw.second);
    same(given_[1], draw.third);
    same(given_[2], draw.fourth);
    same(multiplier_[0], 0xD2511F53);
    same(multiplier_[1], 0xCD9E8D57);
    same(step_, width);
    start(first);
  }

  // The words of the next calls.
  SPIKELOOM_INLINE void fill(std::uint32_t* to) {
    Vector c[side_by_side][4];
#pragma GCC unroll 4
    for (int g = 0; g < side_by_side; ++g) {
      c[g][0] = next_;
      for (int k = 1; k < 4; ++k) c[g][k] = given_[k - 1];
      next_ += step_;
    }
#pragma GCC unroll 10
    for (int r = 0; r < rounds; ++r)
#pragma GCC unroll 4
      for (int g = 0; g < side_by_side; ++g) round(c[g], keys_[r]);
#pragma GCC unroll 4
    for (int g = 0; g < side_by_side; ++g) store(to + 4 * width * g, c[g]);
  }

 private:
  static constexpr int rounds = 10;
  std::uint64_t keys_[rounds][2];
  Vector next_, step_, given_[3], multiplier_[2];

  // Through memory: compilers set the lanes one by one otherwise.
  SPIKELOOM_INLINE static void same(Vector& lanes, std::uint64_t value) {
    std::uint64_t values[width];
    for (int k = 0; k < width; ++k) values[k] = value;
    std::memcpy(&lanes, values, sizeof(lanes));
  }

  // Even lanes hold the first half of the counters, odd lanes the second, so that pairs of lanes are in
  // order.
  SPIKELOOM_INLINE void start(std::uint32_t first) {
    std::uint64_t counters[width];
    for (int k = 0; k < width; ++k)
      counters[k] = first + static_cast<std::uint32_t>(k % 2 * (width / 2) + k / 2);
    std::memcpy(&next_, counters, sizeof(next_));
  }

  SPIKELOOM_INLINE void round(Vector (&c)[4], const std::uint64_t (&key)[2]) const {
    Vector product_0, product_1;
    multiply_low<width>(product_0, c[0], multiplier_[0]);
    multiply_low<width>(product_1, c[2], multiplier_[1]);
    c[0] = (product_1 >> 32) ^ c[1] ^ key[0];
    c[1] = product_1;
    c[2] = (product_0 >> 32) ^ c[3] ^ key[1];
    c[3] = product_0;
  }

  SPIKELOOM_INLINE static void store(std::uint32_t* to, const Vector (&c)[4]) {
    Vector first_half, second_half;
    const Vector front = (c[0] & low_half) | c[1] << 32, back = (c[2] & low_half) | c[3] << 32;
    pair_up(first_half, second_half, front, back);
    std::memcpy(to, &first_half, sizeof(first_half));
    std::memcpy(to + 2 * width, &second_half, sizeof(second_half));
  }
};

}  // namespace detail

// As FillWords.
template <int width>
struct FillManyWords {
  SPIKELOOM_INLINE static void run(std::uint32_t* words, std::uint32_t first, int count, const Draw& draw) {
    using Philox = detail::PhiloxLanes<width>;
    Philox philox(draw, first >> 2);
    for (int i = -static_cast<int>(first & 3); i < count; i += Philox::words) {
      std::uint32_t made[Philox::words];
      philox.fill(made);
      const int from = std::max(0, -i), to = std::min(Philox::words, count - i);
      if (to - from == Philox::words)
        std::memcpy(words + i, made, sizeof(made));
      else
        std::memcpy(words + i + from, made + from, (to - from) * sizeof(std::uint32_t));
    }
  }
};

}  // namespace spikeloom
