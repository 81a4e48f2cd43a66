// Codes become the values that the chip computes with.
#pragma once

#include "program/arrays.hpp"
#include "program/program.hpp"
#include "program/spec.hpp"

namespace spikeloom {

// formula int, sign_pre: m. shift: m 2^s. mant_exp: clip(fl(m 2^w_exp) 2^unit_shift, -clip, clip). real: the
// value. type_table: see type_table.hpp.
Weights effective_weights(const Spec& spec, const Arrays& arrays);
Weights narrowest(const Longs& values);

// plain: m. shift: m 2^s. mant_exp: m 2^e. pow2_minus1: 2^m - 1. neg_pow2_plus1: 1 - 2^m.
// pow2_9_plus_2e_minus1: 2^(9 + 2m) - 1. real: the value.
Param effective_param(const Spec& spec, const ParamSpec& param, const Arrays& arrays);

}  // namespace spikeloom
