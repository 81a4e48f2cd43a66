#include "synapse/rows.hpp"

namespace spikeloom {
namespace {

// Sums wrap as unsigned integers do: a partial sum may leave the width, the total is proven to fit it.
template <class Sum, class Stored>
SPIKELOOM_INLINE Sum plus(Sum sum, Stored weight) {
  if constexpr (std::is_floating_point_v<Sum>)
    return sum + weight;
  else
    return static_cast<Sum>(static_cast<std::make_unsigned_t<Sum>>(sum) +
                            static_cast<std::make_unsigned_t<Sum>>(static_cast<Sum>(weight)));
}

template <class Sum, class Stored>
SPIKELOOM_INLINE Sum times(Stored weight, Sum n) {
  using Unsigned = std::make_unsigned_t<Sum>;
  return static_cast<Sum>(static_cast<Unsigned>(n) * static_cast<Unsigned>(static_cast<Sum>(weight)));
}

// Sixteen columns at a time, so that the short runs of a convolution are whole vectors.
template <bool once, class Sum, class Stored>
SPIKELOOM_INLINE void add_dense(Sum* sums, const Stored* weights, std::int32_t length, Sum n) {
  constexpr std::int32_t width = 16;
  std::int32_t k = 0;
  for (; k + width <= length; k += width) {
    SPIKELOOM_INDEPENDENT
    for (std::int32_t j = k; j < k + width; ++j) {
      if constexpr (once)
        sums[j] = plus(sums[j], weights[j]);
      else
        sums[j] = plus(sums[j], times<Sum>(weights[j], n));
    }
  }
  for (; k < length; ++k) {
    if constexpr (once)
      sums[k] = plus(sums[k], weights[k]);
    else
      sums[k] = plus(sums[k], times<Sum>(weights[k], n));
  }
}

// One target at a time, since a run may list targets in any order. `once` spares the product of a single
// spike.
template <bool once, class Sum, class Stored>
SPIKELOOM_INLINE void add_listed(Sum* sums, const Stored* weights, const std::int32_t* index,
                                 std::int32_t length, Sum n) {
  const auto add = [&](std::int32_t k) {
    if constexpr (once)
      sums[index[k]] = plus(sums[index[k]], weights[k]);
    else
      sums[index[k]] = plus(sums[index[k]], times<Sum>(weights[k], n));
  };
  std::int32_t k = 0;
  for (; k + 4 <= length; k += 4) {
    add(k);
    add(k + 1);
    add(k + 2);
    add(k + 3);
  }
  for (; k < length; ++k) add(k);
}

template <class Sum, class Stored>
SPIKELOOM_INLINE void add_run(Sum* sums, const Stored* weights, const std::int32_t* index,
                              std::int32_t length, std::int64_t n) {
  if constexpr (std::is_floating_point_v<Sum>) {
    for (std::int64_t k = 0; k < n; ++k)
      index != nullptr ? add_listed<true>(sums, weights, index, length, Sum{1})
                       : add_dense<true>(sums, weights, length, Sum{1});
  } else if (index != nullptr && n == 1) {
    add_listed<true>(sums, weights, index, length, Sum{1});
  } else if (index != nullptr) {
    add_listed<false>(sums, weights, index, length, static_cast<Sum>(n));
  } else if (n == 1) {
    add_dense<true>(sums, weights, length, Sum{1});
  } else {
    add_dense<false>(sums, weights, length, static_cast<Sum>(n));
  }
}

template <class Sum, class Stored>
struct AddRuns {
  SPIKELOOM_INLINE static std::int64_t run(const Ring<Sum>& ring, const Row& row, const void* stored,
                                           const std::int32_t* index) {
    const Stored* weights = static_cast<const Stored*>(stored) + row.weight;
    std::int64_t additions = 0;
    for (const Run* r = row.runs; r != row.end && r->delay <= row.longest; ++r) {
      std::int32_t slot = row.slot + r->delay;
      if (slot >= ring.slots) slot -= ring.slots;
      Sum* sums = ring.sums + (std::int64_t{slot} * ring.receptors + r->receptor) * ring.neurons +
                  row.target + r->target;
      add_run(sums, weights + r->weight, r->index < 0 ? nullptr : index + r->index, r->length, row.n);
      additions += r->length;
    }
    return additions * row.n;
  }
};

}  // namespace

template <class Sum>
AddRow<Sum> add_row(const Weights& weights, Level level) {
  return std::visit(
      [&](const auto& values) -> AddRow<Sum> {
        using Stored = typename std::decay_t<decltype(values)>::value_type;
        if constexpr (std::is_floating_point_v<Stored> == std::is_floating_point_v<Sum>)
          return kernel<AddRuns<Sum, Stored>>(level);
        else
          return nullptr;  // integers never meet real sums: an analog soma has real weights only
      },
      weights.values);
}

template AddRow<std::int32_t> add_row(const Weights&, Level);
template AddRow<std::int64_t> add_row(const Weights&, Level);
template AddRow<double> add_row(const Weights&, Level);

}  // namespace spikeloom
