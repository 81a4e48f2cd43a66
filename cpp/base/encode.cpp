#include "base/encode.hpp"

#include <cmath>

#include "base/philox.hpp"

namespace spikeloom {

std::int64_t emitted(double x, std::int64_t k) {
  const double ticks = static_cast<double>(k);
  const double product = ticks * x;
  const std::int64_t whole = static_cast<std::int64_t>(product);  // product >= 0: truncation is the floor
  const double above_half = (product - static_cast<double>(whole)) - 0.5;
  // The rounding error of the product is below the last place of `above_half`, so it decides a tie only.
  const bool emits = above_half > 0 || (above_half == 0 && std::fma(ticks, x, -product) >= 0);
  return whole + emits;
}

void encode_rate(const double* x, std::int64_t lines, std::int64_t ticks, std::uint8_t* spikes,
                 std::int64_t stride) {
  for (std::int64_t line = 0; line < lines; ++line) {
    if (x[line] == 0) continue;  // the caller cleared the array
    std::int64_t before = 0;
    for (std::int64_t t = 0; t < ticks; ++t) {
      const std::int64_t now = emitted(x[line], t + 1);
      spikes[t * stride + line] = static_cast<std::uint8_t>(now - before);
      before = now;
    }
  }
}

void encode_bernoulli(const double* x, std::int64_t lines, std::int64_t ticks, std::uint8_t* spikes,
                      std::int64_t stride, std::uint32_t trial_seed, std::uint32_t sample,
                      std::int64_t first) {
  const PhiloxKey key{trial_seed, static_cast<std::uint32_t>(Stream::input_spikes)};
  for (std::int64_t t = 0; t < ticks; ++t) {
    PhiloxCounter words{};
    std::int64_t drawn = -1;
    for (std::int64_t line = 0; line < lines; ++line) {
      if (x[line] == 0) continue;
      const std::int64_t index = first + line;
      if (drawn != index >> 2) {
        drawn = index >> 2;
        words = philox({static_cast<std::uint32_t>(drawn), static_cast<std::uint32_t>(t), sample, 0}, key);
      }
      spikes[t * stride + line] = static_cast<double>(words[index & 3]) < x[line] * 4294967296.0;
    }
  }
}

}  // namespace spikeloom
