// The one check of a program's arrays.
#pragma once

#include "program/arrays.hpp"
#include "program/spec.hpp"

namespace spikeloom {

// ProgramError names the array and the first entry that is wrong. Nothing is allocated from unchecked sizes.
void check_spec(const Spec& spec);
void check_arrays(const Spec& spec, const Arrays& arrays);

}  // namespace spikeloom
