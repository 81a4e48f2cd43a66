// The cores of a chip whose clock carries the packets: it says when a tick is computed, and when each
// arrives.
#pragma once

#include <cstdint>
#include <vector>

#include "chip/tick.hpp"

namespace spikeloom {

class CarriedCores {
 public:
  virtual ~CarriedCores() = default;
  // The spikes of the tick that has begun; to be called once in it, when all that is due in it has arrived.
  virtual const std::vector<Spike>& compute() = 0;
  // A packet is on its axon from tick t on; the axon's own delay comes on top.
  virtual void arrive(std::int32_t axon, std::int64_t t) = 0;
};

template <class S, class Sum>
class CarriedCoresOf final : public CarriedCores {
 public:
  CarriedCoresOf(const Cores<S, Sum>& cores, CoreState<S, Sum>& state) : cores_(cores), state_(state) {}

  // Tick t, and what arrives from outside; `end` is the first tick that is not run.
  void begin(const std::uint8_t* inputs, std::int64_t t, std::int64_t end) {
    t_ = t;
    end_ = end;
    if (inputs != nullptr) cores_.deliver_inputs(state_, inputs, t, end);
  }

  const std::vector<Spike>& compute() override {
    cores_.update(state_, t_);
    cores_.count_packets(state_);
    return state_.fired;
  }

  void arrive(std::int32_t axon, std::int64_t t) override { cores_.arrive_on_axon(state_, axon, t, end_); }

 private:
  const Cores<S, Sum>& cores_;
  CoreState<S, Sum>& state_;
  std::int64_t t_ = 0, end_ = 0;
};

}  // namespace spikeloom
