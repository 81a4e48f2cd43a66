#include "synapse/gather.hpp"

#include <bit>
#include <cstring>

#include "base/lanes.hpp"
#include "base/list_set.hpp"

namespace spikeloom {
namespace {

// Adds `length` of the lanes; the total is proven to fit, a partial sum is not.
template <int lanes, class Sum>
SPIKELOOM_INLINE void put(Sum* sums, const typename Lanes<Sum, lanes>::Vector& total, std::int32_t length) {
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

// How the sums are added up: by a table of each look, or one spike after the other. Stored: rows, as they are
// packed.
template <class Sum, class Stored>
struct FromTables {
  using Mark = std::uint16_t;
  static constexpr int most_vectors = 2;

  // marks[i]: where the row of the spikes of `width` sources from i on is in a table.
  template <int width>
  SPIKELOOM_INLINE static void mark_sets(Mark* marks, const std::uint8_t* flags, std::int64_t sources,
                                         Mark row_bytes) {
    SPIKELOOM_INDEPENDENT
    for (std::int64_t i = 0; i < sources; ++i) {
      std::uint8_t set = 0;
#pragma GCC unroll 8
      for (int k = width - 1; k >= 0; --k) set = static_cast<std::uint8_t>(2 * set + flags[i + k]);
      marks[i] = static_cast<Mark>(set * row_bytes);
    }
  }

  SPIKELOOM_INLINE static void mark(Mark* marks, const Gather& gather, const std::uint8_t* flags) {
    const auto sources = gather.sources();
    const auto row_bytes = static_cast<Mark>(gather.padded * sizeof(Stored));
    if (gather.width == 4) return mark_sets<4>(marks, flags, sources, row_bytes);
    if (gather.width == 5) return mark_sets<5>(marks, flags, sources, row_bytes);
    mark_sets<6>(marks, flags, sources, row_bytes);
  }

  // So many looks of all outputs: where these look and read stays in processor registers, and therefore what
  // is known before is not asked again: whether the lanes are all columns.
  template <int lanes, int vectors, int looks, bool whole>
  SPIKELOOM_INLINE static void add_looks(Sum* sums, const Gather& gather, const Gather::Shape& shape,
                                         const Gather::Look* look, const Mark* marks, std::int32_t column) {
    const std::byte* table[looks];
    const Mark* of_look[looks];
    for (int k = 0; k < looks; ++k) {
      table[k] = gather.rows.data() + (look[k].place + column) * sizeof(Stored);
      of_look[k] = marks + look[k].source;
    }
    Sum* const first = sums + column;
    const std::int32_t length = gather.length - column;
    const Gather::Output* const last = gather.outputs.data() + shape.last_output;
    for (const Gather::Output* to = gather.outputs.data() + shape.first_output; to != last; ++to) {
      typename Lanes<Sum, lanes>::Vector total[vectors] = {};
#pragma GCC unroll 8
      for (int k = 0; k < looks; ++k) {
        const auto* const row = reinterpret_cast<const Stored*>(table[k] + of_look[k][to->source]);
#pragma GCC unroll 8
        for (int v = 0; v < vectors; ++v) add_stored<lanes, Sum, Stored>(total[v], row + v * lanes);
      }
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v)
        put<lanes>(first + to->target + v * lanes, total[v], whole ? lanes : length - v * lanes);
    }
  }

  template <int lanes, int vectors, bool whole>
  SPIKELOOM_INLINE static void add_shape(Sum* sums, const Gather& gather, const Gather::Shape& shape,
                                         const Mark* marks, std::int32_t column) {
    std::int32_t k = shape.first_look;
    const Gather::Look* const looks = gather.looks.data();
    for (; whole && k + 4 <= shape.last_look; k += 4)
      add_looks<lanes, vectors, 4, true>(sums, gather, shape, looks + k, marks, column);
    for (; k < shape.last_look; ++k)
      add_looks<lanes, vectors, 1, whole>(sums, gather, shape, looks + k, marks, column);
  }

  template <int lanes, int vectors>
  SPIKELOOM_INLINE static void add_columns(Sum* sums, const Gather& gather, const Gather::Shape& shape,
                                           const Mark* marks, std::int32_t column) {
    if (gather.length - column >= lanes * vectors)
      add_shape<lanes, vectors, true>(sums, gather, shape, marks, column);
    else
      add_shape<lanes, vectors, false>(sums, gather, shape, marks, column);
  }
};

template <class Sum, class Stored>
struct FromSpikes {
  using Mark = std::uint8_t;
  static constexpr int most_vectors = 4;

