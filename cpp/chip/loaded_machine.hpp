// A machine for one type of registers and one of accumulators.
#pragma once

#include <algorithm>
#include <atomic>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "chip/clock.hpp"
#include "chip/clocked_tick.hpp"
#include "chip/core_sizes.hpp"
#include "chip/machine.hpp"
#include "chip/request.hpp"
#include "chip/session.hpp"
#include "chip/tick.hpp"
#include "core/cores.hpp"

namespace spikeloom {

inline Trial trial_of(const RunRequest& request, std::int64_t sample) {
  const auto row = static_cast<std::uint32_t>(sample);
  return {request.trial_seed, request.sample_ids.empty() ? row : request.sample_ids[sample]};
}

template <class S>
Table<S>& typed(Values& values) {
  if constexpr (std::is_floating_point_v<S>)
    return values.reals;
  else
    return values.ints;
}

template <class S, class Sum>
class LoadedMachine final : public Machine {
 public:
  LoadedMachine(std::shared_ptr<const Program> program, const std::shared_ptr<const Fans>& fans,
                const std::vector<Interval>& arriving, Level level)
      : program_(std::move(program)), cores_(*program_, fans, arriving, level), level_(level) {}

  RunResult run(const RunRequest& request) const override;
  std::unique_ptr<Session> open(const std::vector<Trial>& trials, bool cycles) const override {
    return std::make_unique<OpenSession<S, Sum>>(*program_, cores_, cycles ? &controller() : nullptr, trials);
  }
  CycleNames cycle_names() const override { return controller().names(); }
  const Program& program() const override { return *program_; }
  std::string kernels() const override { return level_name(level_); }
  bool one_pass() const override { return cores_.one_pass(); }
  std::string accumulator() const override {
    return std::is_floating_point_v<Sum> ? "double" : "int" + std::to_string(8 * sizeof(Sum));
  }

 private:
  using State = CoreState<S, Sum>;
  // Samples are handed out in order, so every sample before a failing one is run to its end.
  struct Work {
    std::atomic<std::int64_t> next{0};
    std::atomic<std::int64_t> failed{std::numeric_limits<std::int64_t>::max()};
    std::mutex guard;
    std::exception_ptr error;
    std::vector<std::vector<SpikeRow>> spikes;  // of each sample
  };

  // Made when clocks are first asked for.
  const Controller& controller() const {
    std::call_once(controller_made_, [&] { controller_ = make_controller(*program_); });
    return *controller_;
  }
  void work(const RunRequest& request, RunResult& result, Work& shared) const;
  void run_sample(const RunRequest& request, std::int64_t sample, State& state, std::vector<S>& set,
                  Clock* clock, RunResult& result, std::vector<SpikeRow>& spikes) const;
  void override_params(const RunRequest& request, std::int64_t sample, State& state,
                       std::vector<S>& set) const;
  void count(const RunRequest& request, std::int64_t sample, std::int64_t t, const State& state,
             RunResult& result, std::vector<SpikeRow>& spikes) const;
  void record(const RunRequest& request, std::int64_t sample, std::int64_t t, const State& state,
              RunResult& result) const;
  void copy(const State& state, int element, const Ints& neurons, S* out) const;
  RunResult allocated(const RunRequest& request) const;

