#include "synapse/rows.hpp"

#include <cstring>

#include "base/lanes.hpp"
#include "synapse/by_type.hpp"

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
  using Unsigned = std::common_type_t<unsigned, std::make_unsigned_t<Sum>>;  // shorter ones become signed
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
template <bool once, class Sum, class Stored, class Target>
SPIKELOOM_INLINE void add_listed(Sum* sums, const Stored* weights, const Target* index, std::int32_t length,
                                 Sum n) {
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

template <class Sum, class Stored>
struct AddPatchList {
  static constexpr std::int32_t width = 16;

  SPIKELOOM_INLINE static void add_vector(Sum* sums, const Stored* weights) {
    typename Lanes<Sum, width>::Vector sum;
    std::memcpy(&sum, sums, sizeof(sum));
    add_stored<width, Sum, Stored>(sum, weights);
    std::memcpy(sums, &sum, sizeof(sum));
  }

  SPIKELOOM_INLINE static void add(Sum* sums, const Stored* weights, std::int32_t length) {
    std::int32_t k = 0;
    for (; k + width <= length; k += width) add_vector(sums + k, weights + k);
    for (; k < length; ++k) sums[k] = plus(sums[k], weights[k]);
  }

  // The usual run has no delay and is a vector or two long.
  SPIKELOOM_INLINE static void add_run(const Ring<Sum>& ring, Sum* now, const PatchRun& run,
                                       const Stored* weights, std::int32_t target, std::int32_t first_slot,
                                       std::uint8_t* dirty) {
    if (run.delay == 0) {
      Sum* const sums = now + target + run.target;
      if (run.length == width) return add_vector(sums, weights + run.weight);
      return add(sums, weights + run.weight, run.length);
    }
    std::int32_t slot = first_slot + run.delay;
    if (slot >= ring.slots) slot -= ring.slots;
    dirty[slot] = 1;
    add(ring.sums + slot * ring.neurons * ring.receptors + target + run.target, weights + run.weight,
        run.length);
  }

  SPIKELOOM_INLINE static PatchesAdded run(const Ring<Sum>& given, const PatchList& list,
                                           std::int32_t first_slot, std::int64_t longest, const void* stored,
                                           std::uint8_t* dirty) {
    const Ring<Sum> ring = given;  // no store can reach a copy
    const Stored* const all = static_cast<const Stored*>(stored);
    Sum* const now = ring.sums + first_slot * ring.neurons * ring.receptors;
    dirty[first_slot] = 1;
    PatchesAdded result{0, false};
    for (std::int64_t i = 0; i < list.count; ++i) {
      const Spike spike = list.spikes[i];
      result.several |= spike.n != 1;
      if (spike.n != 1) continue;
      const Delivery* const end = list.deliveries + list.start[spike.neuron + 1];
      for (const Delivery* patch = list.deliveries + list.start[spike.neuron]; patch != end; ++patch) {
        const PatchRun* const last = list.runs + patch->number + patch->length;
        const Stored* const weights = all + patch->place;
        for (const PatchRun* run = list.runs + patch->number; run != last && run->delay <= longest; ++run) {
          add_run(ring, now, *run, weights, patch->target, first_slot, dirty);
          result.additions += run->length;
        }
      }
    }
    return result;
  }
};

template <class Sum, class Stored, class Target>
struct AddRecordOf {
  SPIKELOOM_INLINE static void run(Sum* sums, const std::byte* targets, const std::byte* weights,
                                   std::int32_t length) {
    add_listed<true>(sums, reinterpret_cast<const Stored*>(weights), reinterpret_cast<const Target*>(targets),
                     length, Sum{1});
  }
};

}  // namespace

template <class Sum>
AddRow<Sum> add_row(const Weights& weights, Level level) {
  return by_type<Sum, AddRow<Sum>>(weights,
                                   [&]<class Stored>() { return kernel<AddRuns<Sum, Stored>>(level); });
}

template <class Sum>
AddPatches<Sum> add_patches(const Weights& weights, Level level) {
  return by_type<Sum, AddPatches<Sum>>(
      weights, [&]<class Stored>() { return kernel<AddPatchList<Sum, Stored>>(level); });
}

template <class Sum>
AddRecord<Sum> add_record(const Weights& weights, bool short_targets, Level level) {
  return by_type<Sum, AddRecord<Sum>>(weights, [&]<class Stored>() {
    return short_targets ? kernel<AddRecordOf<Sum, Stored, std::uint16_t>>(level)
                         : kernel<AddRecordOf<Sum, Stored, std::uint32_t>>(level);
  });
}

template AddRow<std::int16_t> add_row(const Weights&, Level);
template AddPatches<std::int16_t> add_patches(const Weights&, Level);
template AddRecord<std::int16_t> add_record(const Weights&, bool, Level);
template AddRow<std::int32_t> add_row(const Weights&, Level);
template AddPatches<std::int32_t> add_patches(const Weights&, Level);
template AddRecord<std::int32_t> add_record(const Weights&, bool, Level);
template AddRow<std::int64_t> add_row(const Weights&, Level);
template AddPatches<std::int64_t> add_patches(const Weights&, Level);
template AddRecord<std::int64_t> add_record(const Weights&, bool, Level);
template AddRow<double> add_row(const Weights&, Level);
template AddPatches<double> add_patches(const Weights&, Level);
template AddRecord<double> add_record(const Weights&, bool, Level);

}  // namespace spikeloom
