// Encoders of the input: values in [0, 1] become spikes of each tick.
#pragma once

#include <cstdint>

namespace spikeloom {

// Spikes that integrate-and-emit has made after k ticks, started half full: floor(1/2 + k x), exact for the
// real number k x although k x itself may not be a double. x in [0, 1], k below 2^52.
std::int64_t emitted(double x, std::int64_t k);

// spikes[t * stride + line] for t in [0, ticks): emitted(x, t + 1) - emitted(x, t).
void encode_rate(const double* x, std::int64_t lines, std::int64_t ticks, std::uint8_t* spikes,
                 std::int64_t stride);

// One draw a line and tick: a spike where the Philox word is below x 2^32. `first` is the program's number of
// line 0; key (trial_seed, stream of the input), counter (line >> 2, tick, sample, 0), word line & 3.
void encode_bernoulli(const double* x, std::int64_t lines, std::int64_t ticks, std::uint8_t* spikes,
                      std::int64_t stride, std::uint32_t trial_seed, std::uint32_t sample,
                      std::int64_t first);

}  // namespace spikeloom
