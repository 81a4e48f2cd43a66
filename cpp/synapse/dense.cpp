// Two weights are added in one lane of twice their width: with y = the lane, its lower half made positive by
// a flipped sign bit, A = sum of y and B = sum of (y >> half bits) give the upper halves (B) and the lower
// ones (A - B 2^bits, less the flipped bits), as long as neither leaves the lane. Rows are packed so that the
// lower halves of a vector are its first columns and the upper ones the others.
#include "synapse/dense.hpp"

#include <bit>
#include <cstring>
#include <type_traits>

namespace spikeloom {
namespace {

// Lanes of two weights in vectors of so many bytes.
template <class Stored, int bytes>
struct Pairs;
template <int bytes>
struct Pairs<std::int8_t, bytes> {
  using Lane = std::int16_t;
  typedef std::int16_t Vector __attribute__((vector_size(bytes)));
  typedef std::uint16_t Unsigned __attribute__((vector_size(bytes)));
  static constexpr std::int64_t most_rows = 255;  // 255 * 255 < 2^16
};
template <int bytes>
struct Pairs<std::int16_t, bytes> {
  using Lane = std::int32_t;
  typedef std::int32_t Vector __attribute__((vector_size(bytes)));
  typedef std::uint32_t Unsigned __attribute__((vector_size(bytes)));
  static constexpr std::int64_t most_rows = 65535;  // 65535 * 65535 < 2^32
};

// `most_vectors`: accumulators that a processor holds beside the row, halved: there are two a vector.
template <class Sum, class Stored, int bytes, int most_vectors>
struct AddRowsOf {
  using P = Pairs<Stored, bytes>;
  using Lane = typename P::Lane;
  using Vector = typename P::Vector;
  using Unsigned = typename P::Unsigned;
  static constexpr int columns = bytes / sizeof(Stored);  // of one vector
  static constexpr int bits = 8 * sizeof(Stored);
  static constexpr int flipped = 1 << (bits - 1);

  // `vectors` vectors of columns of all rows, from `rows` on.
  template <int vectors>
  SPIKELOOM_INLINE static void add_block(Sum* sums, const std::byte* rows, const std::int64_t* places,
                                         std::int64_t count, std::int32_t length) {
    Unsigned a[vectors] = {};
    Vector b[vectors] = {};
    for (std::int64_t r = 0; r < count; ++r) {
      const std::byte* row = rows + places[r];
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v) {
        Vector y;
        std::memcpy(&y, row + v * bytes, sizeof(y));
        a[v] += reinterpret_cast<Unsigned&>(y);
        b[v] += y >> bits;
      }
    }
    const auto extra = static_cast<std::make_unsigned_t<Lane>>(count * flipped);
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v)
      add_pairs(sums + v * columns, a[v] - (reinterpret_cast<Unsigned&>(b[v]) << bits) - extra, b[v],
                length - v * columns);
  }

  SPIKELOOM_INLINE static void add_pairs(Sum* sums, const Unsigned& lower, const Vector& upper,
                                         std::int32_t length) {
    Lane parts[columns];
    std::memcpy(parts, &lower, sizeof(lower));
    std::memcpy(parts + columns / 2, &upper, sizeof(upper));
    if (length >= columns)
      for (int k = 0; k < columns; ++k) sums[k] = added(sums[k], parts[k]);
    else
      for (int k = 0; k < length; ++k) sums[k] = added(sums[k], parts[k]);
  }

  // As unsigned integers do: the total is proven to fit, a partial sum is not.
  SPIKELOOM_INLINE static Sum added(Sum sum, Lane part) {
    using U = std::make_unsigned_t<Sum>;
    return static_cast<Sum>(static_cast<U>(sum) + static_cast<U>(static_cast<Sum>(part)));
  }

  // Blocks of so many vectors as long as there are columns for them, then of half as many.
  template <int vectors>
  SPIKELOOM_INLINE static void add_blocks(Sum* sums, const std::byte* rows, const std::int64_t* places,
                                          std::int64_t count, std::int32_t length) {
    constexpr std::int32_t width = vectors * columns;
    for (; length > width - columns; length -= width, sums += width, rows += vectors * bytes)
      add_block<vectors>(sums, rows, places, count, length);
    if constexpr (vectors > 1) add_blocks<vectors / 2>(sums, rows, places, count, length);
  }

