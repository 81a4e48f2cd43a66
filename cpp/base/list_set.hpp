// Which of many values are not 0.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "base/level.hpp"

namespace spikeloom {

inline constexpr int set_slack = 8;  // places behind the last index that may be written

// Bit i: byte i, which is 0 or 1.
SPIKELOOM_INLINE std::uint64_t bits_of(const std::uint8_t* flags) {
  std::uint64_t bits = 0;
  for (int k = 0; k < 8; ++k) {
    std::uint64_t word;
    std::memcpy(&word, flags + 8 * k, 8);
    if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
    bits |= ((word * 0x0102040810204080) >> 56) << (8 * k);
  }
  return bits;
}

// The sum of the numbers whose flag is 1; the others' are 0.
SPIKELOOM_INLINE std::int64_t sum_where(const std::uint8_t* flags, const std::uint8_t* numbers,
                                        std::int64_t count) {
  constexpr std::int64_t lanes = 32, most = 256 * lanes;  // 16 bits hold the sum of 256 bytes
  std::int64_t total = 0, i = 0;
  while (count - i >= lanes) {
    std::uint16_t sums[lanes] = {};
    const std::int64_t end = i + (count - i < most ? count - i : most);
    for (; i + lanes <= end; i += lanes)
      for (int k = 0; k < lanes; ++k)
        sums[k] = static_cast<std::uint16_t>(sums[k] + flags[i + k] * numbers[i + k]);
    for (const std::uint16_t sum : sums) total += sum;
  }
  for (; i < count; ++i) total += flags[i] * numbers[i];
  return total;
}

// put(k, number): the k-th bit that is set, for k from n on; the number of bits set, and n more. Eight are
// put at a time, wanted or not: a branch for each would be guessed wrong at every one.
template <class Put>
SPIKELOOM_INLINE int list_bits(std::uint64_t bits, int n, Put put) {
  const int end = n + __builtin_popcountll(bits);
  for (; n < end; n += set_slack)
    for (int k = 0; k < set_slack; ++k) {
      put(n + k, std::countr_zero(bits));  // of no bits: 64, which is not kept
      bits &= bits - 1;
    }
  return end;
}

// Indices of the values that are not 0, ascending, into `found`; their number.
template <class Value>
SPIKELOOM_INLINE int list_set(const Value* values, int count, std::int32_t* found) {
  int n = 0;
  for (int from = 0; from < count; from += 64) {
    alignas(64) std::uint8_t flags[64];
    if (count - from >= 64) {
      for (int i = 0; i < 64; ++i) flags[i] = values[from + i] != 0;
    } else {
      std::memset(flags, 0, sizeof(flags));
      for (int i = 0; i < count - from; ++i) flags[i] = values[from + i] != 0;
    }
    n = list_bits(bits_of(flags), n, [&](int k, int i) { found[k] = from + i; });
  }
  return n;
}

}  // namespace spikeloom
