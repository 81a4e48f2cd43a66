// Kernels that are written for vectors of `width` 64-bit lanes.
#pragma once

#include "base/level.hpp"

namespace spikeloom {

// The copy for one level, with as many lanes as its vectors have.
template <template <int width> class Kernel>
auto kernel_in_lanes(Level level) {
  if (level == Level::v4) return kernel_for<Kernel<8>, Level::v4>();
  if (level == Level::v3) return kernel_for<Kernel<4>, Level::v3>();
  return kernel_for<Kernel<2>, Level::baseline>();
}

}  // namespace spikeloom
