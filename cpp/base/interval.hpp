// Interval arithmetic over int64: the proof that an exact result fits the lane it is computed in.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

namespace spikeloom {

// All integers from lo to hi, both included.
struct Interval {
  std::int64_t lo = 0;
  std::int64_t hi = 0;

  bool within(const Interval& outer) const { return outer.lo <= lo && hi <= outer.hi; }
  bool contains(std::int64_t x) const { return lo <= x && x <= hi; }
  bool operator==(const Interval&) const = default;
};

inline constexpr Interval int32_range{std::numeric_limits<std::int32_t>::min(),
                                      std::numeric_limits<std::int32_t>::max()};

inline constexpr Interval int16_range{std::numeric_limits<std::int16_t>::min(),
                                      std::numeric_limits<std::int16_t>::max()};

inline Interval hull(const Interval& a, const Interval& b) {
  return {std::min(a.lo, b.lo), std::max(a.hi, b.hi)};
}

// Each throws ProfileError where an end leaves int64.
Interval add(const Interval& a, const Interval& b);
Interval subtract(const Interval& a, const Interval& b);
Interval multiply(const Interval& a, const Interval& b);

std::int64_t add_or_saturate(std::int64_t a, std::int64_t b);
std::int64_t multiply_or_saturate(std::int64_t a, std::int64_t b);

}  // namespace spikeloom
