// Linear neurons of real numbers in one pass: delivery, their exact step, noise, refractory period and
// threshold.
#pragma once

#include <memory>
#include <vector>

#include "soma/binder.hpp"

namespace spikeloom {

// Delivery and list of a tick. The same bits as delivery, then the operations one by one.
template <class S>
class LinearPass {
 public:
  static constexpr int most_receptors = 4;
  virtual ~LinearPass() = default;
  // Over a block of any size. `arriving[r]` is the sums of the block's neurons at receptor r, which are set
  // to 0; null where nothing arrives. Leaves spike counts in block.spikes, and in fired[k] how many of the
  // block_size neurons from k block_size on spiked.
  virtual void run(const Block<S>& block, S* const* arriving, std::int32_t* fired) const = 0;
};

// Current-based and leaky neurons: `linear_exact` of v and of states that only decay, then, each of them or
// not, `add_noise`, `hold_zero` and `count_down`, then `fire`. Null where the list or its delivery is any
// other.
std::unique_ptr<LinearPass<double>> linear_pass_of(const Program& program, EntryTable<double>& entries,
                                                   Level level);

}  // namespace spikeloom
