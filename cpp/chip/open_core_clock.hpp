// All cores of open_core, the mesh and the barrier, clock by clock or past what is calm.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "chip/open_core_unit.hpp"
#include "chip/stepped_clock.hpp"

namespace spikeloom {

class OpenCoreClock final : public SteppedClock {
 public:
  explicit OpenCoreClock(const OpenCorePlan& plan);
  void reset() override;
  void begin(const TickWork& work) override;
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
  void give(std::int32_t axon, std::int64_t n);
  void wait(std::int64_t due, std::int32_t axon, std::int32_t n);
  void take_waiting();
  void take_schedule();
  void take_spikes(const std::vector<Spike>& fired);
  bool quiet() const;
  std::int64_t calm() const override;
  void skip(std::int64_t clocks) override;
  void one(bool watched) override;
  void watch();
  void close();

  const OpenCorePlan& plan_;
  std::vector<OpenCoreUnit> units_;
  std::vector<Fifo<Packet>> received_;  // [core]
  Mesh mesh_;
  Schedule schedule_;
  std::vector<Work> work_;     // [core] of this tick
  Longs given_;                // [axon] tick in which it last got spikes from outside
  std::vector<Ints> waiting_;  // [slot][axon] spikes from outside that are due later; empty: none
  std::int64_t tick_ = 0, clock_ = 0;
  std::int64_t quiet_since_ = -1;
  Longs input_clocks_, deliver_clocks_;  // [core] of this tick
  OpenCoreCounts counts_;
  std::int64_t words_ = 0, events_ = 0, hops_ = 0;
  CycleRow row_;
};

}  // namespace spikeloom
