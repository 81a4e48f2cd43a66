// The list of a linear neuron bound to its registers and constants, and how it runs over blocks.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "soma/normal_rows.hpp"
#include "soma/one_pass/linear.hpp"
#include "soma/one_pass/linear_kernel.hpp"

namespace spikeloom {

using PassKernel = void (*)(const LinearArrays&);
static_assert(LinearArrays::chunk == block_size);

struct Factor {
  Source factor, source;
};

class LinearList final : public LinearPass<double> {
 public:
  static constexpr int none = -1;  // no such register
  std::vector<int> states;         // register elements, v first
  std::vector<int> receptors;      // that deliver into each state, `none` where nothing does
  std::vector<Source> factors, decays;
  std::vector<Factor> held;
  std::optional<NormalRows> noise;
  Source sigma, threshold, reset, start;
  int counter = none, delivering = 0;  // `delivering`: receptors
  bool holds = false, counts = false, resets = false, subtracts = false, starts = false;
  Crossing crossing = Crossing::gt;
  PassKernel pass_any = nullptr, pass_uniform = nullptr, pass_common = nullptr;  // by what is known

  // Constants that differ between neurons are stored block by block, and so are normal numbers.
  void run(const Block<double>& block, double* const* arriving, std::int32_t* fired) const override {
    LinearArrays a = arrays_of(block, arriving, fired);
    if (a.uniform && !noise) return pass(a);
    for (int from = 0; from < block.count; from += block_size) {
      Block<double> part = block;
      part.first += from;
      part.spikes += from;
      part.count = std::min(block_size, block.count - from);
      double* sums[most_receptors] = {};
      for (int r = 0; arriving != nullptr && r < delivering; ++r) sums[r] = arriving[r] + from;
      a = arrays_of(part, arriving == nullptr ? nullptr : sums, fired + from / block_size);
      if (noise) draw(part, a);
      pass(a);
    }
  }

 private:
  void pass(const LinearArrays& a) const {
    const bool quiet = std::none_of(a.arriving, a.arriving + LinearArrays::most_states,
                                    [](const double* sums) { return sums != nullptr; });
    (!a.uniform ? pass_any : quiet && is_common() ? pass_common : pass_uniform)(a);
  }

  // As Known::common_gt and common_ge say.
  bool is_common() const {
    return held.size() == 1 && counter != none && holds && counts && starts && resets && !subtracts &&
           crossing != Crossing::ge_nonneg;
  }

  LinearArrays arrays_of(const Block<double>& block, double* const* arriving, std::int32_t* fired) const {
    LinearArrays a;
    a.count = block.count;
    a.spikes = block.spikes;
    a.fired = fired;
    a.uniform = true;
    integration(block, arriving, a);
    firing(block, a);
    return a;
  }

  void draw(const Block<double>& block, LinearArrays& a) const {
    double* z = block.scratch->as<double>(0);
    noise->draw(block, z, block.scratch->as<std::uint32_t>(1));
    a.normals = z;
    a.sigma = block.load<double>(sigma, 1);
  }

  void integration(const Block<double>& block, double* const* arriving, LinearArrays& a) const {
    for (std::size_t k = 0; k < states.size(); ++k) {
      a.state[k] = block.reg(states[k]);
      a.arriving[k] = arriving == nullptr || receptors[k] == none ? nullptr : arriving[receptors[k]];
      a.factor[k] = constant(block, factors[k], a);
      if (k > 0) a.decay[k] = constant(block, decays[k], a);
    }
    for (std::size_t k = 0; k < held.size(); ++k) {
      a.held_factor[k] = constant(block, held[k].factor, a);
      a.held_source[k] = constant(block, held[k].source, a);
    }
  }

  void firing(const Block<double>& block, LinearArrays& a) const {
    a.crossing = crossing;
    a.subtract = subtracts;
    a.holds = holds;
    a.counts = counts;
    a.threshold = constant(block, threshold, a);
    if (resets) a.reset = constant(block, reset, a);
    if (counter != none) a.counter = block.reg(counter);
    if (starts) a.start = constant(block, start, a);
  }

  // Samples may set a parameter of their own, so this is not known before.
  static const double* constant(const Block<double>& block, const Source& source, LinearArrays& a) {
    const Entry<double>& entry = block.entries[source.index];
    a.uniform = a.uniform && !entry.per_neuron;
    return entry.values + (entry.per_neuron ? block.first : 0);
  }
};

}  // namespace spikeloom
