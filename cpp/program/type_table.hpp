// Weight formula type_table: rows hold bits; a set bit adds what the target keeps for the type of the axon.
#pragma once

#include <vector>

#include "program/arrays.hpp"
#include "program/program.hpp"
#include "program/spec.hpp"

namespace spikeloom {

// One value for each synapse of each axon, in the axon's order: what a bit is worth depends on axon and
// target, so rows that share bits no longer share weights. Moves the axons and runs to the new places.
Longs unrolled_weights(const Spec& spec, const Arrays& arrays, const std::vector<Param>& params,
                       Table<Run>& runs, Table<Axon>& axons);

}  // namespace spikeloom
