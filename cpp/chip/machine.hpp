// A loaded program that can run: the public entry of the core.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/normals.hpp"
#include "chip/clock_log.hpp"
#include "chip/cycles.hpp"
#include "program/program.hpp"

namespace spikeloom {

// A register element of some neurons, recorded after every tick: [sample][tick][neuron].
struct RegisterProbe {
  int element;
  Ints neurons;
};

// A register element of some neurons after one tick: [sample][neuron].
struct RegisterReading {
  int element;
  Ints neurons;
  std::int64_t tick;
};

// The values of one parameter of some neurons, sample by sample: [sample][neuron].
struct Override {
  int param = -1;
  Ints neurons;
  Longs values;  // digital
  Reals reals;   // analog
};

struct RunRequest {
  const std::uint8_t* inputs = nullptr;  // [sample][tick][line], spike counts
  std::int64_t samples = 0;
  std::int64_t input_ticks = 0;  // later ticks get no input
  std::int64_t ticks = 0;        // of the whole run; steps where the profile divides its tick, as all below
  std::int64_t window = 0;       // ticks in which a neuron's spikes are counted, from its depth on
  Ints depths;                   // [neuron]
  std::vector<RegisterProbe> probes;
  std::vector<RegisterReading> readings;
  std::vector<std::uint8_t> traced;  // [neuron]: its spikes are listed
  std::vector<Override> overrides;
  bool cycles = false;  // count clocks as well
  bool clocks = false;  // and write every clock down
  int threads = 1;      // over samples, and over the cores of each where there are fewer samples
  std::int64_t neurons_per_thread = 4096;  // at least, of one sample: fewer are done before threads have met
  std::uint32_t trial_seed = 0;
  std::vector<std::uint32_t> sample_ids;  // whose noise each sample has; empty: 0, 1, 2 ...
};

struct SpikeRow {
  std::int32_t sample, tick, neuron;
};

struct EventRow {
  std::int64_t spikes, input_spikes, synaptic_operations, neuron_updates, packets, input_packets;
};

// Register values in the program's own type: integers or reals, the other is empty.
struct Values {
  Ints ints;
  Reals reals;
};

struct RunResult {
  Longs counts;                  // [sample][neuron]
  std::vector<Values> probes;    // as requested
  std::vector<Values> readings;  // as requested
  std::vector<SpikeRow> spikes;  // sorted by sample, tick, neuron
  std::vector<EventRow> events;  // [sample]
  Table<std::uint64_t> rules;    // [sample][counter]
  std::vector<CycleRow> cycles;  // [sample], where requested
  std::vector<ClockLog> clocks;  // likewise
};

// One emulated chip a sample, clocked from outside.
class Session {
 public:
  virtual ~Session() = default;
  virtual void reset() = 0;
  // inputs: [sample][line] or absent. Returns the spikes of this tick, of all its steps: [sample][neuron].
  virtual Ints tick(const std::uint8_t* inputs) = 0;
  virtual Values registers(int element) const = 0;  // [sample][neuron]
  virtual std::string save() const = 0;
  // EmulationError where the state is not one of this program.
  virtual void restore(const std::string& state) = 0;
  virtual std::int64_t ticks() const = 0;
  // In clocks, where opened so: runs at most `clocks` of them, the first of a tick with its inputs. True
  // where a tick ended.
  virtual bool clock(const std::uint8_t* inputs, std::int64_t clocks) = 0;
  virtual bool within_tick() const = 0;
  virtual ClockView view() const = 0;
  virtual Ints schedule() const = 0;  // of the first sample
  virtual std::vector<CycleRow> cycles() const = 0;
};

class Machine {
 public:
  virtual ~Machine() = default;
  // Samples run in parallel, each from the initial state; the result does not depend on `threads`, nor on
  // `neurons_per_thread`. The first sample that fails decides the error.
  virtual RunResult run(const RunRequest& request) const = 0;
  // One sample for each of the trials.
  virtual std::unique_ptr<Session> open(const std::vector<Trial>& trials, bool cycles) const = 0;
  virtual CycleNames cycle_names() const = 0;  // EmulationError where the profile describes no controller
  virtual const Program& program() const = 0;
  virtual std::string kernels() const = 0;      // processor level in use
  virtual std::string accumulator() const = 0;  // "int16", "int32", "int64" or "double"
  virtual bool one_pass() const = 0;            // the list of a tick is done in one pass over the neurons
};

std::unique_ptr<Machine> load(Spec spec, Arrays arrays);

}  // namespace spikeloom
