// All cores of a chip side by side: one synapse stage and one soma stage. Cores touch their own neurons only,
// so they are one array here, and a state may be that of a part of them. Owns no clock: the tick is an
// argument.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/each.hpp"
#include "core/finding.hpp"
#include "program/program.hpp"
#include "soma/one_pass/leaky.hpp"
#include "soma/soma.hpp"
#include "synapse/synapses.hpp"

namespace spikeloom {

// Event mode: what waits in the FIFO. Saved as it is, so nothing in it is unused.
struct QueuedEvent {
  enum Kind : std::int32_t { of_neuron, of_line, of_synapse };
  std::int32_t kind;
  std::int32_t source;    // neuron or line that spiked; the target of a synapse
  std::int64_t weight;    // of_synapse: place of its weight
  std::int64_t receptor;  // that it adds to
};

// What happened to one sample so far.
struct Events {
  std::int64_t spikes = 0;         // made by neurons
  std::int64_t input_spikes = 0;   // on input lines
  std::int64_t packets = 0;        // spikes of neurons times the axons they go to
  std::int64_t input_packets = 0;  // spikes of input lines times the axons they go to
  std::int64_t operations = 0;     // event mode: synaptic operations
  std::int64_t updates = 0;        // event mode: neurons read and written
};

// Everything that changes; one a sample, or one for each part of the chip. S: registers, Sum: accumulators of
// the synapse stage.
template <class S, class Sum>
struct CoreState {
  Part part;                                         // whose neurons are updated
  std::vector<std::pair<std::int32_t, int>> blocks;  // of them: first neuron and number of neurons
  Table<S> registers;                                // [element][neuron]
  SynapseState<Sum> synapses;
  std::vector<Entry<S>> entries;  // where operands are; a sample may override one parameter
  std::vector<std::uint64_t> counters;
  std::vector<Spike> fired;              // of the last tick, ascending; in event mode of the last event
  std::vector<Spike> lines;              // scratch: input lines that spike in a tick,
  std::vector<std::uint8_t> line_flags;  // as in Spikes
  std::vector<std::int32_t> spikes;      // scratch: n of one block, or of all neurons
  std::vector<std::int32_t> spiking;     // scratch of a linear pass: neurons that spiked in each block
  std::shared_ptr<const LeakyTables> programmed, tables;  // of a leaky pass: the program's, the sample's
  Table<std::int16_t> narrow;             // its v, where no register is read; then they are not kept
  std::vector<std::uint64_t> line_bits;   // likewise, a bit each
  std::vector<std::uint64_t> fired_bits;  // of a list in one pass: a bit a neuron of the whole chip,
  std::int64_t number_fired = 0;          // how many are set,
  std::vector<Spike> found;               // scratch: which
  bool lists = true;                      // `fired` is needed in every tick
  std::vector<std::uint8_t> flags;        // of `fired`, as in Spikes; empty where a list has no such pass
  std::deque<QueuedEvent> fifo;
  Events events;
  Trial trial;  // whose noise is drawn

  // There are flags, and to look at all is less work than to go through the spikes.
  bool has_dense_flags() const {
    constexpr std::int64_t neurons_a_spike = 16;
    return !flags.empty() && number_fired * neurons_a_spike > part.neurons();
  }
};

template <class S, class Sum>
class Cores {
 public:
  using State = CoreState<S, Sum>;
  Cores(const Program& program, const std::shared_ptr<const Fans>& fans,
        const std::vector<Interval>& arriving, Level level);

  State fresh() const { return fresh(whole_chip(program_), synapses_.fans()); }
  // `fans` of the part, where there are fans of the whole chip.
  State fresh(const Part& part, const Fans* fans) const;
  // The program's initial state, for the noise of `trial`.
  void reset(State& state, const Trial& trial = {}) const;
  // After it, where a sample overrides a parameter.
  void override_tables(State& state) const;
  // After it: nothing will ask what registers hold until the next one.
  void forget_registers(State& state) const;

  // The phases of tick t, in the order of the contract; `end` is the first tick that is not run. Ticks of the
  // core are steps where the profile divides its tick.
  void deliver_inputs(State& state, const std::uint8_t* spikes, std::int64_t t, std::int64_t end) const;
  void update(State& state, std::int64_t t) const;
  void send(State& state, std::int64_t t, std::int64_t end) const;
  // The two halves of sending: a part counts the packets of its own spikes, and takes in those of all parts.
  void count_packets(State& state) const;
  void take_in(State& state, const Spikes& spikes, std::int64_t t, std::int64_t end) const;
  // Where a clock carries the packets: one is on its axon.
  void arrive_on_axon(State& state, std::int32_t axon, std::int64_t t, std::int64_t end) const {
    synapses_.arrive_on_axon(state.synapses, axon, t, end);
  }

