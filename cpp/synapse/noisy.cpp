#include "synapse/noisy.hpp"

#include <algorithm>
#include <type_traits>
#include <variant>

namespace spikeloom {
namespace {

std::int32_t core_of_axon(const Program& program, std::int32_t axon) {
  const auto& starts = program.core_axon_start;
  return static_cast<std::int32_t>(std::upper_bound(starts.begin(), starts.end(), axon) - starts.begin()) - 1;
}

// The place of a core's first synapse in the codes, which are one a synapse, axon by axon.
std::int64_t first_code(const Program& program, std::int32_t core) {
  return program.axon_rows[program.core_axon_start[core]].weight;
}

void add_noisy_run(double* sums, const Program& program, const Run& run, std::int64_t code, std::int64_t n,
                   std::int64_t first, const Draw& draw) {
  const auto& weights = std::get<Reals>(program.weights.values);
  for (std::int32_t k = 0; k < run.length; ++k) {
    const auto index = static_cast<std::uint32_t>(code + k - first);
    const double z = normal_of(words_of(draw, index)[index & 3]);
    const double weight = weights[code + k] + program.read_std[code + k] * z;
    double& sum = sums[run.index < 0 ? k : program.index_target[run.index + k]];
    for (std::int64_t i = 0; i < n; ++i) sum += weight;
  }
}

}  // namespace

template <class Sum>
std::int64_t add_noisy_row(const Ring<Sum>& ring, const Row& row, const Program& program, std::int32_t axon,
                           std::int64_t step, const Trial& trial) {
  std::int64_t additions = 0;
  if constexpr (std::is_floating_point_v<Sum>) {
    const std::int32_t core = core_of_axon(program, axon);
    const Draw draw = noise_draw(trial, Stream::read, step, core, program.spec.read_layer);
    for (const Run* run = row.runs; run != row.end; ++run) {
      double* sums = ring.sums + std::int64_t{run->receptor} * ring.neurons + row.target + run->target;
      add_noisy_run(sums, program, *run, row.weight + run->weight, row.n, first_code(program, core), draw);
      additions += run->length * row.n;
    }
  }
  return additions;
}

template std::int64_t add_noisy_row(const Ring<std::int16_t>&, const Row&, const Program&, std::int32_t,
                                    std::int64_t, const Trial&);
template std::int64_t add_noisy_row(const Ring<std::int32_t>&, const Row&, const Program&, std::int32_t,
                                    std::int64_t, const Trial&);
template std::int64_t add_noisy_row(const Ring<std::int64_t>&, const Row&, const Program&, std::int32_t,
                                    std::int64_t, const Trial&);
template std::int64_t add_noisy_row(const Ring<double>&, const Row&, const Program&, std::int32_t,
                                    std::int64_t, const Trial&);

}  // namespace spikeloom
