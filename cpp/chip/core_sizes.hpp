// Sizes that a controller needs of the profile, and whether a program fits them.
#pragma once

#include <cstdint>
#include <string>

#include "program/program.hpp"

namespace spikeloom {

// ProfileError where the profile does not state it.
std::int32_t cycle_number(const Program& program, const std::string& key);

// ProgramError where a core has more neurons or axons, or the mesh too few places.
void check_core_sizes(const Program& program);

// The one delay of an axon's synapses; ProgramError where there are several.
std::int32_t delay_of_axon(const Program& program, std::int32_t axon);

}  // namespace spikeloom
