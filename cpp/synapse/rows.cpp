#include "synapse/rows.hpp"

#include <cstring>

#include "synapse/by_type.hpp"
#include "synapse/lanes.hpp"

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
  SPIKELOOM_INLINE static void add(Sum* sums, const Stored* weights, std::int32_t length) {
    std::int32_t k = 0;
    for (; k + 16 <= length; k += 16) {
      typename Lanes<Sum, 16>::Vector sum;
      std::memcpy(&sum, sums + k, sizeof(sum));
      add_stored<16, Sum, Stored>(sum, weights + k);
      std::memcpy(sums + k, &sum, sizeof(sum));
    }
    for (; k < length; ++k) sums[k] = plus(sums[k], weights[k]);
  }

  SPIKELOOM_INLINE static PatchesAdded run(const Ring<Sum>& ring, const PatchList& list,
                                           std::int32_t first_slot, std::int64_t longest, const void* stored,
                                           std::uint8_t* dirty) {
    const Stored* const all = static_cast<const Stored*>(stored);
    const std::int64_t slot_size = ring.neurons * ring.receptors;
    PatchesAdded result{0, false};
    for (std::int64_t i = 0; i < list.count; ++i) {
      const Spike spike = list.spikes[i];
      result.several |= spike.n != 1;
      if (spike.n != 1) continue;
      const Delivery* const end = list.deliveries + list.start[spike.neuron + 1];
      for (const Delivery* patch = list.deliveries + list.start[spike.neuron]; patch != end; ++patch) {
        const PatchRun* const last = list.runs + patch->number + patch->length;
        for (const PatchRun* run = list.runs + patch->number; run != last && run->delay <= longest; ++run) {
          std::int32_t slot = first_slot + run->delay;
          if (slot >= ring.slots) slot -= ring.slots;
          dirty[slot] = 1;
          add(ring.sums + slot * slot_size + patch->target + run->target, all + patch->place + run->weight,
              run->length);
          result.additions += run->length;
        }
      }
    }
    return result;
  }
};

template <class Sum, class Stored, class Target>
struct AddRecordOf {
  SPIKELOOM_INLINE static void run(Sum* sums, const std::byte* record, std::int32_t length) {
    const auto* targets = reinterpret_cast<const Target*>(record);
    const std::int64_t bytes = (length * std::int64_t{sizeof(Target)} + 7) / 8 * 8;
    add_listed<true>(sums, reinterpret_cast<const Stored*>(record + bytes), targets, length, Sum{1});
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
