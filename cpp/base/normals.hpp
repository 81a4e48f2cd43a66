// Normal numbers of a row of neurons or synapses: one word of Philox each.
#pragma once

#include <cstdint>

#include "base/elementary.hpp"
#include "base/philox.hpp"

namespace spikeloom {

// The run that noise belongs to.
struct Trial {
  std::uint32_t seed = 0;
  std::uint32_t sample = 0;
};

// Everything of a draw but its index: counter (index >> 2, `second`, `third`, `fourth`), word index & 3.
struct Draw {
  PhiloxKey key;
  std::uint32_t second = 0, third = 0, fourth = 0;
};

// Noise of one step: key (trial seed, stream), counter (index >> 2, step, sample, core << 8 | layer).
inline Draw noise_draw(const Trial& trial, Stream stream, std::int64_t step, std::int32_t core, int layer) {
  return {{trial.seed, static_cast<std::uint32_t>(stream)},
          static_cast<std::uint32_t>(step),
          trial.sample,
          static_cast<std::uint32_t>(core) << 8 | static_cast<std::uint32_t>(layer)};
}

SPIKELOOM_INLINE PhiloxCounter words_of(const Draw& draw, std::uint32_t index) {
  return philox({index >> 2, draw.second, draw.third, draw.fourth}, draw.key);
}

// words[i] of the index first + i.
struct FillWords {
  SPIKELOOM_INLINE static void run(std::uint32_t* words, std::uint32_t first, int count, const Draw& draw) {
    PhiloxCounter four{};
    for (int i = 0; i < count; ++i) {
      const std::uint32_t index = first + static_cast<std::uint32_t>(i);
      if (i == 0 || (index & 3) == 0) four = words_of(draw, index);
      words[i] = four[index & 3];
    }
  }
};

// z[i] = the normal number of words[i].
struct ToNormals {
  SPIKELOOM_INLINE static void run(double* z, const std::uint32_t* words, int count) {
    SPIKELOOM_INDEPENDENT
    for (int i = 0; i < count; ++i) z[i] = normal_of(words[i]);
  }
};

}  // namespace spikeloom
