// Adding many rows of one shape at once: the sums of a block of columns stay in processor registers.
#pragma once

#include <cstdint>

#include "base/level.hpp"
#include "program/program.hpp"

namespace spikeloom {

// sums[k] += weights[offsets[r] + k] over all rows r, for k in [0, length).
template <class Sum>
using AddRows = void (*)(Sum* sums, const void* weights, const std::int64_t* offsets, std::int64_t rows,
                         std::int32_t length);

// Null where one row at a time is as good: wide weights, real values.
template <class Sum>
AddRows<Sum> add_rows(const Weights& weights, Level level);

}  // namespace spikeloom
