// Two neighbouring weights are added in one lane of twice their width: with y = the lane, its lower half made
// positive by a flipped sign bit, A = sum of y and B = sum of (y >> half bits) give the upper halves (B) and
// the lower ones (A - B 2^bits, less the flipped bits), as long as neither leaves the lane.
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

template <class Sum, class Stored, int bytes>
struct AddRowsOf {
  using P = Pairs<Stored, bytes>;
  using Lane = typename P::Lane;
  using Vector = typename P::Vector;
  using Unsigned = typename P::Unsigned;
  static constexpr int vectors = 2;                       // a block of columns
  static constexpr int columns = bytes / sizeof(Stored);  // of one vector
  static constexpr int bits = 8 * sizeof(Stored);
  static constexpr int flipped = 1 << (bits - 1);

  // `vectors` vectors of columns of all rows, from `weights` on.
  template <int vectors>
  SPIKELOOM_INLINE static void add_block(Sum* sums, const Stored* weights, const std::int64_t* offsets,
                                         std::int64_t rows) {
    Unsigned a[vectors] = {};
    Vector b[vectors] = {};
    for (std::int64_t r = 0; r < rows; ++r) {
      const Stored* row = weights + offsets[r];
#pragma GCC unroll 2
      for (int v = 0; v < vectors; ++v) {
        Vector y;
        std::memcpy(&y, row + v * columns, sizeof(y));
        y ^= static_cast<Lane>(flipped);
        a[v] += reinterpret_cast<Unsigned&>(y);
        b[v] += y >> bits;
      }
    }
    const auto extra = static_cast<std::make_unsigned_t<Lane>>(rows * flipped);
#pragma GCC unroll 2
    for (int v = 0; v < vectors; ++v)
      add_pairs(sums + v * columns, a[v] - (reinterpret_cast<Unsigned&>(b[v]) << bits) - extra, b[v]);
  }

  SPIKELOOM_INLINE static void add_pairs(Sum* sums, const Unsigned& lower, const Vector& upper) {
    Lane even[columns / 2], odd[columns / 2];
    std::memcpy(even, &lower, sizeof(lower));
    std::memcpy(odd, &upper, sizeof(upper));
    for (int k = 0; k < columns / 2; ++k) {
      sums[2 * k] = added(sums[2 * k], even[k]);
      sums[2 * k + 1] = added(sums[2 * k + 1], odd[k]);
    }
  }

  // As unsigned integers do: the total is proven to fit, a partial sum is not.
  SPIKELOOM_INLINE static Sum added(Sum sum, Lane part) {
    using U = std::make_unsigned_t<Sum>;
    return static_cast<Sum>(static_cast<U>(sum) + static_cast<U>(static_cast<Sum>(part)));
  }

  SPIKELOOM_INLINE static void run(Sum* sums, const void* stored, const std::int64_t* offsets,
                                   std::int64_t rows, std::int32_t length) {
    const Stored* weights = static_cast<const Stored*>(stored);
    for (std::int64_t first = 0; first < rows; first += P::most_rows) {
      const std::int64_t count = rows - first < P::most_rows ? rows - first : P::most_rows;
      std::int32_t k = 0;
      for (; k + 2 * columns <= length; k += 2 * columns)
        add_block<2>(sums + k, weights + k, offsets + first, count);
      if (k + columns <= length) {
        add_block<1>(sums + k, weights + k, offsets + first, count);
        k += columns;
      }
      for (std::int64_t r = first; r < first + count; ++r) {
        const Stored* row = weights + offsets[r];
        SPIKELOOM_INDEPENDENT
        for (std::int32_t j = k; j < length; ++j) sums[j] = added(sums[j], row[j]);
      }
    }
  }
};

template <class Sum, class Stored>
AddRows<Sum> at_level(Level level) {
  if (level == Level::v4) return kernel_for<AddRowsOf<Sum, Stored, 64>, Level::v4>();
  if (level == Level::v3) return kernel_for<AddRowsOf<Sum, Stored, 32>, Level::v3>();
  return kernel_for<AddRowsOf<Sum, Stored, 16>, Level::baseline>();
}

}  // namespace

template <class Sum>
AddRows<Sum> add_rows(const Weights& weights, Level level) {
  if constexpr (std::is_integral_v<Sum> && std::endian::native == std::endian::little) {
    if (std::holds_alternative<Table<std::int8_t>>(weights.values)) return at_level<Sum, std::int8_t>(level);
    if (std::holds_alternative<Table<std::int16_t>>(weights.values))
      return at_level<Sum, std::int16_t>(level);
  }
  return nullptr;
}

template AddRows<std::int32_t> add_rows(const Weights&, Level);
template AddRows<std::int64_t> add_rows(const Weights&, Level);
template AddRows<double> add_rows(const Weights&, Level);

}  // namespace spikeloom
