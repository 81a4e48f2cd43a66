// Clocks from counts of events: nothing is counted per synapse, only per spike and axon.
#include <algorithm>
#include <cmath>

#include "base/bytes.hpp"
#include "chip/clock.hpp"
#include "chip/linear_plan.hpp"

namespace spikeloom {
namespace {

enum Counter { active_axons, synapses_read, counters };

// What a core has to do for axons in one tick.
struct Load {
  std::int64_t axons = 0, synapses = 0;

  void add(const AxonLoad& axon, std::int64_t reads) {
    ++axons;
    synapses += reads * axon.synapses;
  }
};

// Spikes on their way to the axons of one tick; those that meet on an axon are one activity of it.
struct Arriving {
  std::vector<Load> loads;  // [core] of axons with one source
  Longs counts;             // [axon] of those with several
  Ints active;              // axons with a count, in the order of their first spike

  void add(std::int32_t axon, std::int64_t n) {
    if (counts[axon] == 0) active.push_back(axon);
    counts[axon] += n;
  }
  void clear() {
    std::fill(loads.begin(), loads.end(), Load{});
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
  explicit LinearClock(const LinearPlan& plan)
      : plan_(plan), arriving_(plan.program.spec.latency + 1), spikes_(plan.cores()) {
    for (Arriving& slot : arriving_) {
      slot.loads.resize(plan.cores());
      slot.counts.resize(plan.axons.size());
    }
    reset();
  }

  void reset() override {
    for (Arriving& slot : arriving_) slot.clear();
    row_ = {};
    row_.busy.resize(plan_.cores());
    row_.counters.resize(counters);
  }

  void begin(const TickWork& work) override {
    if (work.inputs != nullptr)
      for (std::int32_t line = 0; line < plan_.program.inputs(); ++line)
        if (work.inputs[line] > 0) reach(plan_.of_lines, line, work.inputs[line], slot_of(work.tick));
    Arriving& here = slot_of(work.tick);
    for (const std::int32_t axon : here.active)
      here.loads[plan_.axons[axon].core].add(plan_.axons[axon],
                                             std::min(here.counts[axon], most_read(plan_.program, axon)));
    loads_ = here.loads;
    here.clear();
    send(work);
    close();
  }

  void finish() override {}

  std::string save() const override {
    std::string bytes;
    for (const Arriving& slot : arriving_) {
      put_vector(bytes, slot.loads);
      put_vector(bytes, slot.saved());
    }
    return bytes;
  }

  void restore(const std::string& bytes) override {
    std::vector<Arriving> kept(arriving_.size());
    std::size_t at = 0;
    for (Arriving& slot : kept) get_slot(bytes, at, slot);
    if (at != bytes.size()) damaged_state();
    reset();
    arriving_ = std::move(kept);
  }

  CycleRow row() const override { return row_; }

 private:
  Arriving& slot_of(std::int64_t tick) { return arriving_[tick % arriving_.size()]; }

  void send(const TickWork& work) {
    Arriving& slot = slot_of(work.tick + plan_.program.spec.latency);
    prefetch(*work.fired);
    std::fill(spikes_.begin(), spikes_.end(), 0);
    for (const Spike& spike : *work.fired) {
      spikes_[plan_.core_of_neuron[spike.neuron]] += spike.n;
      if (spike.n > 0) reach(plan_.of_neurons, spike.neuron, spike.n, slot);
    }
  }

  // On a chip of many cores the axons of a neuron are far from the processor: they are all asked for at once.
  void prefetch(const std::vector<Spike>& fired) const {
    constexpr int line = 64 / sizeof(AxonLoad);
    const AxonFans& fans = plan_.of_neurons;
    for (const Spike& spike : fired) {
      const AxonLoad* first = fans.alone.data() + fans.alone_start[spike.neuron];
      __builtin_prefetch(first);
      __builtin_prefetch(first + line);
    }
  }

  void reach(const AxonFans& fans, std::int32_t source, std::int64_t n, Arriving& slot) {
    const std::int64_t reads = std::min(n, fans.most);
    for (std::int32_t i = fans.alone_start[source]; i < fans.alone_start[source + 1]; ++i)
      slot.loads[fans.alone[i].core].add(fans.alone[i], reads);
    for (std::int32_t i = fans.shared_start[source]; i < fans.shared_start[source + 1]; ++i)
      slot.add(fans.shared[i], n);
  }

  void get_slot(const std::string& bytes, std::size_t& at, Arriving& slot) const {
    std::vector<Arrival> arrivals;
    get_vector(bytes, at, slot.loads);
    get_vector(bytes, at, arrivals);
    if (std::ssize(slot.loads) != plan_.cores()) damaged_state();
    for (const Load& load : slot.loads)
      if (load.axons < 0 || load.synapses < 0) damaged_state();
    slot.counts.resize(plan_.axons.size());
    for (const Arrival& arrival : arrivals) {
      if (arrival.axon < 0 || arrival.axon >= plan_.program.axons() || arrival.n < 1) damaged_state();
      slot.add(arrival.axon, arrival.n);
    }
  }

  void close() {
    double longest = 0;
    for (std::size_t core = 0; core < loads_.size(); ++core) {
      const double clocks = clocks_of(core);
      row_.busy[core] += static_cast<std::int64_t>(std::ceil(clocks));
      longest = std::max(longest, clocks);
      row_.counters[active_axons] += loads_[core].axons;
      row_.counters[synapses_read] += loads_[core].synapses;
    }
    row_.ticks.push_back(static_cast<std::int64_t>(std::ceil(plan_.fixed + longest)));
  }

  double clocks_of(std::size_t core) const {
    const auto times = [](double each, std::int64_t n) { return each * static_cast<double>(n); };
    return plan_.update[core] + times(plan_.per_axon, loads_[core].axons) +
           times(plan_.per_event, loads_[core].synapses) + times(plan_.per_spike, spikes_[core]);
  }

  const LinearPlan& plan_;
  std::vector<Arriving> arriving_;  // [tick mod (latency + 1)]
  std::vector<Load> loads_;         // [core] of the tick at hand
  Longs spikes_;                    // [core] that it made
  CycleRow row_;
};

class Linear final : public Controller {
 public:
  explicit Linear(const Program& program) : plan_(program) {}
  CycleNames names() const override {
    CycleNames names;
    names.counters = {"active_axons", "synapses_read"};
    return names;
  }
  std::unique_ptr<Clock> start() const override { return std::make_unique<LinearClock>(plan_); }

 private:
  LinearPlan plan_;
};

}  // namespace

std::unique_ptr<Controller> make_linear(const Program& program) {
  return std::make_unique<Linear>(program);
}

}  // namespace spikeloom
