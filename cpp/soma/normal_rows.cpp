#include "soma/normal_rows.hpp"

#include <algorithm>

namespace spikeloom {

// Neurons are numbered within their core, and a block may hold neurons of several.
void NormalRows::draw(const Block<double>& block, double* z, std::uint32_t* words) const {
  for (std::int32_t i = 0; i < block.count;) {
    const std::int32_t core = program_.core_of(block.first + i);
    const std::int32_t start = program_.core_neuron_start[core], end = program_.core_neuron_start[core + 1];
    const std::int32_t count = std::min(block.count - i, end - (block.first + i));
    const Draw noise = noise_draw(block.trial, Stream::membrane, block.step, core, layer_);
    fill_(words + i, static_cast<std::uint32_t>(block.first + i - start), count, noise);
    i += count;
  }
  to_normals_(z, words, block.count);
}

}  // namespace spikeloom
