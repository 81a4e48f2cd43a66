// A clock that can be stepped one by one, and past stretches in which nothing is decided.
#pragma once

#include <algorithm>
#include <cstdint>

#include "chip/clock.hpp"

namespace spikeloom {

class SteppedClock : public Clock {
 public:
  bool can_step() const override { return true; }
  ClockView view() const override { return view_; }

  // The last clock is never skipped, so that it can be shown.
  bool step(std::int64_t clocks) override {
    while (clocks > 0 && !over_) {
      const std::int64_t calm_clocks = std::min(calm(), clocks - 1);
      if (calm_clocks > 0)
        skip(calm_clocks);
      else
        one(true);
      clocks -= std::max<std::int64_t>(calm_clocks, 1);
    }
    return over_;
  }

  void finish() override {
    while (!over_) {
      const std::int64_t clocks = calm();
      if (clocks > 0)
        skip(clocks);
      else
        one(false);
    }
  }

 protected:
  // Clocks in which nothing is decided; 0 where the next one must be run.
  virtual std::int64_t calm() const = 0;
  virtual void skip(std::int64_t clocks) = 0;
  // One clock; shown where `watched`.
  virtual void one(bool watched) = 0;

  bool over_ = true;  // the tick has ended
  ClockView view_;
};

}  // namespace spikeloom
