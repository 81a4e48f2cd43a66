#include "synapse/synapses.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <type_traits>
#include <utility>

#include "synapse/bit_range.hpp"

namespace spikeloom {
namespace {

constexpr std::int64_t line = 64;  // bytes of the cache

}  // namespace

template <class Sum>
Synapses<Sum>::Synapses(const Program& program, std::shared_ptr<const Fans> fans, Level level)
    : program_(program),
      at_emission_(adds_at_emission(program)),
      slots_(program.spec.latency + program.spec.jitter.most + program.last_delay + 1),
      sum_slots_(at_emission_ ? slots_ : 1),
      add_(add_row<Sum>(program.weights, level)),
      weights_(std::visit([](const auto& values) { return static_cast<const void*>(values.data()); },
                          program.weights.values)),
      weight_bytes_(std::visit([](const auto& values) { return sizeof(values[0]); }, program.weights.values)),
      fans_(std::move(fans)),
      count_range_(kernel<CountRange>(level)),
      list_range_(kernel<ListRange>(level)) {
  if (fans_ == nullptr) return;
  add_rows_ = spikeloom::add_rows<Sum>(program.weights, level);
  place_rows_ = place_rows(level);
  add_patches_ = spikeloom::add_patches<Sum>(program.weights, level);
  if constexpr (std::is_integral_v<Sum>) add_gather_ = spikeloom::add_gather<Sum>(program.weights, level);
  add_record_ = spikeloom::add_record<Sum>(program.weights, fans_->packed->short_targets, level);
}

template <class Sum>
SynapseState<Sum> Synapses<Sum>::fresh(const Part& part, const Fans* fans) const {
  SynapseState<Sum> state;
  state.part = part;
  state.fans = fans;
  state.sums.resize(std::size_t(sum_slots_) * program_.receptors() * program_.neurons());
  state.dirty.resize(sum_slots_);
  if (fans != nullptr) {
    state.places.resize(fans->most_rows);
    state.found.resize(fans->groups.size());
    std::int64_t sources = 0;
    for (const Segment& segment : fans->segments)
      if (segment.kind == Segment::patches) sources = std::max(sources, segment.end - segment.first);
    state.flags.resize(sources + flag_slack);
    state.marks.resize(sources + flag_slack);
    state.listed.resize(std::max(program_.inputs(), program_.neurons()) + set_slack);
  }
  if (!at_emission_) {
    state.counts.resize(std::size_t(slots_) * program_.axons());
    state.arrivals.resize(slots_);
  }
  return state;
}

template <class Sum>
void Synapses<Sum>::reset(SynapseState<Sum>& state) const {
  const std::size_t per_slot = std::size_t(program_.receptors()) * program_.neurons();
  for (std::int32_t s = 0; s < sum_slots_; ++s)
    if (state.dirty[s]) std::fill_n(state.sums.begin() + s * per_slot, per_slot, Sum{});
  std::fill(state.dirty.begin(), state.dirty.end(), std::uint8_t{0});
  for (std::size_t s = 0; s < state.arrivals.size(); ++s) {
    for (const std::int32_t axon : state.arrivals[s]) state.counts[s * program_.axons() + axon] = 0;
    state.arrivals[s].clear();
  }
  state.additions = 0;
}

template <class Sum>
Ring<Sum> Synapses<Sum>::ring(SynapseState<Sum>& state) const {
  return {state.sums.data(), program_.neurons(), program_.receptors(), sum_slots_};
}

template <class Sum>
Row Synapses<Sum>::row(const Axon& axon, std::int64_t n) const {
  return {program_.runs.data() + axon.first_run,
          program_.runs.data() + axon.last_run,
          axon.target,
          axon.weight,
          n,
          0,
          0};
}

template <class Sum>
void Synapses<Sum>::arrive_from_lines(SynapseState<Sum>& state, const Spikes& spikes, std::int64_t arrival,
                                      std::int64_t end) const {
  arrive(state, lines(), spikes, arrival, end);
}

template <class Sum>
void Synapses<Sum>::arrive_from_neurons(SynapseState<Sum>& state, const Spikes& spikes, std::int64_t arrival,
                                        std::int64_t end) const {
  arrive(state, neurons(), spikes, arrival, end);
}

template <class Sum>
void Synapses<Sum>::arrive(SynapseState<Sum>& state, const Side& side, const Spikes& spikes,
                           std::int64_t arrival, std::int64_t end) const {
  if (arrival >= end || (spikes.list.empty() && spikes.bits == nullptr)) return;
  if (state.fans != nullptr) return add_spikes(state, side, spikes, arrival, end);
  for (const Spike& spike : spikes.list)
    for (std::int32_t k = side.start[spike.neuron]; k < side.start[spike.neuron + 1]; ++k) {
      if (!state.part.has_axon(side.axon[k])) continue;
      at_emission_ ? add_one(state, {side.axon[k], spike.n}, arrival, end)
                   : keep(state, {side.axon[k], spike.n}, arrival);
    }
}

template <class Sum>
void Synapses<Sum>::arrive_on_axon(SynapseState<Sum>& state, std::int32_t axon, std::int64_t arrival,
                                   std::int64_t end) const {
  if (arrival >= end) return;
  at_emission_ ? add_one(state, {axon, 1}, arrival, end) : keep(state, {axon, 1}, arrival);
}

// What a kept spike will read: at least a step lies between.
template <class Sum>
SPIKELOOM_INLINE void Synapses<Sum>::prefetch_row(const Axon& axon) const {
  if (axon.first_run == axon.last_run) return;
  const Run& run = program_.runs[axon.first_run];
  const std::int32_t length = std::min<std::int32_t>(run.length, 128);
  const auto* weights = static_cast<const std::byte*>(weights_) + (axon.weight + run.weight) * weight_bytes_;
  for (std::int64_t k = 0; k < length * weight_bytes_; k += line) __builtin_prefetch(weights + k);
  if (run.index < 0) return;  // its targets are contiguous
  const auto* targets = reinterpret_cast<const std::byte*>(program_.index_target.data() + run.index);
  for (std::int64_t k = 0; k < length * 4; k += line) __builtin_prefetch(targets + k);
}

template <class Sum>
void Synapses<Sum>::keep(SynapseState<Sum>& state, const Arrival& spikes, std::int64_t arrival) const {
  prefetch_row(program_.axon_rows[spikes.axon]);
  std::int64_t& count = state.counts[std::size_t(slot(arrival)) * program_.axons() + spikes.axon];
  if (count == 0) state.arrivals[slot(arrival)].push_back(spikes.axon);
  count += spikes.n;
}

template <class Sum>
void Synapses<Sum>::add_one(SynapseState<Sum>& state, const Arrival& spikes, std::int64_t arrival,
                            std::int64_t end) const {
  Row added = row(program_.axon_rows[spikes.axon], spikes.n);
  if (added.runs == added.end) return;
  added.slot = slot(arrival);
  added.longest = end - 1 - arrival;
  for (const Run* r = added.runs; r != added.end; ++r) {  // few distinct delays: the loop is short
    const std::int32_t s = added.slot + r->delay;
    state.dirty[s >= slots_ ? s - slots_ : s] = 1;
    if (r->delay == (added.end - 1)->delay) break;
  }
  state.additions += add_(ring(state), added, weights_, program_.index_target.data());
}

template <class Sum>
bool Synapses<Sum>::collect(SynapseState<Sum>& state, std::int64_t t, MergeCounters counters,
                            const Trial& trial) const {
  if (at_emission_) return state.dirty[slot(t)] != 0;
  find_due(state, t, state.due);
  state.delivered.clear();
  for (const std::int32_t axon : state.due) deliver_due(state, axon, t, counters, trial);
  state.dirty[0] = !state.due.empty();
  return state.dirty[0] != 0;
}

// A target that two rows share is added to once more, by then 0.
template <class Sum>
bool Synapses<Sum>::add_where_due(SynapseState<Sum>& state, Sum* const* registers) const {
  constexpr std::int64_t enough = 8;  // neurons for each synapse
  std::int64_t left = std::int64_t{program_.receptors()} * state.part.neurons() / enough;
  for (const Row& row : state.delivered)
    for (const Run* run = row.runs; run != row.end; ++run) left -= run->length;
  if (left < 0) return false;
  for (const Row& row : state.delivered)
    for (const Run* run = row.runs; run != row.end; ++run) {
      const std::int64_t first = row.target + run->target;
      Sum* const sums = state.sums.data() + std::int64_t{run->receptor} * program_.neurons() + first;
      Sum* const into = registers[run->receptor] + first;
      const std::int32_t* const index = run->index < 0 ? nullptr : program_.index_target.data() + run->index;
      for (std::int32_t k = 0; k < run->length; ++k) {
        const std::int32_t i = index == nullptr ? k : index[k];
        into[i] += sums[i];
        sums[i] = Sum{};
      }
    }
  return true;
}

// Axons with a spike that some of their runs may see in tick t: by group of `delivery.order`, then ascending.
template <class Sum>
void Synapses<Sum>::find_due(const SynapseState<Sum>& state, std::int64_t t,
                             std::vector<std::int32_t>& axons) const {
  axons.clear();
  for (std::int64_t delay = 0; delay <= std::min<std::int64_t>(program_.last_delay, t); ++delay) {
    const std::vector<std::int32_t>& arrived = state.arrivals[slot(t - delay)];
    axons.insert(axons.end(), arrived.begin(), arrived.end());
  }
  const bool late = program_.spec.recurrent_first;
  std::sort(axons.begin(), axons.end(), [&](std::int32_t a, std::int32_t b) {
    const bool first = program_.from_input[a] != late, second = program_.from_input[b] != late;
    return first != second ? first : a < b;
  });
  axons.erase(std::unique(axons.begin(), axons.end()), axons.end());
}

// All spikes due on one axon in one tick become the n that its synapses see.
template <class Sum>
std::int64_t Synapses<Sum>::merged(std::int32_t axon, std::int64_t n, MergeCounters counters) const {
  const std::int64_t most = program_.spikes_max(axon).value_or(n);
  *(program_.spec.merge_or ? counters.merged : counters.limited) += n > most;
  return std::min(n, most);
}

template <class Sum>
std::vector<Arrival> Synapses<Sum>::due(const SynapseState<Sum>& state, std::int64_t t,
                                        MergeCounters counters) const {
  std::vector<Arrival> due;
  std::vector<std::int32_t> axons;
  find_due(state, t, axons);
  for (const std::int32_t axon : axons) {
    const std::int64_t n = state.counts[std::size_t(slot(t)) * program_.axons() + axon];
    due.push_back({axon, merged(axon, n, counters)});
  }
  return due;
}

template <class Sum>
void Synapses<Sum>::deliver_due(SynapseState<Sum>& state, std::int32_t axon, std::int64_t t,
                                MergeCounters counters, const Trial& trial) const {
  Row added = row(program_.axon_rows[axon], 0);
  const Run* const end = added.end;
  for (const Run* group = added.runs; group != end;) {  // runs of one delay
    const std::int32_t delay = group->delay;
    const Run* after = group;
    while (after != end && after->delay == delay) ++after;
    added.n = delay <= t ? state.counts[std::size_t(slot(t - delay)) * program_.axons() + axon] : 0;
    if (added.n > 0) {
      added.n = merged(axon, added.n, counters);
      added.runs = group;
      added.end = after;
      added.slot = -delay;  // there is one slot, and it is this tick's
      added.longest = std::numeric_limits<std::int64_t>::max();
      state.additions += program_.read_std.empty()
                             ? add_(ring(state), added, weights_, program_.index_target.data())
                             : add_noisy_row(ring(state), added, program_, axon, t, trial);
      state.delivered.push_back(added);
    }
    group = after;
  }
}

template <class Sum>
Sum* Synapses<Sum>::sums(SynapseState<Sum>& state, std::int64_t t, std::int32_t receptor) const {
  const std::size_t s = at_emission_ ? slot(t) : 0;
  return state.sums.data() + (s * program_.receptors() + receptor) * program_.neurons();
}

template <class Sum>
void Synapses<Sum>::add_row_now(SynapseState<Sum>& state, std::int32_t axon) const {
  add_one(state, {axon, 1}, 0, 1);
}

template <class Sum>
void Synapses<Sum>::add_synapse_now(SynapseState<Sum>& state, std::int32_t neuron, std::int64_t weight,
                                    std::int32_t receptor) const {
  const Run run{neuron, 1, weight, 0, receptor, -1};
  add_(ring(state), {&run, &run + 1, 0, 0, 1, 0, 0}, weights_, program_.index_target.data());
  state.dirty[0] = 1;
}

// The counts of the oldest tick that any delay can look back to are free for the newest.
template <class Sum>
void Synapses<Sum>::finish(SynapseState<Sum>& state, std::int64_t t) const {
  state.dirty[at_emission_ ? slot(t) : 0] = 0;
  if (at_emission_ || t < program_.last_delay) return;
  const std::int32_t old = slot(t - program_.last_delay);
  for (const std::int32_t axon : state.arrivals[old])
    state.counts[std::size_t(old) * program_.axons() + axon] = 0;
  state.arrivals[old].clear();
}

template class Synapses<std::int16_t>;
template class Synapses<std::int32_t>;
template class Synapses<std::int64_t>;
template class Synapses<double>;

}  // namespace spikeloom
