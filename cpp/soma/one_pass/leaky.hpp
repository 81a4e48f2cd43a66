// The commonest list of integers in one pass: v leaks, takes what arrived and a bias, and fires. Op by op it
// takes about three times as long.
#pragma once

#include <cstdint>
#include <optional>

#include "soma/binder.hpp"
#include "soma/block.hpp"

namespace spikeloom {

// A list that was found to be this one, with all that the pass computes proven to fit 32-bit lanes.
struct LeakyList {
  enum class Reset : std::uint8_t { value, subtract, none };
  int v = 0;
  std::optional<Source> leak;  // of decay_shift
  Source bias, threshold, value;
  Reset reset = Reset::value;
  bool at_threshold = false;  // fires there, too
  Target target;              // of the sum: `fits` or `saturate`
};

// `binder` is at the beginning of the list, when the sums of a tick have been delivered to `arrived`, which
// held 0 before and is cleared after it.
std::optional<LeakyList> leaky_list_of(Binder<std::int32_t>& binder, int arrived);

// Runs the list over a block: the sums of its neurons, which become 0, times 2^shift are what arrived. A bit
// of `fired` a neuron, and a byte of `flags`, of whole words of the former. v in the block's registers moves,
// `arrived` stays 0.
template <class Sum>
class LeakyPass {
 public:
  LeakyPass(const LeakyList& list, int shift, Level level);
  void run(const Block<std::int32_t>& block, Sum* sums, std::uint64_t* fired, std::uint8_t* flags) const;

  struct Arguments {
    std::int32_t* v;
    Sum* sums;
    const std::int32_t *leak, *bias, *threshold, *value;
    std::uint64_t* fired;
    std::uint8_t* flags;
    int count, shift;
    std::int32_t lowest, highest;
  };

 private:
  LeakyList list_;
  int shift_;
  std::uint32_t (*run_)(const Arguments&);  // the number of sums that the rule changed
};

}  // namespace spikeloom
