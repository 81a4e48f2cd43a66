// Kernels for spikes that are known by a bit for each source: bit i % 64 of bits[i / 64].
#pragma once

#include <cstdint>

#include "base/level.hpp"
#include "base/list_set.hpp"
#include "synapse/fans.hpp"

namespace spikeloom {

// The bits of word `word` that are of sources [first, end).
SPIKELOOM_INLINE std::uint64_t bits_within(const std::uint64_t* bits, std::int64_t word, std::int64_t first,
                                           std::int64_t end) {
  std::uint64_t some = bits[word];
  if (first > 64 * word) some &= ~std::uint64_t{0} << (first % 64);
  if (end < 64 * (word + 1)) some &= ~(~std::uint64_t{0} << (end % 64));
  return some;
}

// The number of sources [first, end) that spiked.
struct CountRange {
  SPIKELOOM_INLINE static std::int64_t run(const std::uint64_t* bits, std::int64_t first, std::int64_t end) {
    std::int64_t n = 0;
    for (std::int64_t word = first / 64; 64 * word < end; ++word)
      n += __builtin_popcountll(bits_within(bits, word, first, end));
    return n;
  }
};

// One spike of each of sources [first, end) that spiked; their number. Behind the last one `set_slack` more
// places may be written.
struct ListRange {
  SPIKELOOM_INLINE static std::int64_t run(Spike* found, const std::uint64_t* bits, std::int64_t first,
                                           std::int64_t end) {
    int n = 0;
    for (std::int64_t word = first / 64; 64 * word < end; ++word) {
      const auto from = static_cast<std::int32_t>(64 * word);
      n = list_bits(bits_within(bits, word, first, end), n, [&](int k, int i) { found[k] = {from + i, 1}; });
    }
    return n;
  }
};

}  // namespace spikeloom
