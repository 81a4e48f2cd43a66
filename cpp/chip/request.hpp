// The one check of what a run is asked for.
#pragma once

#include "chip/machine.hpp"

namespace spikeloom {

// EmulationError where a number, a neuron or a register of the request is not one of the program.
void check_request(const Program& program, const RunRequest& request);

}  // namespace spikeloom
