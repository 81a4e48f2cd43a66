// Adding many rows of one shape at once: the sums of a block of columns stay in processor registers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/level.hpp"
#include "program/program.hpp"
#include "synapse/fans.hpp"

namespace spikeloom {

// sums[k] += column k of all rows, for k in [0, length); `rows` are packed, row r begins at places[r].
template <class Sum>
using AddRows = void (*)(Sum* sums, const std::byte* rows, const std::int64_t* places, std::int64_t count,
                         std::int32_t length);

// Null where one row at a time is as good: wide weights, real values.
template <class Sum>
AddRows<Sum> add_rows(const Weights& weights, Level level);

// Bytes of the vectors of that kernel; 0 where there is none, as for real weights.
int row_lane_bytes(const Weights& weights, Level level);

// places[k] = first + spikes[k].neuron * stride; true where a source has several spikes.
using PlaceRows = bool (*)(std::int64_t* places, const Spike* spikes, std::int64_t count, std::int64_t first,
                           std::int64_t stride);
PlaceRows place_rows(Level level);

// Packs weights [first, first + length) of a row for the kernel with these vectors, up to a multiple of 64
// bytes.
void pack_row(const Weights& weights, std::int64_t first, std::int32_t length, int lane_bytes,
              std::byte* row);

}  // namespace spikeloom
