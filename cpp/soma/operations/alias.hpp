// The part of `multi_fire` that copies spikes between neurons.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "soma/binder.hpp"
#include "soma/block.hpp"

namespace spikeloom {

struct Alias {
  Source offset;
  std::int32_t max;

  // Neuron i of the block has fired: n(i + offset) = min(max, n(i + offset) + n(i)).
  void copy(const Block<std::int32_t>& block, const std::int32_t* offsets, int i) const {
    if (offsets[i] == 0) return;
    std::int32_t& n = block.spikes[i + offsets[i]];
    n = std::min(max, n + block.spikes[i]);
  }
};

// The alias that follows the binder's current entry in the list, if one does.
std::optional<Alias> following_alias(Binder<std::int32_t>& binder);

}  // namespace spikeloom
