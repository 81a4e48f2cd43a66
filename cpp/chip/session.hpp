// A chip that a script clocks tick by tick, for several samples side by side.
#pragma once

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "base/error.hpp"
#include "chip/machine.hpp"
#include "chip/tick.hpp"
#include "core/cores.hpp"

namespace spikeloom {

template <class S, class Sum>
class OpenSession final : public Session {
 public:
  OpenSession(const Program& program, const Cores<S, Sum>& cores, std::int64_t samples)
      : program_(program), cores_(cores), states_(samples) {
    for (auto& state : states_) state = cores_.fresh();
  }

  void reset() override {
    for (auto& state : states_) cores_.reset(state);
    t_ = 0;
    stopped_ = false;
  }

  // After an error some samples have run the tick and some have not: only a reset or a restore goes on.
  Ints tick(const std::uint8_t* inputs) override {
    if (stopped_) throw EmulationError("chip", "stopped at an error", {.remedy = "reset or restore it"});
    stopped_ = true;
    Ints spikes(states_.size() * program_.neurons());
    for (std::size_t sample = 0; sample < states_.size(); ++sample) {
      const std::uint8_t* lines = inputs == nullptr ? nullptr : inputs + sample * program_.inputs();
      run_tick(program_, cores_, states_[sample], lines, t_, std::numeric_limits<std::int64_t>::max());
      for (const Spike& spike : states_[sample].fired)
        spikes[sample * program_.neurons() + spike.neuron] = spike.n;
    }
    ++t_;
    stopped_ = false;
    return spikes;
  }

  Values registers(int element) const override {
    if (element < 0 || element >= static_cast<int>(program_.spec.registers.size()))
      throw EmulationError("register", "does not exist");
    std::vector<S> values;
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
    std::string bytes;
    put(bytes, &t_, 1);
    for (const auto& state : states_) {
      put(bytes, state.registers.data(), state.registers.size());
      put(bytes, state.synapses.sums.data(), state.synapses.sums.size());
      put(bytes, state.synapses.counts.data(), state.synapses.counts.size());
    }
    return bytes;
  }

  void restore(const std::string& bytes) override {
    std::vector<CoreState<S, Sum>> restored(states_.size());
    std::size_t at = 0;
    std::int64_t t = 0;
    get(bytes, at, &t, 1);
    if (t < 0) damaged();
    for (auto& state : restored) {
      state = cores_.fresh();
      get(bytes, at, state.registers.data(), state.registers.size());
      get(bytes, at, state.synapses.sums.data(), state.synapses.sums.size());
      get(bytes, at, state.synapses.counts.data(), state.synapses.counts.size());
      check_registers(state);
      find_arrivals(state.synapses);
    }
    if (at != bytes.size()) damaged();
    states_ = std::move(restored);
    t_ = t;
    stopped_ = false;
  }

 private:
  template <class T>
  static void put(std::string& bytes, const T* values, std::size_t count) {
    if (count > 0) bytes.append(reinterpret_cast<const char*>(values), count * sizeof(T));
  }

  template <class T>
  static void get(const std::string& bytes, std::size_t& at, T* values, std::size_t count) {
    if (bytes.size() - at < count * sizeof(T)) damaged();
    if (count > 0) std::memcpy(values, bytes.data() + at, count * sizeof(T));
    at += count * sizeof(T);
  }

  [[noreturn]] static void damaged() {
    throw EmulationError("chip state", "is not a state of this program and number of samples");
  }

  // The lanes of the operation list were chosen for these intervals.
  void check_registers(const CoreState<S, Sum>& state) const {
    if constexpr (std::is_integral_v<S>)
      for (std::size_t element = 0; element < program_.spec.registers.size(); ++element)
        for (std::int32_t i = 0; i < program_.neurons(); ++i)
          if (!cores_.soma().resting()[element].contains(state.registers[element * program_.neurons() + i]))
            damaged();
  }

  // Which slots and axons hold something follows from the values.
  void find_arrivals(SynapseState<Sum>& state) const {
    for (std::size_t s = 0; s < state.dirty.size(); ++s) state.dirty[s] = 1;
    for (std::size_t s = 0; s < state.arrivals.size(); ++s)
      for (std::int32_t axon = 0; axon < program_.axons(); ++axon) {
        const std::int64_t n = state.counts[s * program_.axons() + axon];
        if (n < 0 || n > std::numeric_limits<std::int32_t>::max()) damaged();
        if (n > 0) state.arrivals[s].push_back(axon);
      }
  }

  const Program& program_;
  const Cores<S, Sum>& cores_;
  std::vector<CoreState<S, Sum>> states_;
  std::int64_t t_ = 0;
  bool stopped_ = false;
};

}  // namespace spikeloom
