// Whether two runs gave the same of everything.
#pragma once

#include <algorithm>

#include "chip/machine.hpp"

namespace spikeloom {

inline bool same_values(const std::vector<Values>& x, const std::vector<Values>& y) {
  return std::equal(x.begin(), x.end(), y.begin(), y.end(),
                    [](const Values& a, const Values& b) { return a.ints == b.ints && a.reals == b.reals; });
}

inline bool same_results(const RunResult& x, const RunResult& y) {
  const auto same_spike = [](const SpikeRow& a, const SpikeRow& b) {
    return a.sample == b.sample && a.tick == b.tick && a.neuron == b.neuron;
  };
  const auto same_events = [](const EventRow& a, const EventRow& b) {
    return a.spikes == b.spikes && a.input_spikes == b.input_spikes &&
           a.synaptic_operations == b.synaptic_operations && a.neuron_updates == b.neuron_updates &&
           a.packets == b.packets && a.input_packets == b.input_packets;
  };
  return x.counts == y.counts && x.rules == y.rules && same_values(x.probes, y.probes) &&
         same_values(x.readings, y.readings) &&
         std::equal(x.spikes.begin(), x.spikes.end(), y.spikes.begin(), y.spikes.end(), same_spike) &&
         std::equal(x.events.begin(), x.events.end(), y.events.begin(), y.events.end(), same_events);
}

}  // namespace spikeloom
