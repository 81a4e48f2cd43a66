// Kernels that find and count what spiked in a tick.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "base/level.hpp"
#include "base/list_set.hpp"
#include "program/program.hpp"
#include "synapse/fans.hpp"

namespace spikeloom {

// Indices of the neurons that spike.
struct FindSet {
  SPIKELOOM_INLINE static int run(std::int32_t* found, const std::int32_t* values, int count) {
    return list_set(values, count, found);
  }
};

// Lines in [first, last) that spike, and the flag of each.
struct FindLines {
  SPIKELOOM_INLINE static int run(Spike* found, std::uint8_t* flags, const std::uint8_t* counts,
                                  std::int32_t first, std::int32_t last) {
    int n = 0;
    for (std::int32_t from = first; from < last; from += 64) {
      alignas(64) std::uint8_t given[64] = {}, any[64];
      if (last - from >= 64)
        std::memcpy(given, counts + from, 64);  // of a known length, and so no call
      else
        std::memcpy(given, counts + from, last - from);
      for (int i = 0; i < 64; ++i) any[i] = given[i] != 0;
      for (int i = 0; i < 64; ++i) flags[from + i] = given[i] == 1;
      n = list_bits(bits_of(any), n, [&](int k, int i) { found[k] = {from + i, given[i & 63]}; });
    }
    return n;
  }
};

// The sum of the numbers of those that are flagged, as of their axons.
struct SumWhere {
  SPIKELOOM_INLINE static std::int64_t run(const std::uint8_t* flags, const std::uint8_t* numbers,
                                           std::int64_t count) {
    return sum_where(flags, numbers, count);
  }
};

// One spike of every neuron whose bit is set.
struct FindFired {
  SPIKELOOM_INLINE static int run(Spike* found, const std::uint64_t* bits, int words, std::int32_t first) {
    int n = 0;
    for (int word = 0; word < words; ++word)
      n = list_bits(bits[word], n, [&](int k, int i) { found[k] = {first + 64 * word + i, 1}; });
    return n;
  }
};

// How many axons each neuron, or line, goes to; nothing where a byte does not hold it.
inline std::vector<std::uint8_t> fans_of(const Ints& start) {
  std::vector<std::uint8_t> fans;
  for (std::size_t i = 0; i + 1 < start.size(); ++i) {
    if (start[i + 1] - start[i] > 255) return {};
    fans.push_back(static_cast<std::uint8_t>(start[i + 1] - start[i]));
  }
  return fans;
}

}  // namespace spikeloom
