// Vectors of several values, which compilers cut into those of the processor.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "base/level.hpp"

namespace spikeloom {

template <class T, int count>
struct Lanes {
  typedef T Vector __attribute__((vector_size(count * sizeof(T))));
};

// Widened step by step: some compilers take a conversion to four times the width value by value.
template <int count, class To, class From>
SPIKELOOM_INLINE void widen(typename Lanes<To, count>::Vector& to,
                            const typename Lanes<From, count>::Vector& from) {
  if constexpr (std::is_same_v<To, From>) {
    to = from;  // some compilers convert it value by value
  } else if constexpr (sizeof(To) <= 2 * sizeof(From)) {
    to = __builtin_convertvector(from, typename Lanes<To, count>::Vector);
  } else {
    using Half = std::conditional_t<sizeof(To) == 8, std::int32_t, std::int16_t>;
    typename Lanes<Half, count>::Vector half;
    widen<count, Half, From>(half, from);
    to = __builtin_convertvector(half, typename Lanes<To, count>::Vector);
  }
}

// sum += the stored values, each widened.
template <int count, class Sum, class Stored>
SPIKELOOM_INLINE void add_stored(typename Lanes<Sum, count>::Vector& sum, const Stored* values) {
  typename Lanes<Stored, count>::Vector stored;
  typename Lanes<Sum, count>::Vector weight;
  std::memcpy(&stored, values, sizeof(stored));
  widen<count, Sum, Stored>(weight, stored);
  sum += weight;
}

}  // namespace spikeloom
