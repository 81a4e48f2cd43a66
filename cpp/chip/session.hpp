// A chip that a script clocks tick by tick, for several samples side by side.
#pragma once

#include <algorithm>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "chip/carried_core.hpp"
#include "chip/clock.hpp"
#include "chip/event_core.hpp"
#include "chip/machine.hpp"
#include "chip/tick.hpp"
#include "core/cores.hpp"

namespace spikeloom {

template <class S, class Sum>
class OpenSession final : public Session {
 public:
  // `controller` where clocks are counted.
  OpenSession(const Program& program, const Cores<S, Sum>& cores, const Controller* controller,
              const std::vector<Trial>& trials)
      : program_(program), cores_(cores), trials_(trials), states_(trials.size()) {
    for (auto& state : states_) state = cores_.fresh();
    for (std::size_t k = 0; controller != nullptr && k < trials.size(); ++k)
      clocks_.push_back(controller->start());
    connect();
    reset();
  }

  void reset() override {
    for (std::size_t sample = 0; sample < states_.size(); ++sample)
      cores_.reset(states_[sample], trials_[sample]);
    for (auto& clock : clocks_) clock->reset();
    t_ = 0;
    stopped_ = within_ = false;
  }

  // After an error some samples have run the tick and some have not: only a reset or a restore goes on.
  Ints tick(const std::uint8_t* inputs) override {
    if (within_)
      throw EmulationError("chip", "is within a tick", {.remedy = "clock it to the end of the tick first"});
    Ints spikes = compute(inputs);
    guarded([&] {
      for (auto& clock : clocks_) clock->finish();
    });
    if (clock_runs_cores()) add_fired(spikes);
    ++t_;
    return spikes;
  }

  bool clock(const std::uint8_t* inputs, std::int64_t clocks) override {
    if (clocks_.size() != 1)
      throw EmulationError("chip", "steps clocks of one sample whose clocks are counted",
                           {.remedy = "open it with samples=1 and timing=\"cycle\""});
    if (!clocks_[0]->can_step())
      throw EmulationError("chip", "has no clocks to step: they are modelled from counts of events",
                           {.remedy = "use tick"});
    if (within_ && inputs != nullptr)
      throw EmulationError("spikes", "arrive at the first clock of a tick only");
    if (!within_) compute(inputs);
    bool ended = false;
    guarded([&] { ended = clocks_[0]->step(clocks); });
    within_ = !ended;
    t_ += ended;
    return ended;
  }

  bool within_tick() const override { return within_; }
  ClockView view() const override { return clocks_.size() == 1 ? clocks_[0]->view() : ClockView{}; }

  Ints schedule() const override { return clocks_.empty() ? Ints{} : clocks_[0]->schedule(); }

  std::vector<CycleRow> cycles() const override {
    std::vector<CycleRow> rows;
    for (const auto& clock : clocks_) rows.push_back(clock->row());
    return rows;
  }

  Values registers(int element) const override {
    if (element < 0 || element >= static_cast<int>(program_.spec.registers.size()))
      throw EmulationError("register", "does not exist");
    Table<S> values;
    for (const auto& state : states_) {
      const auto from = state.registers.begin() + std::size_t(element) * program_.neurons();
      values.insert(values.end(), from, from + program_.neurons());
    }
    if constexpr (std::is_floating_point_v<S>)
      return {{}, std::move(values)};
    else
      return {std::move(values), {}};
  }

  std::int64_t ticks() const override { return t_; }

  std::string save() const override {
    if (within_)
      throw EmulationError("chip", "is within a tick", {.remedy = "clock it to the end of the tick first"});
    std::string bytes;
    put(bytes, &t_, 1);
    for (const auto& state : states_) {
      put(bytes, state.registers.data(), state.registers.size());
      put(bytes, state.synapses.sums.data(), state.synapses.sums.size());
      put(bytes, state.synapses.counts.data(), state.synapses.counts.size());
      if (program_.spec.event)
        put_vector(bytes, std::vector<QueuedEvent>(state.fifo.begin(), state.fifo.end()));
    }
    for (const auto& clock : clocks_) {
      const std::string kept = clock->save();
      put_vector(bytes, std::vector<char>(kept.begin(), kept.end()));
    }
    return bytes;
  }

  void restore(const std::string& bytes) override {
    std::vector<CoreState<S, Sum>> restored(states_.size());
    std::size_t at = 0;
    std::int64_t t = 0;
    get(bytes, at, &t, 1);
    if (t < 0) damaged_state();
    for (std::size_t sample = 0; sample < restored.size(); ++sample) {
      auto& state = restored[sample];
      state = cores_.fresh();
      state.trial = trials_[sample];
      get(bytes, at, state.registers.data(), state.registers.size());
      get(bytes, at, state.synapses.sums.data(), state.synapses.sums.size());
      get(bytes, at, state.synapses.counts.data(), state.synapses.counts.size());
      if (program_.spec.event) get_fifo(bytes, at, state.fifo);
      check_registers(state);
      find_arrivals(state.synapses);
    }
    restore_clocks(bytes, at);
    if (at != bytes.size()) damaged_state();
    states_ = std::move(restored);
    connect();
    t_ = t;
    stopped_ = within_ = false;
  }

