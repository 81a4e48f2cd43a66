// The neurons that an operation list runs over at a time, and everything an operation may touch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/normals.hpp"
#include "soma/rule.hpp"

namespace spikeloom {

inline constexpr int block_size = 256;  // all operands of a block stay in the first cache

// Where an operand is: a register element, or an entry (a parameter or a constant).
struct Source {
  bool is_register = false;
  int index = 0;
};

// Values of a parameter or constant: one a neuron, or one block of equal values.
template <class S>
struct Entry {
  const S* values = nullptr;           // absent where they do not fit S
  const std::int64_t* wide = nullptr;  // absent where `values` is there
  bool per_neuron = false;
};

struct alignas(64) Scratch {
  static constexpr int slots = 12;
  alignas(64) std::byte bytes[slots][block_size * 8];

  template <class Lane>
  Lane* as(int slot) {
    return reinterpret_cast<Lane*>(bytes[slot]);
  }
};

// S is what registers are stored as: int32 (digital) or double (analog).
template <class S>
struct Block {
  std::int32_t first = 0;  // global number of its first neuron
  int count = 0;
  S* registers = nullptr;  // [element][neuron]
  std::int64_t neurons = 0;
  const Entry<S>* entries = nullptr;
  std::int32_t* spikes = nullptr;  // n of each neuron of the block, 0 before the list runs
  std::uint64_t* counters = nullptr;
  Scratch* scratch = nullptr;
  const RuleKernels<S>* rules = nullptr;
  std::int64_t step = 0;
  Trial trial;  // whose noise is drawn

  S* reg(int element) const { return registers + element * neurons + first; }

  // The operand as an array of lanes; converted into scratch `slot` where it is stored otherwise.
  template <class Lane>
  const Lane* load(const Source& source, int slot) const;

  // Writes value[i] through the target's rule where `where` is absent or not 0; counts what the rule changed.
  // Throws Trapped where a write may not leave the width.
  template <class Lane>
  void commit(const Target& target, const Lane* value, const std::int32_t* where) const;
};

// A write left a register that traps. The machine adds tick and core.
struct Trapped {
  std::int32_t neuron;
  int element;
  std::int64_t value;
};

}  // namespace spikeloom
