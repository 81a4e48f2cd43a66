// All cores of open_core, the mesh and the barrier, clock by clock or past what is calm.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "chip/clock.hpp"
#include "chip/open_core_unit.hpp"

namespace spikeloom {

class OpenCoreClock final : public Clock {
 public:
  explicit OpenCoreClock(const OpenCorePlan& plan);
  void reset() override;
  void begin(const TickWork& work) override;
  void finish() override;
  bool can_step() const override { return true; }
  bool step(std::int64_t clocks) override;
  ClockView view() const override { return view_; }
  Ints schedule() const override { return schedule_.counts(); }
  std::string save() const override;
  void restore(const std::string& state) override;
  CycleRow row() const override;

 private:
  // What a core has to do before its update.
  struct Work {
    std::int64_t inputs = 0;  // axons with spikes from outside
    std::int64_t rows = 0;    // clocks of the active axons beyond their first
    std::vector<PushedSpike> spikes;
  };

  void add_inputs(const TickWork& work);
  void take_inputs(std::vector<Work>& cores);
  void take_schedule(std::vector<Work>& cores);
  bool quiet() const;
  std::int64_t calm() const;
  void skip(std::int64_t clocks);
  void one(bool watched);
  void watch();
  void close();

  const OpenCorePlan& plan_;
  std::vector<OpenCoreUnit> units_;
  std::vector<Fifo<Packet>> received_;  // [core]
  Mesh mesh_;
  Schedule schedule_;
  std::vector<Ints> waiting_;  // [slot][axon] spikes from outside that are due later; empty: none
  std::int64_t tick_ = 0, clock_ = 0;
  std::int64_t quiet_since_ = -1;
  bool over_ = true;
  Longs input_clocks_, deliver_clocks_;  // [core] of this tick
  OpenCoreCounts counts_;
  std::int64_t words_ = 0, events_ = 0, hops_ = 0;
  CycleRow row_;
  ClockView view_;
};

}  // namespace spikeloom
