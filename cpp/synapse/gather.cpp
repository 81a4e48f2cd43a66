#include "synapse/gather.hpp"

#include <bit>

#include "base/lanes.hpp"
#include "synapse/by_type.hpp"

namespace spikeloom {
namespace {

// Bits [first, first + count) with the first one lowest; 0 < count <= 64.
SPIKELOOM_INLINE std::uint64_t bits_from(const std::uint64_t* bits, std::int64_t first, int count) {
  const std::uint64_t* const word = bits + first / 64;
  const int shift = static_cast<int>(first % 64);
  const std::uint64_t joined = word[0] >> shift | (word[1] << 1) << (63 - shift);
  return joined & (~std::uint64_t{0} >> (64 - count));
}

template <class Sum, class Stored>
struct AddGathered {
  // `vectors` vectors of `lanes` columns of an output, from `column` on.
  template <int lanes, int vectors>
  SPIKELOOM_INLINE static void add_columns(Sum* sums, const Gather& gather, const Gather::Output& output,
                                           const std::uint64_t* bits, std::int32_t column) {
    using Vector = typename Lanes<Sum, lanes>::Vector;
    const Stored* const rows = reinterpret_cast<const Stored*>(gather.rows.data()) + column;
    Vector total[vectors] = {};
    for (std::int32_t k = output.first_span; k < output.last_span; ++k) {
      const Gather::Span& span = gather.spans[k];
      std::uint64_t spiked = bits_from(bits, output.source + span.source, span.count);
      const Stored* const first = rows + span.row * gather.padded;
      for (; spiked != 0; spiked &= spiked - 1) {
        const Stored* const row = first + std::int64_t{std::countr_zero(spiked)} * gather.padded;
#pragma GCC unroll 8
        for (int v = 0; v < vectors; ++v) add_stored<lanes, Sum, Stored>(total[v], row + v * lanes);
      }
    }
    put<lanes * vectors>(sums + output.target + column, total, gather.length - column);
  }

  template <int columns, class Vectors>
  SPIKELOOM_INLINE static void put(Sum* sums, const Vectors& total, std::int32_t length) {
    using Unsigned = std::make_unsigned_t<Sum>;  // the total is proven to fit, a partial sum is not
    Sum parts[columns];
    std::memcpy(parts, &total, sizeof(total));
    const auto add = [&](int k) {
      sums[k] = static_cast<Sum>(static_cast<Unsigned>(sums[k]) + static_cast<Unsigned>(parts[k]));
    };
    if (length >= columns)
      for (int k = 0; k < columns; ++k) add(k);
    else
      for (int k = 0; k < length; ++k) add(k);
  }

  // Blocks of so many vectors as long as there are columns for them, then of half as many.
  template <int lanes, int vectors>
  SPIKELOOM_INLINE static void add_blocks(Sum* sums, const Gather& gather, const std::uint64_t* bits,
                                          std::int32_t column) {
    constexpr std::int32_t width = lanes * vectors;
    for (; gather.padded - column >= width; column += width)
      for (const Gather::Output& output : gather.outputs)
        add_columns<lanes, vectors>(sums, gather, output, bits, column);
    if constexpr (vectors > 1) add_blocks<lanes, vectors / 2>(sums, gather, bits, column);
  }

  SPIKELOOM_INLINE static void run(Sum* sums, const Gather& gather, const std::uint64_t* bits) {
    if (gather.padded % 32 == 0)
      add_blocks<32, 4>(sums, gather, bits, 0);
    else
      add_blocks<16, 4>(sums, gather, bits, 0);
  }
};

}  // namespace

template <class Sum>
AddGather<Sum> add_gather(const Weights& weights, Level level) {
  return by_type<Sum, AddGather<Sum>>(
      weights, [&]<class Stored>() { return kernel<AddGathered<Sum, Stored>>(level); });
}

template AddGather<std::int16_t> add_gather(const Weights&, Level);
template AddGather<std::int32_t> add_gather(const Weights&, Level);
template AddGather<std::int64_t> add_gather(const Weights&, Level);

}  // namespace spikeloom
