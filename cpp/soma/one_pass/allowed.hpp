// Some operation lists run in one pass over the neurons instead of one pass an operation: leaky.hpp those of
// integers, linear.hpp those of real numbers. Operation by operation stays the reference, with the same bits.
#pragma once

namespace spikeloom {

// False where the environment variable SPIKELOOM_ONE_PASS is "no": lists then run operation by operation.
// EmulationError where it is anything but "yes" or "no".
bool may_run_in_one_pass();

}  // namespace spikeloom
