// The normal numbers of a block's neurons in one step.
#pragma once

#include "base/kernel_in_lanes.hpp"
#include "base/normal_lanes.hpp"
#include "base/philox_lanes.hpp"
#include "program/program.hpp"
#include "soma/block.hpp"

namespace spikeloom {

class NormalRows {
 public:
  // `layer` tells apart operations that draw in the same step.
  NormalRows(const Program& program, int layer, Level level)
      : program_(program),
        layer_(layer),
        fill_(kernel_in_lanes<FillManyWords>(level)),
        to_normals_(kernel_in_lanes<ManyNormals>(level)) {}

  // z[i] of neuron block.first + i; `words` is scratch of as many.
  void draw(const Block<double>& block, double* z, std::uint32_t* words) const;

 private:
  const Program& program_;
  int layer_;
  void (*fill_)(std::uint32_t*, std::uint32_t, int, const Draw&);
  void (*to_normals_)(double*, const std::uint32_t*, int);
};

}  // namespace spikeloom
