// A machine for one type of registers and one of accumulators.
#pragma once

#include <algorithm>
#include <atomic>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
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
#include "chip/sample_run.hpp"
#include "chip/session.hpp"
#include "chip/team.hpp"
#include "chip/tick.hpp"
#include "core/cores.hpp"

namespace spikeloom {

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
  // What one thread needs to run samples.
  struct Alone {
    CoreState<S, Sum> state;
    std::vector<S> set;  // values that a sample overrides
    SpikeTally tally;
    std::unique_ptr<Clock> clock;  // where clocks are counted

    Alone(const Cores<S, Sum>& cores, const Controller* controller)
        : state(cores.fresh()), clock(controller == nullptr ? nullptr : controller->start()) {}
  };
  // Samples are handed out in order, so every sample before a failing one is run to its end.
  struct Work {
    std::atomic<std::int64_t> next{0};
    std::atomic<std::int64_t> failed{std::numeric_limits<std::int64_t>::max()};
    std::mutex guard;
    std::exception_ptr error;
    std::vector<std::vector<SpikeRow>> spikes;  // of each sample
    std::shared_ptr<const Division> division;   // where several threads run one sample
    std::vector<Window> windows;
  };

  // Made when clocks are first asked for.
  const Controller& controller() const {
    std::call_once(controller_made_, [&] { controller_ = make_controller(*program_); });
    return *controller_;
  }
  void work(const RunRequest& request, RunResult& result, Work& shared) const;
  void run_alone(const RunRequest& request, std::int64_t sample, const SampleRun<S, Sum>& run, Alone& with,
                 RunResult& result, std::vector<SpikeRow>& spikes) const;
  // How so many threads run one sample; null where one does.
  std::shared_ptr<const Division> division(const RunRequest& request, std::int64_t threads) const;
  RunResult allocated(const RunRequest& request) const;

  std::shared_ptr<const Program> program_;
  Cores<S, Sum> cores_;
  Level level_;
  mutable std::once_flag controller_made_;
  mutable std::unique_ptr<Controller> controller_;
  mutable std::mutex dividing_;
  mutable std::int64_t divided_by_ = 0;
  mutable std::shared_ptr<const Division> division_;  // the last one
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
  shared.windows = windows_of(request);
  const std::int64_t wanted =
      std::clamp<std::int64_t>(request.threads, 1, std::max<std::int64_t>(1, request.samples));
  shared.division = division(request, request.threads / wanted);
  std::vector<std::thread> others;
  for (std::int64_t k = 1; k < wanted; ++k) others.emplace_back([&] { work(request, result, shared); });
  work(request, result, shared);
  for (std::thread& other : others) other.join();
  if (shared.error) std::rethrow_exception(shared.error);
  for (const auto& rows : shared.spikes) result.spikes.insert(result.spikes.end(), rows.begin(), rows.end());
  return result;
}

// Clocks are counted for all cores at once, and a chip in event mode has one core.
template <class S, class Sum>
std::shared_ptr<const Division> LoadedMachine<S, Sum>::division(const RunRequest& request,
                                                                std::int64_t threads) const {
  const std::int64_t most =
      std::min(threads, program_->neurons() / std::max<std::int64_t>(1, request.neurons_per_thread));
  if (most < 2 || request.cycles || program_->spec.event) return nullptr;
  const std::lock_guard<std::mutex> lock(dividing_);
  if (divided_by_ != most) division_ = std::make_shared<const Division>(*program_, cores_.fans(), most);
  divided_by_ = most;
  return division_->parts.size() < 2 ? nullptr : division_;
}

template <class S, class Sum>
void LoadedMachine<S, Sum>::work(const RunRequest& request, RunResult& result, Work& shared) const {
  std::int64_t sample = 0;
  try {
    std::optional<Team<S, Sum>> team;
    std::optional<Alone> alone;
    if (shared.division != nullptr) team.emplace(cores_, *shared.division);
    while ((sample = shared.next++) < request.samples && sample < shared.failed) {
      const SampleRun<S, Sum> run(cores_, *program_, request, shared.windows, sample, result);
      if (team && team->run(run, request.ticks, shared.spikes[sample])) continue;
      if (team) run.forget();
      if (!alone) alone.emplace(cores_, request.cycles ? &controller() : nullptr);
      run_alone(request, sample, run, *alone, result, shared.spikes[sample]);
    }
  } catch (...) {
    const std::lock_guard<std::mutex> lock(shared.guard);
    if (sample >= shared.failed) return;
    shared.failed = sample;
    shared.error = std::current_exception();
  }
}

template <class S, class Sum>
void LoadedMachine<S, Sum>::run_alone(const RunRequest& request, std::int64_t sample,
                                      const SampleRun<S, Sum>& run, Alone& with, RunResult& result,
                                      std::vector<SpikeRow>& spikes) const {
  run.begin(with.state, with.set, with.tally);
  with.state.lists = !cores_.may_skip_lists() || !request.traced.empty() || with.clock != nullptr;
  if (with.clock != nullptr) with.clock->reset();
  ClockLog* const log = request.clocks ? &result.clocks[sample] : nullptr;
  for (std::int64_t t = 0; t < request.ticks; ++t) {
    if (with.clock != nullptr)
      run_clocked_tick(*program_, cores_, with.state, *with.clock, run.inputs(t), t, request.ticks, log);
    else
      run_tick(*program_, cores_, with.state, run.inputs(t), t, request.ticks);
    run.write_tick(with.state, t, with.tally, spikes);
  }
  run.write_events(with.state, with.tally);
  if (with.clock != nullptr) result.cycles[sample] = with.clock->row();
}

}  // namespace spikeloom
