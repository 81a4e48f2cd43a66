#include "chip/clock_log.hpp"

#include <algorithm>

namespace spikeloom {
namespace {

constexpr std::size_t inputs = 5;  // of a router

}  // namespace

void ClockLog::add(const ClockView& view) {
  clocks_ = view.clock + 1;
  show(view);
  if (before_.empty()) {
    before_.resize(now_.size());
    for (Signals& before : before_) before[written_column] = before[spike_neuron_column] = -1;
  }
  for (std::size_t place = 0; place < now_.size(); ++place) {
    Signals& now = now_[place];
    if (std::equal(now.begin() + phase_column, now.end(), before_[place].begin() + phase_column)) continue;
    now[clock_column] = first_clock_ + view.clock;
    now[place_column] = static_cast<std::int64_t>(place);
    rows.insert(rows.end(), now.begin(), now.end());
  }
  std::swap(now_, before_);
}

// A place without a core has a router alone.
void ClockLog::show(const ClockView& view) {
  const std::size_t cores = view.phase.size();
  const std::size_t first_router = 2 * cores;  // in the queues, behind output and receive FIFOs
  now_.assign((view.queues.size() - first_router) / inputs, Signals{});
  for (std::size_t place = 0; place < now_.size(); ++place) {
    Signals& now = now_[place];
    now[written_column] = now[spike_neuron_column] = -1;
    for (std::size_t port = 0; port < inputs; ++port)
      now[router_column + port] = view.queues[first_router + inputs * place + port];
  }
  for (std::size_t core = 0; core < cores; ++core) {
    Signals& now = at(core);
    now[phase_column] = view.phase[core];
    now[written_column] = view.written[core];
    now[output_column] = view.queues[core];
    now[receive_column] = view.queues[cores + core];
  }
  for (const PushedSpike& spike : view.spikes) {
    at(spike.core)[spike_neuron_column] = spike.neuron;
    at(spike.core)[spike_count_column] = spike.n;
  }
  for (const Transfer& moved : view.transfers)
    at(moved.y * mesh_width_ + moved.x)[moves_column] |= std::int64_t{1} << moved.output;
}

void ClockLog::end_tick(const Ints& counts, std::int32_t axons) {
  for (std::size_t k = 0; k < counts.size(); ++k)
    if (counts[k] != 0)
      schedule.insert(schedule.end(), {tick_, static_cast<std::int64_t>(k) / axons,
                                       static_cast<std::int64_t>(k) % axons, counts[k]});
  first_clock_ += clocks_;
  ++tick_;
}

}  // namespace spikeloom
