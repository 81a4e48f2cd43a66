// The parameters of a leaky list, 64 neurons at a time: mostly all have the same, which then need not be read
// one by one.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "program/part.hpp"
#include "soma/block.hpp"

namespace spikeloom {

struct LeakyList;

inline constexpr int leaky_word = 64;  // neurons

// Of neurons [64 i, 64 i + 64). Each parameter fills 32 bits, twice where v is stored in 16: processors
// spread such patterns over their lanes.
struct LeakyWord {
  std::int32_t leak;
  std::uint32_t bias, threshold, value;
  std::int32_t mix;  // where they are not the same for all: its number, else -1
};
// V: as v is stored.
template <class V>
struct LeakyMix {
  alignas(64) std::array<V, leaky_word> leak{}, bias{}, threshold{}, value{};
};
template <class V>
struct LeakyTable {
  std::vector<LeakyWord> words;
  std::vector<LeakyMix<V>> mixes;
};

// Of a part's neurons; beside them all parameters are 0, and such words are mixed.
template <class V>
LeakyTable<V> leaky_table_of(const LeakyList& list, const std::vector<Entry<std::int32_t>>& entries,
                             const Part& part);

// As v is stored in 32 bits, and in 16 where the list is narrow.
struct LeakyTables {
  LeakyTable<std::int32_t> wide;
  LeakyTable<std::int16_t> narrow;
};

}  // namespace spikeloom
