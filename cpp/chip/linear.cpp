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
  Longs row_length;  // [axon] synapses
  Ints core_of_axon, core_of_neuron;
};

Ints owners(const Ints& starts) {
  Ints owner(starts.back());
  for (std::size_t core = 0; core + 1 < starts.size(); ++core)
    std::fill(owner.begin() + starts[core], owner.begin() + starts[core + 1],
              static_cast<std::int32_t>(core));
  return owner;
}

Linear::Linear(const Program& loaded) : program(loaded) {
  const Costs costs(program.spec.cycles);
  fixed = costs.of("fixed");
  per_neuron = costs.of("per_neuron");
  per_axon = costs.of("per_axon");
  per_event = costs.of("per_event");
  per_spike = costs.of("per_spike");
  core_of_axon = owners(program.core_axon_start);
  core_of_neuron = owners(program.core_neuron_start);
  row_length.resize(program.axon_rows.size());
  for (std::size_t axon = 0; axon < row_length.size(); ++axon)
    for (std::int32_t r = program.axon_rows[axon].first_run; r < program.axon_rows[axon].last_run; ++r)
      row_length[axon] += program.runs[r].length;
}

// Spikes reach their axons latency ticks after they were made; synaptic delays come after the synapse is
// read.
class LinearClock final : public Clock {
 public:
  explicit LinearClock(const Linear& linear)
      : of_(linear), arriving_(linear.program.spec.latency + 1), counts_(linear.row_length.size()) {
    reset();
  }

  void reset() override {
    for (auto& axons : arriving_) axons.clear();
    row_ = {};
    row_.busy.resize(of_.program.core_neuron_start.size() - 1);
    row_.counters.resize(counters);
  }

  void begin(const TickWork& work) override {
    const auto& program = of_.program;
    if (work.inputs != nullptr)
      for (std::int32_t line = 0; line < program.inputs(); ++line)
        reach(program.input_fan_start, program.input_fan_axon, line, work.inputs[line], work.tick);
    std::vector<double> clocks(row_.busy.size());
    for (std::size_t core = 0; core < clocks.size(); ++core)
      clocks[core] = of_.per_neuron * (program.core_neuron_start[core + 1] - program.core_neuron_start[core]);
    add_axons(clocks, work.tick);
    for (const Spike& spike : *work.fired) {
      clocks[of_.core_of_neuron[spike.neuron]] += of_.per_spike * spike.n;
      reach(program.neuron_fan_start, program.neuron_fan_axon, spike.neuron, spike.n,
            work.tick + program.spec.latency);
    }
    close(clocks);
  }

  void finish() override {}

  std::string save() const override {
    std::string bytes;
    for (const auto& axons : arriving_) put_vector(bytes, axons);
    return bytes;
  }

  void restore(const std::string& bytes) override {
    std::vector<std::vector<Arrival>> kept(arriving_.size());
    std::size_t at = 0;
    for (auto& axons : kept) {
      get_vector(bytes, at, axons);
      for (const Arrival& arrival : axons)
        if (arrival.axon < 0 || arrival.axon >= of_.program.axons() || arrival.n < 0) damaged_state();
    }
    if (at != bytes.size()) damaged_state();
    reset();
    arriving_ = std::move(kept);
  }

  CycleRow row() const override { return row_; }

 private:
  void reach(const Ints& start, const Ints& fan, std::int32_t source, std::int64_t n, std::int64_t tick) {
    if (n == 0) return;
    auto& axons = arriving_[tick % arriving_.size()];
    for (std::int32_t i = start[source]; i < start[source + 1]; ++i) axons.push_back({fan[i], n});
  }

  // Spikes that meet on an axon are one activity of it.
  void add_axons(std::vector<double>& clocks, std::int64_t tick) {
    auto& axons = arriving_[tick % arriving_.size()];
    for (const Arrival& arrival : axons) counts_[arrival.axon] += arrival.n;
    for (const Arrival& arrival : axons) {
      std::int64_t& count = counts_[arrival.axon];
      if (count == 0) continue;
      const std::int64_t n = of_.program.spec.merge_or ? 1 : std::min(count, most(arrival.axon));
      const std::int64_t read = n * of_.row_length[arrival.axon];
      clocks[of_.core_of_axon[arrival.axon]] += of_.per_axon + of_.per_event * static_cast<double>(read);
      row_.counters[active_axons] += 1;
      row_.counters[synapses_read] += read;
      count = 0;
    }
    axons.clear();
  }

  std::int64_t most(std::int32_t axon) const {
    return of_.program.spikes_max(axon).value_or(std::numeric_limits<std::int64_t>::max());
  }

  void close(const std::vector<double>& clocks) {
    double longest = 0;
    for (std::size_t core = 0; core < clocks.size(); ++core) {
      row_.busy[core] += static_cast<std::int64_t>(std::ceil(clocks[core]));
      longest = std::max(longest, clocks[core]);
    }
    row_.ticks.push_back(static_cast<std::int64_t>(std::ceil(of_.fixed + longest)));
  }

  const Linear& of_;
  std::vector<std::vector<Arrival>> arriving_;  // [tick mod (latency + 1)]
  Longs counts_;                                // [axon] scratch, 0 between ticks
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
