#include "chip/open_core_unit.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace spikeloom {

Schedule::Schedule(const OpenCorePlan& plan)
    : plan_(plan),
      axons_(plan.program.axons()),
      counts_(std::size_t(plan.slots) * axons_),
      active_(plan.slots) {}

void Schedule::reset() {
  std::fill(counts_.begin(), counts_.end(), 0);
  for (Ints& axons : active_) axons.clear();
}

void Schedule::restore(Ints counts) {
  reset();
  counts_ = std::move(counts);
  for (std::size_t k = 0; k < counts_.size(); ++k)
    if (counts_[k] != 0) active_[k / axons_].push_back(static_cast<std::int32_t>(k % axons_));
}

void Schedule::add(std::int64_t tick, std::int32_t axon, std::int64_t n) {
  std::int32_t& count = counts_[at(tick, axon)];
  if (count == 0) active_[slot(tick)].push_back(axon);
  count = static_cast<std::int32_t>(std::min<std::int64_t>(count + n, plan_.most[axon]));
}

OpenCoreUnit::OpenCoreUnit(const OpenCorePlan& plan, std::int32_t core)
    : plan_(plan), core_(core), output_(plan.output_fifo) {}

void OpenCoreUnit::reset() {
  phase_ = drain_phase;
  spikes_.clear();
  next_spike_ = 0;
  output_.clear();
  sending_ = Sending::idle;
  writing_ = false;
}

void OpenCoreUnit::begin(std::int64_t input_clocks, std::int64_t deliver_clocks,
                         std::vector<PushedSpike>& spikes) {
  phase_ = input_phase;
  left_ = input_clocks;
  deliver_clocks_ = deliver_clocks;
  position_ = updated_ = stayed_ = 0;
  std::swap(spikes_, spikes);
  next_spike_ = 0;
}

std::int32_t OpenCoreUnit::written() const {
  const std::int64_t neuron = position_ - (plan_.stages - 1);
  return phase_ == update_phase && neuron >= 0 ? static_cast<std::int32_t>(neuron) : -1;
}

bool OpenCoreUnit::step(std::int64_t tick, Mesh& mesh, Fifo<Packet>& received, Schedule& schedule,
                        OpenCoreCounts& counts, PushedSpike& spike) {
  if (phase_ >= update_phase) {
    send(mesh, counts);
    receive(tick, received, schedule);
  }
  if (phase_ == update_phase) return update(counts, spike);
  if (phase_ != drain_phase) pass(1);
  return false;
}

void OpenCoreUnit::skip(std::int64_t clocks) {
  if (phase_ != drain_phase) pass(clocks);
}

// Clocks in which the phase only goes on.
void OpenCoreUnit::pass(std::int64_t clocks) {
  if (phase_ == update_phase) {
    position_ += clocks;
    updated_ += clocks;
    if (position_ == plan_.update_clocks()) phase_ = drain_phase;
    return;
  }
  left_ -= clocks;
  if (left_ > 0) return;
  phase_ = phase_ == input_phase ? deliver_phase : update_phase;
  left_ = deliver_clocks_;
}

bool OpenCoreUnit::update(OpenCoreCounts& counts, PushedSpike& spike) {
  const bool fires = firing();
  if (fires) {
    const bool several = stayed_ < spikes_[next_spike_].n - 1;
    if (several || output_.full()) {
      ++(several ? counts.several_spikes : counts.output_full);
      ++stayed_;
      ++updated_;
      return false;
    }
    spike = spikes_[next_spike_++];
    output_.push(spike);
    ++counts.pushed_spikes;
    stayed_ = 0;
  }
  pass(1);
  return fires;
}

void OpenCoreUnit::send(Mesh& mesh, OpenCoreCounts& counts) {
  const Program& program = plan_.program;
  if (sending_ == Sending::idle) {
    if (output_.empty()) return;
    const PushedSpike spike = output_.front();
    output_.pop();
    const std::int32_t neuron = program.core_neuron_start[core_] + spike.neuron;
    destination_ = program.neuron_fan_start[neuron];
    last_destination_ = program.neuron_fan_start[neuron + 1];
    sent_n_ = spike.n;
    if (destination_ != last_destination_) sending_ = Sending::reading;
  } else if (sending_ == Sending::reading) {
    sending_ = Sending::offering;
  } else if (!mesh.takes(core_)) {
    ++counts.send_blocked;
  } else {
    const std::int32_t axon = program.neuron_fan_axon[destination_];
    mesh.push(core_, {plan_.core_of_axon[axon], axon, program.spec.latency + plan_.delay[axon], sent_n_});
    ++counts.packets;
    sending_ = ++destination_ == last_destination_ ? Sending::idle : Sending::reading;
  }
}

void OpenCoreUnit::receive(std::int64_t tick, Fifo<Packet>& received, Schedule& schedule) {
  if (writing_) {
    schedule.add(tick + received_.ticks, received_.axon, received_.n);
    writing_ = false;
  } else if (!received.empty()) {
    received_ = received.front();
    received.pop();
    writing_ = true;
  }
}

}  // namespace spikeloom
