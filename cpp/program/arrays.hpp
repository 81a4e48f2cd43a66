// The arrays of a chip program as they arrive; see ProgramArrays in python/spikeloom/program/program.py.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>

#include "base/pages.hpp"

namespace spikeloom {

using Ints = Table<std::int32_t>;
using Longs = Table<std::int64_t>;
using Reals = Table<double>;
using Bytes = Table<std::uint8_t>;
using Codes = std::variant<Ints, Reals>;  // integers, or real values on an analog part

struct Arrays {
  Ints core_neuron_start, core_axon_start;
  Ints axon_template, axon_target;
  Longs axon_weight;
  Ints template_run_start;
  Ints run_target, run_length;
  Longs run_weight;
  Ints run_delay, run_receptor;
  Longs run_index;
  Ints index_target;
  Codes codes;
  Bytes code_format;
  Reals read_std;  // of each code, where reading a synapse is noisy; else empty
  Ints format_mode;
  Ints input_fan_start, input_fan_axon;
  Ints neuron_fan_start, neuron_fan_axon;
  std::map<std::string, Ints> format_shared;
  std::map<std::string, Codes> params, init;
};

}  // namespace spikeloom
