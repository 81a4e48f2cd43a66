// How much can arrive at a receptor in one tick.
#pragma once

#include <vector>

#include "base/interval.hpp"
#include "program/program.hpp"

namespace spikeloom {

inline constexpr std::int64_t most_input_spikes = 255;  // on one input line in one tick: inputs are bytes

// Over all neurons, the smallest and largest sum of one tick, for each receptor, in units of 2^weights.shift,
// with at most so many spikes of an input line and of a neuron in a tick. ProgramError where a sum may leave
// int64. Digital programs only.
std::vector<Interval> arriving_bounds(const Program& program, std::int64_t most_of_line,
                                      std::int64_t most_of_neuron);

}  // namespace spikeloom
