// What a run in clocks counts, and what one clock shows.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "program/arrays.hpp"

namespace spikeloom {

// Names of the columns below; each controller has its own.
struct CycleNames {
  bool exact = false;  // false: modelled from counts of events
  std::vector<std::string> phases, stalls, buffers, counters;
  Ints buffer_sizes;  // how many of each buffer there are
};

// One sample.
struct CycleRow {
  Longs ticks;       // [tick] clocks
  Longs phases;      // [tick][phase] clocks of the core that was longest in it
  Longs busy;        // [core] clocks in which it worked
  Longs stalls;      // [cause] clocks
  Longs high_water;  // [buffer][which] most entries at once
  Longs counters;    // [counter]
};

// A packet that a router moved.
struct Transfer {
  std::int32_t x, y;    // of the router
  std::int32_t output;  // 0 to 4: L, E, W, N, S
  auto operator<=>(const Transfer&) const = default;
};

// A spike that entered an output FIFO.
struct PushedSpike {
  std::int32_t core, neuron, n;  // neuron by its number on the core
};

// One clock of a chip: what registers held when it began, and what happened in it.
struct ClockView {
  std::int64_t clock = 0;  // since the tick began
  bool go = false;         // the last clock of the tick
  Ints phase;              // [core] index into CycleNames::phases
  Ints written;            // [core] neuron in the write stage, by its number on the core; -1: none
  Ints queues;             // [buffer][which] entries
  std::vector<PushedSpike> spikes;
  std::vector<Transfer> transfers;
};

}  // namespace spikeloom
