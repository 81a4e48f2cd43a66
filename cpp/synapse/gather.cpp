#include "synapse/gather.hpp"

#include <bit>
#include <cstring>

#include "base/lanes.hpp"
#include "base/list_set.hpp"

namespace spikeloom {
namespace {

// marks[i]: the flags of eight sources from i on, the first one lowest.
SPIKELOOM_INLINE void mark_neighbours(std::uint8_t* marks, const std::uint8_t* flags, std::int64_t sources) {
  SPIKELOOM_INDEPENDENT
  for (std::int64_t i = 0; i < sources; ++i) {
    unsigned mark = 0;
#pragma GCC unroll 8
    for (int k = 7; k >= 0; --k) mark = 2 * mark + flags[i + k];
    marks[i] = static_cast<std::uint8_t>(mark);
  }
}

// A bit a source instead of a byte.
SPIKELOOM_INLINE void mark_each(std::uint8_t* marks, const std::uint8_t* flags, std::int64_t sources) {
  for (std::int64_t i = 0; i < sources; i += 64) {
    std::uint64_t word = bits_of(flags + i);
    if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
    std::memcpy(marks + i / 8, &word, sizeof(word));
  }
}

// At least 57 bits from the first one on, which is lowest.
SPIKELOOM_INLINE std::uint64_t bits_from(const std::uint8_t* bits, std::int64_t first) {
  std::uint64_t word;
  std::memcpy(&word, bits + first / 8, sizeof(word));
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word >> (first % 8);
}

// Stored: rows, as they are packed.
template <class Sum, class Stored>
struct AddGathered {
  // `vectors` vectors of `lanes` columns of an output, from `column` on.
  template <bool tabled, int lanes, int vectors>
  SPIKELOOM_INLINE static void add_columns(Sum* sums, const Gather& gather, const Gather::Output& output,
                                           const std::uint8_t* marks, std::int32_t column) {
    using Vector = typename Lanes<Sum, lanes>::Vector;
    Vector total[vectors] = {};
    const auto add = [&](const Stored* row) {
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v) add_stored<lanes, Sum, Stored>(total[v], row + v * lanes);
    };
    const std::int64_t padded = gather.padded;
    const Stored* const rows = reinterpret_cast<const Stored*>(gather.rows.data()) + column;
    const Gather::Look* const last = gather.looks.data() + output.last_look;
    for (const Gather::Look* look = gather.looks.data() + output.first_look; look != last; ++look) {
      const std::int64_t source = std::int64_t{output.source} + look->source;
      const Stored* const first = rows + look->place;
      if constexpr (tabled) {
        add(first + static_cast<std::int64_t>(marks[source] & look->mask) * padded);
      } else {
        std::uint64_t spiked = bits_from(marks, source) & look->mask;
        for (; spiked != 0; spiked &= spiked - 1) add(first + std::countr_zero(spiked) * padded);
      }
    }
    Sum* const to = sums + output.target + column;
    for (int v = 0; v < vectors; ++v)
      put<lanes>(to + v * lanes, total[v], gather.length - column - v * lanes);
  }

  // The total is proven to fit, a partial sum is not.
  template <int lanes>
  SPIKELOOM_INLINE static void put(Sum* sums, const typename Lanes<Sum, lanes>::Vector& total,
                                   std::int32_t length) {
    using Unsigned = std::make_unsigned_t<Sum>;
    typename Lanes<Unsigned, lanes>::Vector sum, added;
    std::memcpy(&added, &total, sizeof(added));
    if (length >= lanes) {
      std::memcpy(&sum, sums, sizeof(sum));
      sum += added;
      std::memcpy(sums, &sum, sizeof(sum));
    } else {
      for (int k = 0; k < length; ++k) sums[k] = static_cast<Sum>(static_cast<Unsigned>(sums[k]) + added[k]);
    }
  }

  // Blocks of so many vectors as long as there are columns for them, then of half as many.
  template <bool tabled, int lanes, int vectors>
  SPIKELOOM_INLINE static void add_blocks(Sum* sums, const Gather& gather, const std::uint8_t* marks,
                                          std::int32_t column) {
    constexpr std::int32_t width = lanes * vectors;
    for (; gather.padded - column >= width; column += width)
      for (const Gather::Output& output : gather.outputs)
        add_columns<tabled, lanes, vectors>(sums, gather, output, marks, column);
    if constexpr (vectors > 1) add_blocks<tabled, lanes, vectors / 2>(sums, gather, marks, column);
  }

  template <bool tabled>
  SPIKELOOM_INLINE static void add_all(Sum* sums, const Gather& gather, const std::uint8_t* marks) {
    if (gather.padded % 32 == 0)
      add_blocks<tabled, 32, 4>(sums, gather, marks, 0);
    else
      add_blocks<tabled, 16, 4>(sums, gather, marks, 0);
  }

  SPIKELOOM_INLINE static void run(Sum* sums, const Gather& gather, const std::uint8_t* flags,
                                   std::uint8_t* scratch) {
    const auto sources = static_cast<std::int64_t>(gather.additions.size());
    if (gather.tabled) {
      mark_neighbours(scratch, flags, sources);
      add_all<true>(sums, gather, scratch);
    } else {
      mark_each(scratch, flags, sources);
      add_all<false>(sums, gather, scratch);
    }
  }
};

}  // namespace

template <class Sum>
AddGather<Sum> add_gather(const Weights& weights, Level level) {
  if (std::holds_alternative<Table<std::int8_t>>(weights.values))
    return kernel<AddGathered<Sum, std::int16_t>>(level);
  if constexpr (sizeof(Sum) > 2)
    if (std::holds_alternative<Table<std::int16_t>>(weights.values))
      return kernel<AddGathered<Sum, std::int32_t>>(level);
  return nullptr;
}

template AddGather<std::int16_t> add_gather(const Weights&, Level);
template AddGather<std::int32_t> add_gather(const Weights&, Level);
template AddGather<std::int64_t> add_gather(const Weights&, Level);

}  // namespace spikeloom