  SPIKELOOM_INLINE static void run(Sum* sums, const std::byte* rows, const std::int64_t* places,
                                   std::int64_t count, std::int32_t length) {
    for (std::int64_t first = 0; first < count; first += P::most_rows) {
      const std::int64_t some = count - first < P::most_rows ? count - first : P::most_rows;
      add_blocks<most_vectors>(sums, rows, places + first, some, length);
    }
  }
};

template <class Sum, class Stored>
AddRows<Sum> at_level(Level level) {
  if (level == Level::v4) return kernel_for<AddRowsOf<Sum, Stored, 64, 8>, Level::v4>();
  if (level == Level::v3) return kernel_for<AddRowsOf<Sum, Stored, 32, 4>, Level::v3>();
  return kernel_for<AddRowsOf<Sum, Stored, 16, 4>, Level::baseline>();
}

// Lower half: the first columns, with the sign bit flipped.
template <class Stored>
void pack(const Stored* weights, std::int32_t length, int lane_bytes, std::byte* row) {
  constexpr std::int32_t unit = Fans::row_unit / sizeof(Stored);
  const auto columns = static_cast<std::int32_t>(lane_bytes / sizeof(Stored));
  const std::int32_t padded = (length + unit - 1) / unit * unit;
  using Bits = std::make_unsigned_t<Stored>;
  constexpr auto flipped = static_cast<Bits>(Bits{1} << (8 * sizeof(Stored) - 1));
  for (std::int32_t k = 0; k < padded; ++k) {
    const std::int32_t in_vector = k % columns;
    const bool lower = in_vector < columns / 2;
    const std::int32_t at = k - in_vector + (lower ? 2 * in_vector : 2 * (in_vector - columns / 2) + 1);
    const auto weight = static_cast<Bits>(k < length ? weights[k] : 0);
    const auto packed = static_cast<Bits>(lower ? weight ^ flipped : weight);
    std::memcpy(row + at * sizeof(packed), &packed, sizeof(packed));
  }
}

struct PlaceAll {
  SPIKELOOM_INLINE static bool run(std::int64_t* places, const Spike* spikes, std::int64_t count,
                                   std::int64_t first, std::int64_t stride) {
    std::int32_t others = 0;
    SPIKELOOM_INDEPENDENT
    for (std::int64_t k = 0; k < count; ++k) {
      places[k] = first + spikes[k].neuron * stride;
      others |= spikes[k].n ^ 1;
    }
    return others != 0;
  }
};

bool is_packed(const Weights& weights) {
  return std::endian::native == std::endian::little &&
         (std::holds_alternative<Table<std::int8_t>>(weights.values) ||
          std::holds_alternative<Table<std::int16_t>>(weights.values));
}

}  // namespace

template <class Sum>
AddRows<Sum> add_rows(const Weights& weights, Level level) {
  if constexpr (std::is_integral_v<Sum>)
    if (is_packed(weights))
      return std::holds_alternative<Table<std::int8_t>>(weights.values) ? at_level<Sum, std::int8_t>(level)
                                                                        : at_level<Sum, std::int16_t>(level);
  return nullptr;
}

PlaceRows place_rows(Level level) {
  return kernel<PlaceAll>(level);
}

int row_lane_bytes(const Weights& weights, Level level) {
  if (!is_packed(weights)) return 0;
  return level == Level::v4 ? 64 : level == Level::v3 ? 32 : 16;
}

void pack_row(const Weights& weights, std::int64_t first, std::int32_t length, int lane_bytes,
              std::byte* row) {
  if (const auto* bytes = std::get_if<Table<std::int8_t>>(&weights.values))
    pack(bytes->data() + first, length, lane_bytes, row);
  else
    pack(std::get<Table<std::int16_t>>(weights.values).data() + first, length, lane_bytes, row);
}

template AddRows<std::int16_t> add_rows(const Weights&, Level);
template AddRows<std::int32_t> add_rows(const Weights&, Level);
template AddRows<std::int64_t> add_rows(const Weights&, Level);
template AddRows<double> add_rows(const Weights&, Level);

}  // namespace spikeloom
