// Everything that can be observed of a run in clocks: a row for each clock in which a core or its router
// shows something new, and the spike counts that wait after every tick.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "chip/cycles.hpp"

namespace spikeloom {

class ClockLog {
 public:
  // Columns of `rows`. -1: none. `moves` has a bit for each output of the router.
  enum Column : std::int32_t {
    clock_column,  // since the run began
    place_column,  // of the mesh; core c stands at place c
    phase_column,
    written_column,
    spike_neuron_column,
    spike_count_column,
    output_column,
    receive_column,
    router_column,  // one for each input
    moves_column = router_column + 5,
    columns
  };
  static constexpr std::size_t schedule_columns = 4;  // tick, slot, axon, count

  explicit ClockLog(std::int32_t mesh_width) : mesh_width_(mesh_width) {}

  void add(const ClockView& view);
  // `schedule`: [slot][axon]
  void end_tick(const Ints& schedule, std::int32_t axons);

  Longs rows;
  Longs schedule;  // counts that are not 0

 private:
  using Signals = std::array<std::int64_t, columns>;

  void show(const ClockView& view);
  Signals& at(std::size_t place) { return now_[place]; }

  std::int32_t mesh_width_;
  std::int64_t first_clock_ = 0, tick_ = 0, clocks_ = 0;  // of this tick
  std::vector<Signals> now_, before_;                     // [place]
};

}  // namespace spikeloom