 private:
  // In event mode with clocks the clock runs the core, and where it carries the packets.
  bool clock_runs_cores() const { return carries() || (!clocks_.empty() && program_.spec.event); }
  bool carries() const { return !clocks_.empty() && clocks_.front()->carries(); }

  // The cores' part of a tick, all its steps; the spikes of it, [sample][neuron].
  Ints compute(const std::uint8_t* inputs) {
    Ints spikes(states_.size() * program_.neurons());
    guarded([&] {
      for (std::int64_t step = 0; step < program_.spec.steps && !clock_runs_cores(); ++step) {
        for (std::size_t sample = 0; sample < states_.size(); ++sample)
          run_tick(program_, cores_, states_[sample], lines_of(inputs, sample),
                   t_ * program_.spec.steps + step, std::numeric_limits<std::int64_t>::max());
        add_fired(spikes);
      }
      for (std::size_t sample = 0; sample < clocks_.size(); ++sample) {
        const std::uint8_t* lines = lines_of(inputs, sample);
        if (carries()) carried_[sample]->begin(lines, t_, std::numeric_limits<std::int64_t>::max());
        clocks_[sample]->begin(
            {t_, lines, &states_[sample].fired, event_cores_[sample].get(), carried_[sample].get()});
      }
    });
    return spikes;
  }

  const std::uint8_t* lines_of(const std::uint8_t* inputs, std::size_t sample) const {
    return inputs == nullptr ? nullptr : inputs + sample * program_.inputs();
  }

  void add_fired(Ints& spikes) const {
    for (std::size_t sample = 0; sample < states_.size(); ++sample)
      for (const Spike& spike : states_[sample].fired)
        spikes[sample * program_.neurons() + spike.neuron] += spike.n;
  }

  // A part of this tick; after an error only a reset or a restore goes on.
  template <class Part>
  void guarded(Part part) {
    if (stopped_) throw EmulationError("chip", "stopped at an error", {.remedy = "reset or restore it"});
    stopped_ = true;
    trapping(program_, t_, part);
    stopped_ = false;
  }

  // What the clocks run refers to the states, which a restore replaces.
  void connect() {
    event_cores_.clear();
    carried_.clear();
    for (auto& state : states_) {
      event_cores_.push_back(std::make_unique<EventCoreOf<S, Sum>>(program_, cores_, state));
      carried_.push_back(std::make_unique<CarriedCoresOf<S, Sum>>(cores_, state));
    }
  }

  void restore_clocks(const std::string& bytes, std::size_t& at) {
    std::vector<std::vector<char>> kept(clocks_.size());
    for (auto& part : kept) get_vector(bytes, at, part);
    for (std::size_t k = 0; k < kept.size(); ++k) clocks_[k]->restore({kept[k].begin(), kept[k].end()});
  }

  void get_fifo(const std::string& bytes, std::size_t& at, std::deque<QueuedEvent>& fifo) const {
    std::vector<QueuedEvent> events;
    get_vector(bytes, at, events);
    if (events.size() > std::size_t(program_.spec.event->fifo_depth)) damaged_state();
    for (const QueuedEvent& event : events)
      if (!is_event_of(program_, event)) damaged_state();
    fifo.assign(events.begin(), events.end());
  }

  // The lanes of the operation list were chosen for these intervals.
  void check_registers(const CoreState<S, Sum>& state) const {
    if constexpr (std::is_integral_v<S>)
      for (std::size_t element = 0; element < program_.spec.registers.size(); ++element)
        for (std::int32_t i = 0; i < program_.neurons(); ++i)
          if (!cores_.soma().resting()[element].contains(state.registers[element * program_.neurons() + i]))
            damaged_state();
  }

  // Which slots and axons hold something follows from the values.
  void find_arrivals(SynapseState<Sum>& state) const {
    for (std::size_t s = 0; s < state.dirty.size(); ++s) state.dirty[s] = 1;
    for (std::size_t s = 0; s < state.arrivals.size(); ++s)
      for (std::int32_t axon = 0; axon < program_.axons(); ++axon) {
        const std::int64_t n = state.counts[s * program_.axons() + axon];
        if (n < 0 || n > std::numeric_limits<std::int32_t>::max()) damaged_state();
        if (n > 0) state.arrivals[s].push_back(axon);
      }
  }

  const Program& program_;
  const Cores<S, Sum>& cores_;
  std::vector<Trial> trials_;
  std::vector<CoreState<S, Sum>> states_;
  std::vector<std::unique_ptr<EventCore>> event_cores_;           // [sample]
  std::vector<std::unique_ptr<CarriedCoresOf<S, Sum>>> carried_;  // [sample]
  std::vector<std::unique_ptr<Clock>> clocks_;  // [sample], none where clocks are not counted
  std::int64_t t_ = 0;                          // ticks of the input
  bool stopped_ = false;
  bool within_ = false;  // a tick has begun and not ended
};

}  // namespace spikeloom
