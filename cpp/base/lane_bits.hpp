// What processors do with small integers in lanes, and compilers do not find: a bit for each lane, and sums
// that stay at the ends of the type.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include "base/lanes.hpp"
#include "base/list_set.hpp"

namespace spikeloom {

// Bit k of `bits`: lane k, each of which is -1 or 0.
template <class T, int lanes>
SPIKELOOM_INLINE void bits_of_lanes(std::uint64_t& bits, const typename Lanes<T, lanes>::Vector& set) {
  alignas(64) std::uint8_t flags[64] = {};
  for (int k = 0; k < lanes; ++k) flags[k] = set[k] & 1;
  bits = bits_of(flags);
}

// sum = a + b, or the end of the type that is beyond.
template <int lanes>
SPIKELOOM_INLINE void add_saturating(typename Lanes<std::int16_t, lanes>::Vector& sum,
                                     const typename Lanes<std::int16_t, lanes>::Vector& a,
                                     const typename Lanes<std::int16_t, lanes>::Vector& b) {
  using Unsigned = typename Lanes<std::uint16_t, lanes>::Vector;
  using Signed = typename Lanes<std::int16_t, lanes>::Vector;
  const auto wrapped = (Signed)((Unsigned)a + (Unsigned)b);
  sum = ((a ^ wrapped) & (b ^ wrapped)) < 0 ? (a >> 15) ^ std::int16_t{0x7FFF} : wrapped;
}

#if SPIKELOOM_X86_LEVELS && defined(__SSE2__)
template <>
inline void bits_of_lanes<std::int16_t, 8>(std::uint64_t& bits, const Lanes<std::int16_t, 8>::Vector& set) {
  bits = static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_packs_epi16((__m128i)set, _mm_setzero_si128())));
}
template <>
inline void bits_of_lanes<std::int32_t, 4>(std::uint64_t& bits, const Lanes<std::int32_t, 4>::Vector& set) {
  bits = static_cast<std::uint32_t>(_mm_movemask_ps((__m128)set));
}
template <>
SPIKELOOM_TARGET_V3 inline void bits_of_lanes<std::int16_t, 16>(std::uint64_t& bits,
                                                                const Lanes<std::int16_t, 16>::Vector& set) {
  const auto all = (__m256i)set;
  const __m128i bytes = _mm_packs_epi16(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
  bits = static_cast<std::uint32_t>(_mm_movemask_epi8(bytes));
}
template <>
SPIKELOOM_TARGET_V3 inline void bits_of_lanes<std::int32_t, 8>(std::uint64_t& bits,
                                                               const Lanes<std::int32_t, 8>::Vector& set) {
  bits = static_cast<std::uint32_t>(_mm256_movemask_ps((__m256)set));
}
template <>
SPIKELOOM_TARGET_V4 inline void bits_of_lanes<std::int16_t, 32>(std::uint64_t& bits,
                                                                const Lanes<std::int16_t, 32>::Vector& set) {
  bits = _mm512_movepi16_mask((__m512i)set);
}
template <>
SPIKELOOM_TARGET_V4 inline void bits_of_lanes<std::int32_t, 16>(std::uint64_t& bits,
                                                                const Lanes<std::int32_t, 16>::Vector& set) {
  bits = _mm512_movepi32_mask((__m512i)set);
}

template <>
inline void bits_of_lanes<std::int8_t, 16>(std::uint64_t& bits, const Lanes<std::int8_t, 16>::Vector& set) {
  bits = static_cast<std::uint32_t>(_mm_movemask_epi8((__m128i)set));
}
template <>
SPIKELOOM_TARGET_V3 inline void bits_of_lanes<std::int8_t, 32>(std::uint64_t& bits,
                                                               const Lanes<std::int8_t, 32>::Vector& set) {
  bits = static_cast<std::uint32_t>(_mm256_movemask_epi8((__m256i)set));
}
template <>
SPIKELOOM_TARGET_V4 inline void bits_of_lanes<std::int8_t, 64>(std::uint64_t& bits,
                                                               const Lanes<std::int8_t, 64>::Vector& set) {
  bits = _mm512_movepi8_mask((__m512i)set);
}

template <>
inline void add_saturating<8>(Lanes<std::int16_t, 8>::Vector& sum, const Lanes<std::int16_t, 8>::Vector& a,
                              const Lanes<std::int16_t, 8>::Vector& b) {
  sum = (Lanes<std::int16_t, 8>::Vector)_mm_adds_epi16((__m128i)a, (__m128i)b);
}
template <>
SPIKELOOM_TARGET_V3 inline void add_saturating<16>(Lanes<std::int16_t, 16>::Vector& sum,
                                                   const Lanes<std::int16_t, 16>::Vector& a,
                                                   const Lanes<std::int16_t, 16>::Vector& b) {
  sum = (Lanes<std::int16_t, 16>::Vector)_mm256_adds_epi16((__m256i)a, (__m256i)b);
}
template <>
SPIKELOOM_TARGET_V4 inline void add_saturating<32>(Lanes<std::int16_t, 32>::Vector& sum,
                                                   const Lanes<std::int16_t, 32>::Vector& a,
                                                   const Lanes<std::int16_t, 32>::Vector& b) {
  sum = (Lanes<std::int16_t, 32>::Vector)_mm512_adds_epi16((__m512i)a, (__m512i)b);
}
#endif

}  // namespace spikeloom
