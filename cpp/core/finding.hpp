// Kernels that find and count what spiked in a tick.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

#include "base/lane_bits.hpp"
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
// where one has several spikes. `width` bytes at a time.
template <int width>
struct FlagLines {
  SPIKELOOM_INLINE static bool run(std::uint64_t* bits, std::uint8_t* flags, const std::uint8_t* counts,
                                   std::int32_t first, std::int32_t last) {
    Vector several = {};
    std::int32_t from = first;
    for (; last - from >= 64; from += 64) word(*bits++, flags + from, counts + from, several);
    if (from < last) {
      alignas(64) std::uint8_t rest[64] = {};
      std::memcpy(rest, counts + from, last - from);
      word(*bits, flags + from, rest, several);
    }
    std::uint64_t any;
    bits_of_lanes<std::int8_t, width>(any, (Signed)several);
    return any != 0;
  }

 private:
  using Vector = typename Lanes<std::uint8_t, width>::Vector;
  using Signed = typename Lanes<std::int8_t, width>::Vector;

  SPIKELOOM_INLINE static void word(std::uint64_t& bits, std::uint8_t* flags, const std::uint8_t* counts,
                                    Vector& several) {
    bits = 0;
#pragma GCC unroll 4
    for (int k = 0; k < 64; k += width) {
      Vector given;
      std::memcpy(&given, counts + k, sizeof(given));
      const Vector flag = (Vector)(given == 1) & 1;
      std::memcpy(flags + k, &flag, sizeof(flag));
      several |= (Vector)(given > 1);
      std::uint64_t some;
      bits_of_lanes<std::int8_t, width>(some, (Signed)(given != 0));
      bits |= some << k;
    }
  }
};

template <class Function = decltype(&FlagLines<16>::run)>
Function flag_lines(Level level) {
  if (level == Level::v4) return kernel_for<FlagLines<64>, Level::v4>();
  if (level == Level::v3) return kernel_for<FlagLines<32>, Level::v3>();
  return kernel_for<FlagLines<16>, Level::baseline>();
}

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

// made[i] += flags[i].
struct AddFlags {
  SPIKELOOM_INLINE static void run(std::uint8_t* made, const std::uint8_t* flags, std::int64_t count) {
    SPIKELOOM_INDEPENDENT
    for (std::int64_t i = 0; i < count; ++i) made[i] = static_cast<std::uint8_t>(made[i] + flags[i]);
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
  SPIKELOOM_INLINE static std::int64_t run(const std::uint64_t* set, const Planes& planes) {
    const std::uint64_t* place = planes.bits.data();
    std::int64_t total = 0;
    for (std::int64_t p = 0; p < planes.places; ++p, place += planes.words) {
      std::int64_t n = 0;
      for (std::int64_t word = 0; word < planes.words; ++word)
        n += __builtin_popcountll(set[word] & place[word]);
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