  std::shared_ptr<const Program> program_;
  Cores<S, Sum> cores_;
  Level level_;
  mutable std::once_flag controller_made_;
  mutable std::unique_ptr<Controller> controller_;
};

template <class S, class Sum>
RunResult LoadedMachine<S, Sum>::allocated(const RunRequest& request) const {
  RunResult result;
  const std::size_t samples = request.samples;
  result.counts.resize(samples * program_->neurons());
  result.events.resize(samples);
  result.rules.resize(samples * all_counter_names(*program_).size());
  result.cycles.resize(request.cycles ? samples : 0);
  if (request.clocks) result.clocks.assign(samples, ClockLog(cycle_number(*program_, "width")));
  result.probes.resize(request.probes.size());
  for (std::size_t k = 0; k < request.probes.size(); ++k)
    typed<S>(result.probes[k]).resize(samples * request.ticks * request.probes[k].neurons.size());
  result.readings.resize(request.readings.size());
  for (std::size_t k = 0; k < request.readings.size(); ++k)
    typed<S>(result.readings[k]).resize(samples * request.readings[k].neurons.size());
  return result;
}

template <class S, class Sum>
RunResult LoadedMachine<S, Sum>::run(const RunRequest& request) const {
  check_request(*program_, request);
  RunResult result = allocated(request);
  Work shared;
  shared.spikes.resize(request.samples);
  const std::int64_t wanted =
      std::clamp<std::int64_t>(request.threads, 1, std::max<std::int64_t>(1, request.samples));
  std::vector<std::thread> others;
  for (std::int64_t k = 1; k < wanted; ++k) others.emplace_back([&] { work(request, result, shared); });
  work(request, result, shared);
  for (std::thread& other : others) other.join();
  if (shared.error) std::rethrow_exception(shared.error);
  for (const auto& rows : shared.spikes) result.spikes.insert(result.spikes.end(), rows.begin(), rows.end());
  return result;
}

template <class S, class Sum>
void LoadedMachine<S, Sum>::work(const RunRequest& request, RunResult& result, Work& shared) const {
  std::int64_t sample = 0;
  try {
    State state = cores_.fresh();
    std::vector<S> set;
    const std::unique_ptr<Clock> clock = request.cycles ? controller().start() : nullptr;
    while ((sample = shared.next++) < request.samples && sample < shared.failed)
      run_sample(request, sample, state, set, clock.get(), result, shared.spikes[sample]);
  } catch (...) {
    const std::lock_guard<std::mutex> lock(shared.guard);
    if (sample >= shared.failed) return;
    shared.failed = sample;
    shared.error = std::current_exception();
  }
}

template <class S, class Sum>
void LoadedMachine<S, Sum>::run_sample(const RunRequest& request, std::int64_t sample, State& state,
                                       std::vector<S>& set, Clock* clock, RunResult& result,
                                       std::vector<SpikeRow>& spikes) const {
  cores_.reset(state, trial_of(request, sample));
  if (clock != nullptr) clock->reset();
  override_params(request, sample, state, set);
  ClockLog* const log = request.clocks ? &result.clocks[sample] : nullptr;
  const std::int64_t lines = program_->inputs();
  const std::uint8_t* inputs = request.inputs + sample * request.input_ticks * lines;
  for (std::int64_t t = 0; t < request.ticks; ++t) {
    const std::int64_t tick = t / program_->spec.steps;
    const std::uint8_t* given = tick < request.input_ticks ? inputs + tick * lines : nullptr;
    if (clock != nullptr)
      run_clocked_tick(*program_, cores_, state, *clock, given, t, request.ticks, log);
    else
      run_tick(*program_, cores_, state, given, t, request.ticks);
    count(request, sample, t, state, result, spikes);
    record(request, sample, t, state, result);
  }
  const Events& events = state.events;
  const bool by_event = program_->spec.event.has_value();
  result.events[sample] = {events.spikes,
                           events.input_spikes,
                           by_event ? events.operations : state.synapses.additions,
                           by_event ? events.updates : request.ticks * program_->neurons(),
                           events.packets,
                           events.input_packets};
  std::copy(state.counters.begin(), state.counters.end(),
            result.rules.begin() + sample * state.counters.size());
  if (clock != nullptr) result.cycles[sample] = clock->row();
}

// The parameter's values become an array of the sample's own.
template <class S, class Sum>
void LoadedMachine<S, Sum>::override_params(const RunRequest& request, std::int64_t sample, State& state,
                                            std::vector<S>& set) const {
  for (const Override& change : request.overrides) {
    Entry<S>& entry = state.entries[change.param];
    if (entry.values != set.data() || set.empty()) {
      set.resize(program_->neurons());
      for (std::int32_t i = 0; i < program_->neurons(); ++i) set[i] = entry.values[entry.per_neuron ? i : 0];
      entry = {set.data(), nullptr, true};
    }
    for (std::size_t k = 0; k < change.neurons.size(); ++k) {
      const std::size_t at = sample * change.neurons.size() + k;
      if constexpr (std::is_floating_point_v<S>)
        set[change.neurons[k]] = change.reals[at];
      else
        set[change.neurons[k]] = static_cast<S>(change.values[at]);
    }
  }
}

template <class S, class Sum>
void LoadedMachine<S, Sum>::count(const RunRequest& request, std::int64_t sample, std::int64_t t,
                                  const State& state, RunResult& result,
                                  std::vector<SpikeRow>& spikes) const {
  std::int64_t* const counts = result.counts.data() + sample * program_->neurons();
  for (const Spike& spike : state.fired) {
    const std::int64_t since = t - request.depths[spike.neuron];
    counts[spike.neuron] += since >= 0 && since < request.window ? spike.n : 0;
  }
  if (request.traced.empty()) return;
  for (const Spike& spike : state.fired) {
    if (request.traced[spike.neuron] == 0) continue;
    for (std::int32_t k = 0; k < spike.n; ++k)
      spikes.push_back({static_cast<std::int32_t>(sample), static_cast<std::int32_t>(t), spike.neuron});
  }
}

template <class S, class Sum>
void LoadedMachine<S, Sum>::record(const RunRequest& request, std::int64_t sample, std::int64_t t,
                                   const State& state, RunResult& result) const {
  for (std::size_t k = 0; k < request.probes.size(); ++k) {
    const RegisterProbe& probe = request.probes[k];
    const std::size_t row = (sample * request.ticks + t) * probe.neurons.size();
    copy(state, probe.element, probe.neurons, typed<S>(result.probes[k]).data() + row);
  }
  for (std::size_t k = 0; k < request.readings.size(); ++k) {
    const RegisterReading& reading = request.readings[k];
    if (reading.tick != t) continue;
    copy(state, reading.element, reading.neurons,
         typed<S>(result.readings[k]).data() + sample * reading.neurons.size());
  }
}

template <class S, class Sum>
void LoadedMachine<S, Sum>::copy(const State& state, int element, const Ints& neurons, S* out) const {
  const S* values = state.registers.data() + std::size_t(element) * program_->neurons();
  for (std::size_t i = 0; i < neurons.size(); ++i) out[i] = values[neurons[i]];
}

}  // namespace spikeloom
