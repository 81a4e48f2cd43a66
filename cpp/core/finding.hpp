// Kernels that find and count what spiked in a tick.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
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

// Of lines [first, last): a bit for each that spikes, counted from the first one, and the flag of each. True
// where one has several spikes.
struct FlagLines {
  SPIKELOOM_INLINE static bool run(std::uint64_t* bits, std::uint8_t* flags, const std::uint8_t* counts,
                                   std::int32_t first, std::int32_t last) {
    alignas(64) std::uint8_t several[64] = {};
    for (std::int32_t from = first; from < last; from += 64) {
      alignas(64) std::uint8_t given[64] = {}, any[64];
      if (last - from >= 64)
        std::memcpy(given, counts + from, 64);  // of a known length, and so no call
      else
        std::memcpy(given, counts + from, last - from);
      for (int i = 0; i < 64; ++i) any[i] = given[i] != 0;
      for (int i = 0; i < 64; ++i) flags[from + i] = given[i] == 1;
      for (int i = 0; i < 64; ++i) several[i] |= given[i] > 1;
      *bits++ = bits_of(any);
    }
    return bits_of(several) != 0;
  }
};

// Those lines that spike, by their bits.
struct ListLines {
  SPIKELOOM_INLINE static int run(Spike* found, const std::uint64_t* bits, const std::uint8_t* counts,
                                  std::int32_t first, std::int32_t last) {
    int n = 0;
    for (std::int32_t from = first; from < last; from += 64)
      n = list_bits(*bits++, n, [&](int k, int i) { found[k] = {from + i, counts[from + (i & 63)]}; });
    return n;
  }
};

// A number of each of many, of so many binary places: bit i % 64 of word p * words + i / 64 is place p of
// number i.
struct Planes {
  std::vector<std::uint64_t> bits;
  std::int64_t words = 0, places = 0;
};

// The sum of the numbers of those whose bit is set.
struct SumPlanes {
  SPIKELOOM_INLINE static std::int64_t run(const std::uint64_t* set, const std::uint64_t* planes,
                                           std::int64_t words, std::int64_t places) {
    std::int64_t total = 0;
    for (std::int64_t p = 0; p < places; ++p) {
      std::int64_t n = 0;
      for (std::int64_t word = 0; word < words; ++word)
        n += __builtin_popcountll(set[word] & planes[p * words + word]);
      total += n << p;
    }
    return total;
  }
};

// How many axons each neuron, or line, goes to; nothing where there may be very many.
inline std::optional<Planes> fans_of(const Ints& start) {
  constexpr std::int32_t most = 255;
  const std::size_t sources = start.size() - 1;
  Planes fans;
  fans.words = static_cast<std::int64_t>((sources + 63) / 64);
  std::int32_t largest = 0;
  for (std::size_t i = 0; i < sources; ++i) largest = std::max(largest, start[i + 1] - start[i]);
  if (largest > most) return std::nullopt;
  fans.places = std::bit_width(static_cast<std::uint32_t>(largest));
  fans.bits.resize(fans.places * fans.words);
  for (std::size_t i = 0; i < sources; ++i)
    for (std::int64_t p = 0; p < fans.places; ++p)
      fans.bits[p * fans.words + i / 64] |= std::uint64_t((start[i + 1] - start[i]) >> p & 1) << (i % 64);
  return fans;
}

}  // namespace spikeloom
