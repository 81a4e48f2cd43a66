// Sources that share few kernels, as those of a convolution do, seen from their targets: a run of targets
// goes through the sources that reach it and adds what those add that spiked. Its sums stay in processor
// registers, where adding source by source reads and writes them again for every spike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/level.hpp"
#include "program/program.hpp"

namespace spikeloom {

struct Fans;
struct Segment;

struct Gather {
  // Neighbouring sources, whose spikes are looked at together.
  struct Look {
    std::int32_t source;  // the first one, relative to that of the output
    std::uint64_t mask;   // a bit a source; unused where `width` is not 0
    std::int64_t place;   // of its first row, in values
  };
  // `length` targets from `target` on, numbered as in RowGroup.
  struct Output {
    std::int64_t target;
    std::int32_t source;  // relative to the segment
  };
  // Outputs that share their looks.
  struct Shape {
    std::int32_t first_output, last_output, first_look, last_look;
  };
  std::int32_t length = 0, padded = 0;  // synapses of a row; filled up with zeros
  // Of so many sources a look has one row for every set, which is what they add together, numbered by the
  // bits of the set; 0: a look has a row a source.
  int width = 0;
  std::vector<Shape> shapes;
  std::vector<Output> outputs;
  std::vector<Look> looks;
  HotTable<std::byte> rows;         // of twice the width of the weights
  std::vector<std::uint8_t> reach;  // outputs of each source
  std::int64_t fewest_spikes = 0;   // from which on it is less work than source by source

  std::int64_t sources() const { return static_cast<std::int64_t>(reach.size()); }
};

// Absent where the sources of the segment share too little, or have delays, wide weights or rows of several
// lengths.
std::optional<Gather> gather_of(const Fans& fans, const Weights& weights, const Segment& segment);

// Adds what the sources add whose flag is 1, the others' are 0; returns the number of additions. Behind the
// flags of the segment there are `flag_slack` more bytes, and `scratch` is as long.
inline constexpr std::int64_t flag_slack = 64;
template <class Sum>
using AddGather = std::int64_t (*)(Sum* sums, const Gather& gather, const std::uint8_t* flags,
                                   std::uint16_t* scratch);
// Null where no program needs it, and for wide weights.
template <class Sum>
AddGather<Sum> add_gather(const Weights& weights, Level level);

}  // namespace spikeloom
