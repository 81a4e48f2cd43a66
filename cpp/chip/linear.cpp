// Clocks from counts of events: nothing is counted per synapse, only per spike and axon.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/bytes.hpp"
#include "chip/clock.hpp"

namespace spikeloom {
namespace {

enum Counter { active_axons, synapses_read, counters };

// Coefficients; one that the profile does not state adds nothing, and the report says so.
struct Costs {
  explicit Costs(const CycleSpec& spec) : spec_(spec) {}
  double of(const char* key) const {
    const auto found = spec_.numbers.find(key);
    return found == spec_.numbers.end() ? 0.0 : found->second;
  }
  const CycleSpec& spec_;
};

// What an axon costs when it is active.
struct Axon {
  std::int64_t most = 1;  // spikes of one tick that are read
  std::int32_t synapses = 0;
  std::int32_t core = 0;
};

class Linear final : public Controller {
 public:
  explicit Linear(const Program& program);
  CycleNames names() const override {
    CycleNames names;
    names.counters = {"active_axons", "synapses_read"};
    return names;
  }
  std::unique_ptr<Clock> start() const override;

  const Program& program;
  double fixed, per_neuron, per_axon, per_event, per_spike;
  std::vector<Axon> axons;
  Ints core_of_neuron;
  std::vector<double> update;  // [core] clocks of its neurons in every tick
};

Ints owners(const Ints& starts) {
  Ints owner(starts.back());
  for (std::size_t core = 0; core + 1 < starts.size(); ++core)
    std::fill(owner.begin() + starts[core], owner.begin() + starts[core + 1],
              static_cast<std::int32_t>(core));
  return owner;
}

std::int32_t synapses_of(const Program& program, std::int32_t axon) {
  std::int32_t found = 0;
  const auto& rows = program.axon_rows[axon];
  for (std::int32_t r = rows.first_run; r < rows.last_run; ++r) found += program.runs[r].length;
  return found;
}

std::int64_t most_of(const Program& program, std::int32_t axon) {
  if (program.spec.merge_or) return 1;
  return program.spikes_max(axon).value_or(std::numeric_limits<std::int64_t>::max());
}

Linear::Linear(const Program& loaded) : program(loaded) {
  const Costs costs(program.spec.cycles);
  fixed = costs.of("fixed");
  per_neuron = costs.of("per_neuron");
  per_axon = costs.of("per_axon");
  per_event = costs.of("per_event");
  per_spike = costs.of("per_spike");
  core_of_neuron = owners(program.core_neuron_start);
  for (std::size_t core = 0; core + 1 < program.core_neuron_start.size(); ++core)
    update.push_back(per_neuron * (program.core_neuron_start[core + 1] - program.core_neuron_start[core]));
  const Ints core_of_axon = owners(program.core_axon_start);
  axons.resize(program.axon_rows.size());
  for (std::int32_t axon = 0; axon < program.axons(); ++axon) {
    axons[axon] = {most_of(program, axon), synapses_of(program, axon), core_of_axon[axon]};
  }
}

// Spikes on their way to the axons of one tick; those that meet on an axon are one activity of it.
struct Arriving {
  Longs counts;  // [axon]
  Ints active;   // axons with a count, in the order of their first spike

  void add(std::int32_t axon, std::int64_t n) {
    if (counts[axon] == 0) active.push_back(axon);
    counts[axon] += n;
  }
  void clear() {
    for (const std::int32_t axon : active) counts[axon] = 0;
    active.clear();
  }
  std::vector<Arrival> saved() const {
    std::vector<Arrival> found;
    for (const std::int32_t axon : active) found.push_back({axon, counts[axon]});
    return found;
  }
};

// Spikes reach their axons latency ticks after they were made; synaptic delays come after the synapse is
// read.
class LinearClock final : public Clock {
 public:
  explicit LinearClock(const Linear& linear) : of_(linear), arriving_(linear.program.spec.latency + 1) {
    for (Arriving& slot : arriving_) slot.counts.resize(linear.axons.size());
    reset();
  }

  void reset() override {
    for (Arriving& slot : arriving_) slot.clear();
    row_ = {};
    row_.busy.resize(of_.program.core_neuron_start.size() - 1);
    row_.counters.resize(counters);
  }

  void begin(const TickWork& work) override {
    const auto& program = of_.program;
    if (work.inputs != nullptr)
      for (std::int32_t line = 0; line < program.inputs(); ++line)
        reach(program.input_fan_start, program.input_fan_axon, line, work.inputs[line], work.tick);
    clocks_ = of_.update;
    add_axons(work.tick);
    for (const Spike& spike : *work.fired) {
      clocks_[of_.core_of_neuron[spike.neuron]] += of_.per_spike * spike.n;
      reach(program.neuron_fan_start, program.neuron_fan_axon, spike.neuron, spike.n,
            work.tick + program.spec.latency);
    }
    close();
  }

  void finish() override {}

  std::string save() const override {
    std::string bytes;
    for (const Arriving& slot : arriving_) put_vector(bytes, slot.saved());
    return bytes;
  }

  void restore(const std::string& bytes) override {
    std::vector<std::vector<Arrival>> kept(arriving_.size());
    std::size_t at = 0;
    for (auto& axons : kept) {
      get_vector(bytes, at, axons);
      for (const Arrival& arrival : axons)
        if (arrival.axon < 0 || arrival.axon >= of_.program.axons() || arrival.n < 1) damaged_state();
    }
    if (at != bytes.size()) damaged_state();
    reset();
    for (std::size_t slot = 0; slot < kept.size(); ++slot)
      for (const Arrival& arrival : kept[slot]) arriving_[slot].add(arrival.axon, arrival.n);
  }

  CycleRow row() const override { return row_; }

 private:
  void reach(const Ints& start, const Ints& fan, std::int32_t source, std::int64_t n, std::int64_t tick) {
    if (n == 0) return;
    Arriving& slot = arriving_[tick % arriving_.size()];
    for (std::int32_t i = start[source]; i < start[source + 1]; ++i) slot.add(fan[i], n);
  }

  void add_axons(std::int64_t tick) {
    Arriving& slot = arriving_[tick % arriving_.size()];
    for (const std::int32_t number : slot.active) {
      const Axon& axon = of_.axons[number];
      const std::int64_t read = std::min(slot.counts[number], axon.most) * axon.synapses;
      clocks_[axon.core] += of_.per_axon + of_.per_event * static_cast<double>(read);
      row_.counters[synapses_read] += read;
    }
    row_.counters[active_axons] += std::ssize(slot.active);
    slot.clear();
  }

  void close() {
    double longest = 0;
    for (std::size_t core = 0; core < clocks_.size(); ++core) {
      row_.busy[core] += static_cast<std::int64_t>(std::ceil(clocks_[core]));
      longest = std::max(longest, clocks_[core]);
    }
    row_.ticks.push_back(static_cast<std::int64_t>(std::ceil(of_.fixed + longest)));
  }

  const Linear& of_;
  std::vector<Arriving> arriving_;  // [tick mod (latency + 1)]
  std::vector<double> clocks_;      // [core] of the tick at hand
  CycleRow row_;
};

std::unique_ptr<Clock> Linear::start() const {
  return std::make_unique<LinearClock>(*this);
}

}  // namespace

std::unique_ptr<Controller> make_linear(const Program& program) {
  return std::make_unique<Linear>(program);
}

}  // namespace spikeloom