  // Event mode: what an event adds is read first, then neurons are written; the spikes that a write makes are
  // in state.fired. The stages are those of Soma::update: one for each receptor, then the leak.
  void read_event(State& state, const QueuedEvent& event) const;
  void read_leak(State& state) const;
  void write_neurons(State& state, std::int32_t first, std::int32_t last, int stage) const;

  const Soma<S>& soma() const { return soma_; }
  const Fans* fans() const { return synapses_.fans(); }  // of the whole chip, where there are any
  // made[i] += 1 for each neuron i of [first, end) that fired, where there are flags.
  void add_fired(const State& state, std::uint8_t* made, std::int32_t first, std::int32_t end) const {
    if (first < end) add_flags_(made + first, state.flags.data() + first, end - first);
  }
  // Where many spike, what they do is known by their flags, and State::lists may be false.
  bool may_skip_lists() const { return leaky_pass_ != nullptr && fans() != nullptr; }
  bool one_pass() const { return leaky_pass_ != nullptr || soma_.linear_pass() != nullptr; }
  // Places of fifo.drop and fifo.unsettled in State::counters.
  std::size_t drop_counter() const { return program_.spec.registers.size() + 2; }
  std::size_t unsettled_counter() const { return drop_counter() + 1; }

 private:
  Block<S> block_of(State& state, std::int32_t first, int count, std::int64_t t, Scratch& scratch) const;
  void deliver_flagged(State& state, const std::uint8_t* spikes, std::int64_t t, std::int64_t end) const;
  void find_fired(State& state) const;
  Spikes fired_of(const State& state) const;
  void add_each(State& state, const Block<S>& chip, std::int64_t t, MergeCounters counters) const;
  std::pair<std::int32_t, std::int32_t> lines_of(std::int64_t t) const;
  void accumulate(State& state, const Block<S>& block, std::int64_t t) const;
  void accumulate_at(State& state, const Block<S>& block, std::int64_t t, std::int32_t receptor) const;
  void run_linear_pass(State& state, const LinearPass<S>& list, std::int64_t t, bool any,
                       Scratch& scratch) const;
  void collect(State& state, const Block<S>& block) const;
  void find_leaky_pass();
  void update_in_one_pass(State& state, std::int64_t t) const;
  std::int64_t jitter(const State& state, std::int32_t neuron, std::int64_t t) const;

  // One pass needs accumulators of 32 bits at most.
  static constexpr bool has_leaky_pass = std::is_same_v<S, std::int32_t> && sizeof(Sum) <= 4;
  static constexpr bool has_narrow_pass = has_leaky_pass && sizeof(Sum) == 2;
  using LeakySum = std::conditional_t<has_leaky_pass, Sum, std::int32_t>;
  std::shared_ptr<const LeakyTables> tables_of(const std::vector<Entry<S>>& entries, const Part& part) const;

  const Program& program_;
  Synapses<Sum> synapses_;
  Soma<S> soma_;
  std::unique_ptr<const EachAddition> each_;  // where every addition is a write of its own
  // Where the list is one that a pass does.
  std::unique_ptr<const LeakyPass<std::int32_t, LeakySum>> leaky_pass_;
  std::unique_ptr<const LeakyPass<std::int16_t, std::int16_t>> narrow_pass_;
  std::shared_ptr<const LeakyTables> tables_;  // of the whole chip
  Level level_;
  bool aliased_;       // all counts of a tick are kept until its end
  bool always_write_;  // a rule may move a register that gets a sum of 0
  int (*find_spikes_)(std::int32_t*, const std::int32_t*, int);  // indices of the neurons that spike
  bool (*flag_lines_)(std::uint64_t*, std::uint8_t*, const std::uint8_t*, std::int32_t, std::int32_t);
  int (*list_lines_)(Spike*, const std::uint64_t*, const std::uint8_t*, std::int32_t, std::int32_t);
  std::int64_t (*count_range_)(const std::uint64_t*, std::int64_t, std::int64_t);
  std::int64_t (*list_range_)(Spike*, const std::uint64_t*, std::int64_t, std::int64_t);
  std::int64_t (*sum_planes_)(const std::uint64_t*, const Planes&);
  void (*add_flags_)(std::uint8_t*, const std::uint8_t*, std::int64_t);
  std::optional<Planes> fans_, line_fans_;  // axons of each neuron, and line
};

// Names of State::counters: register elements in order, delivery.merge, delivery.spikes_max, and in event
// mode fifo.drop and fifo.unsettled.
std::vector<std::string> all_counter_names(const Program& program);

}  // namespace spikeloom
