// The commonest list of integers in one pass: v leaks, takes a bias and what arrived, and fires. Op by op it
// takes several times as long.
#pragma once

#include <cstdint>
#include <optional>

#include "program/part.hpp"
#include "soma/binder.hpp"
#include "soma/block.hpp"
#include "soma/one_pass/leaky_table.hpp"

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
  // 16-bit lanes hold v, the parameters, what arrives, and v with its bias; only the last sum may leave them.
  bool narrow = false;
};

// `binder` is at the beginning of the list, when the sums of a tick have been delivered to `arrived`, which
// held 0 before and is cleared after it.
std::optional<LeakyList> leaky_list_of(Binder<std::int32_t>& binder, int arrived);

// Runs the list over neurons [first, last): their sums, which become 0, times 2^shift are what arrived. Of
// all arrays element i belongs to neuron i, bit i % 64 of fired[i / 64], too.
template <class V, class Sum>
struct LeakyArguments {
  V* v;
  Sum* sums;
  const LeakyWord* words;
  const LeakyMix<V>* mixes;
  std::uint64_t* fired;
  std::uint8_t* flags;
  std::int32_t first, last;
  int shift;
  V lowest, highest;
};

// V is how v is stored, in 32 bits, or in 16 where the list is narrow.
template <class V, class Sum>
class LeakyPass {
 public:
  LeakyPass(const LeakyList& list, int shift, Level level);
  // Neurons of a part, whose table it is.
  void run(V* v, Sum* sums, const LeakyTable<V>& table, const Part& part, std::uint64_t* fired,
           std::uint8_t* flags, std::uint64_t* counters) const;

 private:
  LeakyList list_;
  int shift_;
  std::int64_t (*run_)(const LeakyArguments<V, Sum>&);  // the number of sums that the rule changed
};

}  // namespace spikeloom
