// Adding rows of synapses that are read with noise.
#pragma once

#include <cstdint>

#include "base/normals.hpp"
#include "program/program.hpp"
#include "synapse/rows.hpp"

namespace spikeloom {

// One read of each synapse of the row in this step: its weight plus read_std times a normal number, added n
// times. A synapse's index is its number in the core. Real sums only.
template <class Sum>
std::int64_t add_noisy_row(const Ring<Sum>& ring, const Row& row, const Program& program, std::int32_t axon,
                           std::int64_t step, const Trial& trial);

}  // namespace spikeloom
