// An immutable loaded program: the arrays, checked once, with codes turned into effective values.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/interval.hpp"
#include "program/arrays.hpp"
#include "program/spec.hpp"

namespace spikeloom {

// Synapses that are consecutive in the code array; one row is a few runs.
struct Run {
  std::int32_t target;    // of its first synapse, relative to the axon's target
  std::int32_t length;    // synapses
  std::int64_t weight;    // of its first synapse, relative to the axon's weight
  std::int32_t delay;     // ticks
  std::int32_t receptor;  // which accumulator
  std::int64_t index;     // first entry of index_target, -1: targets are consecutive
};

// A row: the runs [first_run, last_run) with targets and weights shifted.
struct Axon {
  std::int32_t first_run, last_run;
  std::int32_t target;
  std::int64_t weight;
};

// Effective weights in the narrowest exact form; the true value is the stored one times 2^shift.
struct Weights {
  std::variant<Table<std::int8_t>, Table<std::int16_t>, Table<std::int32_t>, Table<std::int64_t>,
               Table<double>>
      values;
  int shift = 0;
};

// Effective values of one parameter, one a neuron, or a single one where all are equal.
struct Param {
  std::string name;
  std::variant<Longs, Reals> values;
  bool uniform = false;
  Interval range;  // digital only: of the values, and of what a run may set
};

// Largest and smallest sum that can arrive at a receptor in one tick.
using Bounds = std::vector<Interval>;

class Program {
 public:
  // Checks every index, range and size; ProgramError names the array and the entry.
  Program(Spec spec, Arrays arrays);

  std::int32_t neurons() const { return core_neuron_start.back(); }
  std::int32_t axons() const { return core_axon_start.back(); }
  std::int32_t inputs() const { return static_cast<std::int32_t>(input_fan_start.size()) - 1; }
  std::int32_t receptors() const { return static_cast<std::int32_t>(spec.into.size()); }
  std::int32_t core_of(std::int32_t neuron) const;
  std::int64_t synapses_of(std::int32_t axon) const;                // of its row
  std::optional<std::int64_t> spikes_max(std::int32_t axon) const;  // that count on it in one tick, at most
  int element(const std::string& name) const;  // index into spec.registers, -1 where there is none
  int param(const std::string& name) const;    // index into params, -1 where there is none
  // Event mode: neurons that an event over all of them visits.
  std::int32_t visited() const { return std::max(spec.event->visited, neurons()); }
  // Event mode: the receptor of all rows that a line, or a neuron, reads; 0 where it reads none.
  std::int32_t receptor_of_line(std::int32_t line) const {
    return receptor_of(input_fan_start, input_fan_axon, line);
  }
  std::int32_t receptor_of_neuron(std::int32_t neuron) const {
    return receptor_of(neuron_fan_start, neuron_fan_axon, neuron);
  }

  Spec spec;
  Ints core_neuron_start, core_axon_start;
  Table<Run> runs;
  Table<Axon> axon_rows;
  Ints index_target;
  Weights weights;
  Reals read_std;  // of each weight at each read; empty: exact
  Ints input_fan_start, input_fan_axon;
  Ints neuron_fan_start, neuron_fan_axon;
  std::vector<Param> params;
  std::vector<Codes> start;      // of each register element; empty: 0
  std::vector<int> into;         // register element of each receptor
  std::vector<bool> from_input;  // axons that an input line drives
  std::int32_t last_delay = 0;   // largest delay in use
  Ints event_lines;              // event mode: lines that drive an axon, by their first one

 private:
  std::int32_t receptor_of(const Ints& starts, const Ints& axons, std::int32_t source) const;
};

}  // namespace spikeloom