  // A bit a source instead of a byte.
  SPIKELOOM_INLINE static void mark(Mark* marks, const Gather& gather, const std::uint8_t* flags) {
    const auto sources = gather.sources();
    for (std::int64_t i = 0; i < sources; i += 64) {
      std::uint64_t word = bits_of(flags + i);
      if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
      std::memcpy(marks + i / 8, &word, sizeof(word));
    }
  }

  // At least 57 bits from the first one on, which is lowest.
  SPIKELOOM_INLINE static std::uint64_t bits_from(const Mark* bits, std::int64_t first) {
    std::uint64_t word;
    std::memcpy(&word, bits + first / 8, sizeof(word));
    if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
    return word >> (first % 8);
  }

  template <int lanes, int vectors>
  SPIKELOOM_INLINE static void add_columns(Sum* sums, const Gather& gather, const Gather::Shape& shape,
                                           const Mark* marks, std::int32_t column) {
    const std::int64_t padded = gather.padded;
    const Stored* const rows = reinterpret_cast<const Stored*>(gather.rows.data()) + column;
    for (std::int32_t o = shape.first_output; o < shape.last_output; ++o) {
      const Gather::Output& output = gather.outputs[o];
      typename Lanes<Sum, lanes>::Vector total[vectors] = {};
      for (std::int32_t l = shape.first_look; l < shape.last_look; ++l) {
        const Gather::Look& look = gather.looks[l];
        std::uint64_t spiked = bits_from(marks, std::int64_t{output.source} + look.source) & look.mask;
        for (; spiked != 0; spiked &= spiked - 1) {
          const Stored* const row = rows + look.place + std::countr_zero(spiked) * padded;
#pragma GCC unroll 8
          for (int v = 0; v < vectors; ++v) add_stored<lanes, Sum, Stored>(total[v], row + v * lanes);
        }
      }
      for (int v = 0; v < vectors; ++v)
        put<lanes>(sums + output.target + column + v * lanes, total[v], gather.length - column - v * lanes);
    }
  }
};

template <class Sum, class Stored>
struct AddGathered {
  // Blocks of so many vectors as long as there are columns for them, then of half as many.
  template <class Way, int lanes, int vectors>
  SPIKELOOM_INLINE static void add_blocks(Sum* sums, const Gather& gather, const typename Way::Mark* marks,
                                          std::int32_t column) {
    constexpr std::int32_t width = lanes * vectors;
    for (; gather.padded - column >= width; column += width)
      for (const Gather::Shape& shape : gather.shapes)
        Way::template add_columns<lanes, vectors>(sums, gather, shape, marks, column);
    if constexpr (vectors > 1) add_blocks<Way, lanes, vectors / 2>(sums, gather, marks, column);
  }

  template <class Way>
  SPIKELOOM_INLINE static void add_all(Sum* sums, const Gather& gather, const std::uint8_t* flags,
                                       typename Way::Mark* marks) {
    Way::mark(marks, gather, flags);
    if (gather.padded % 32 == 0)
      add_blocks<Way, 32, Way::most_vectors>(sums, gather, marks, 0);
    else
      add_blocks<Way, 16, Way::most_vectors>(sums, gather, marks, 0);
  }

  SPIKELOOM_INLINE static std::int64_t run(Sum* sums, const Gather& gather, const std::uint8_t* flags,
                                           std::uint16_t* scratch) {
    if (gather.width != 0)
      add_all<FromTables<Sum, Stored>>(sums, gather, flags, scratch);
    else
      add_all<FromSpikes<Sum, Stored>>(sums, gather, flags, reinterpret_cast<std::uint8_t*>(scratch));
    return gather.length * sum_where(flags, gather.reach.data(), gather.sources());
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
