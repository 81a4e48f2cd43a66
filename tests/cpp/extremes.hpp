// Extreme operands, and every combination of them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "program/arrays.hpp"

namespace spikeloom {

using Wide = std::int64_t;
inline constexpr Wide int32_lo = std::numeric_limits<std::int32_t>::min(),
                      int32_hi = std::numeric_limits<std::int32_t>::max();

inline const Ints small{-1000, -257, -256, -255, -64, -3, -2, -1, 0, 1, 2, 3, 63, 64, 255, 256, 257, 1000};
inline const Ints extreme{std::numeric_limits<std::int32_t>::min(),
                          std::numeric_limits<std::int32_t>::min() + 1,
                          -(1 << 30),
                          -(1 << 24) - 1,
                          -4096,
                          -1,
                          0,
                          1,
                          4095,
                          1 << 24,
                          (1 << 30) + 1,
                          std::numeric_limits<std::int32_t>::max() - 1,
                          std::numeric_limits<std::int32_t>::max()};

inline Wide floor_shift(Wide x, int shift) {
  return x >> shift;
}
inline Wide sign(Wide x) {
  return (x > 0) - (x < 0);
}

// All combinations of the columns, one neuron each.
inline std::vector<Ints> combinations(const std::vector<Ints>& columns) {
  std::vector<Ints> grid(columns.size());
  std::size_t total = 1;
  for (const Ints& column : columns) total *= column.size();
  for (std::size_t i = 0; i < total; ++i) {
    std::size_t rest = i;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      grid[c].push_back(columns[c][rest % columns[c].size()]);
      rest /= columns[c].size();
    }
  }
  return grid;
}

inline Wide saturated(Wide x) {
  return std::clamp(x, int32_lo, int32_hi);
}

}  // namespace spikeloom
