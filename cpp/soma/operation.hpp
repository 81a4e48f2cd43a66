// An operation of the list, bound to the registers and parameters of one program.
#pragma once

#include <memory>
#include <string>

#include "soma/binder.hpp"
#include "soma/block.hpp"

namespace spikeloom {

// - run() reads and writes the neurons of the block only, and keeps nothing between blocks.
// - A neuron where the operation's `unless` register is not 0 is left as it is.
template <class S>
class Operation {
 public:
  virtual ~Operation() = default;
  virtual void run(const Block<S>& block) const = 0;
};

// How an operation gets bound: reads its fields, proves its lanes, picks its kernels. A null result does
// nothing.
template <class S>
using Make = std::unique_ptr<Operation<S>> (*)(Binder<S>&);

// One entry of the closed set; `analog` is absent for operations of integers alone.
struct OperationKind {
  const char* op;
  Make<std::int32_t> digital;
  Make<double> analog;
};

inline constexpr std::int64_t most_spikes = 65535;  // of one neuron in one tick

// ProfileError where no operation has that name.
const OperationKind& find_operation(const std::string& op);

}  // namespace spikeloom
