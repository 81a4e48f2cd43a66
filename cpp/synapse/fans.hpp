// Where the synapses of every source are, packed for the usual case: one spike of it in a tick.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/level.hpp"
#include "program/part.hpp"
#include "program/program.hpp"
#include "synapse/gather.hpp"

namespace spikeloom {

// n spikes of a neuron, or of an input line.
struct Spike {
  std::int32_t neuron;
  std::int32_t n;
};

// A part of what a spike of one source adds.
struct Delivery {
  enum Kind : std::int32_t { row, record, patch, axon };
  Kind kind;
  std::int32_t number;  // row: its group; record: its delay; patch: its first run; axon: itself
  std::int32_t length;  // record: synapses; patch: runs
  std::int32_t
      target;  // patch: added to the targets of its runs; record: bytes from its targets to its weights
  std::int64_t place;  // row, record: its first byte; patch: added to the weights of its runs
};

// A dense run of a patch, as many sources of a convolution share them; targets as in RowGroup.
struct PatchRun {
  std::int64_t weight;
  std::int32_t target, length, delay;
};

// Dense rows of one shape, which are added together: each begins at a multiple of 64 bytes, holds its parts
// one after the other, each filled up to a multiple of `row_unit` bytes, and is packed for AddRows.
struct RowGroup {
  struct Part {
    std::int64_t target;  // of its first synapse: receptor * neurons + neuron
    std::int32_t length, delay;
    std::int64_t place;  // bytes from the beginning of the row
  };
  std::vector<Part> parts;
  std::int64_t first = 0;  // place of its rows in a list of all that spiked
};

// Neighbouring sources that do the same: each has nothing but a row of one group, and these lie `stride`
// bytes apart; or nothing but patches; or anything.
struct Segment {
  enum Kind : std::int32_t { rows, patches, mixed };
  Kind kind;
  std::int32_t group;       // rows: their group; patches: how they are gathered, -1 where they cannot be
  std::int64_t first, end;  // sources [first, end)
  std::int64_t place, stride;
};

// The synapses themselves, which parts of a chip share.
struct PackedSynapses {
  HotTable<std::byte> rows;  // of all groups
  HotTable<PatchRun> patch_runs;
  // [targets][weights], both from multiples of 8 bytes on; targets as in RowGroup, of 2 bytes where all fit,
  // and core by core.
  HotTable<std::byte> records;
  bool short_targets = false;
  std::int64_t weight_bytes = 1;

  std::int64_t target_bytes() const { return short_targets ? 2 : 4; }
  std::int64_t target(const Delivery& record, std::int32_t k) const;  // as in RowGroup
};

// Sources are numbered: input lines first, then neurons.
struct Fans {
  static constexpr std::int64_t row_unit = 64;

  // `lane_bytes`: of the vectors that add rows; 0 where rows are not packed.
  Fans(const Program& program, int lane_bytes);
  // Of the same synapses those that reach a part of the chip.
  Fans(const Program& program, const Fans& whole, const Part& part);

  std::vector<Segment> segments;
  HotTable<std::int32_t> start;  // of each source's deliveries
  HotTable<Delivery> deliveries;
  std::vector<RowGroup> groups;
  std::vector<Gather> gathers;
  std::int64_t most_rows = 0;  // deliveries that are rows
  std::shared_ptr<const PackedSynapses> packed;
};

// Whether a spike adds its rows at once into the ticks when they are due: no merging rule needs all spikes of
// an axon first, and the sum is one of integers.
bool adds_at_emission(const Program& program);

// Finds what neighbouring sources have in common, once their deliveries are listed.
void arrange(Fans& fans, const Program& program);

// Of a program that adds at emission, and is not in event mode; null where spikes wait until they are due.
std::shared_ptr<const Fans> packed_fans(const Program& program, Level level);

}  // namespace spikeloom
