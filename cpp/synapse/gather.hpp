// Sources that share few kernels, as those of a convolution do, seen from their targets: a run of targets
// goes through the sources that reach it and adds the rows of those that spiked. Its sums stay in processor
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
  // Neighbouring sources whose rows follow one another.
  struct Span {
    std::int32_t source, count;  // relative to the output's first source; at most 64
    std::int64_t row;            // of the first one
  };
  // `length` targets from `target` on, numbered as in RowGroup, and the spans that reach them.
  struct Output {
    std::int64_t target;
    std::int32_t source;  // relative to the segment
    std::int32_t first_span, last_span;
  };
  std::int32_t length = 0, padded = 0;  // synapses of a row; filled up with zeros
  std::vector<Output> outputs;
  std::vector<Span> spans;              // outputs of one shape share theirs
  HotTable<std::byte> rows;             // as the weights are stored
  std::vector<std::int32_t> additions;  // of one spike of each source
  std::int64_t looks = 0;               // spans that are looked at, by all outputs
};

// Absent where the sources of the segment share too little, or have delays or rows of several lengths.
std::optional<Gather> gather_of(const Fans& fans, const Weights& weights, const Segment& segment);

// Adds what the sources add whose bit is set; a bit a source of the segment, and a word more.
template <class Sum>
using AddGather = void (*)(Sum* sums, const Gather& gather, const std::uint64_t* bits);
template <class Sum>
AddGather<Sum> add_gather(const Weights& weights, Level level);

}  // namespace spikeloom
