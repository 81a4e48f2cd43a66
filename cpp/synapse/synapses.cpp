#include "synapse/synapses.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <type_traits>

namespace spikeloom {
namespace {

constexpr std::size_t cached = 1 << 20;                       // bytes that a processor has at hand
constexpr std::int32_t per_line = 64 / sizeof(std::int32_t);  // targets of one cache line
constexpr std::int32_t most_prefetched = 8 * per_line;

bool large(const Program& program) {
  const std::size_t weights = std::visit([](const auto& values) { return values.size() * sizeof(values[0]); },
                                         program.weights.values);
  return weights + program.index_target.size() * sizeof(program.index_target[0]) > cached;
}

}  // namespace

template <class Sum>
Synapses<Sum>::Synapses(const Program& program, Level level)
    : program_(program),
      at_emission_(std::is_integral_v<Sum> && !program.spec.merge_or && !program.spec.spikes_max_input &&
                   !program.spec.spikes_max_recurrent && !program.spec.accumulate_each),
      slots_(program.spec.latency + program.spec.jitter.most + program.last_delay + 1),
      sum_slots_(at_emission_ ? slots_ : 1),
      add_(add_row<Sum>(program.weights, level)),
      add_rows_(add_rows<Sum>(program.weights, level)),
      weights_(std::visit([](const auto& values) { return static_cast<const void*>(values.data()); },
                          program.weights.values)),
      weight_bytes_(std::visit([](const auto& values) { return sizeof(values[0]); }, program.weights.values)),
      groups_(at_emission_ && add_rows_ != nullptr &&
              std::any_of(program.shape.begin(), program.shape.end(), [](std::int32_t s) { return s >= 0; })),
      large_(large(program)) {}

template <class Sum>
SynapseState<Sum> Synapses<Sum>::fresh() const {
  SynapseState<Sum> state;
  state.sums.resize(std::size_t(sum_slots_) * program_.receptors() * program_.neurons());
  state.dirty.resize(sum_slots_);
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

// The rows of a large chip lie far apart: what the next spikes need is asked for one dependent step at a
// time.
// Inline, because a compiler may take a function that only prefetches for one that does nothing.
template <class Sum>
SPIKELOOM_INLINE void Synapses<Sum>::prefetch(const std::vector<Arrival>& arriving, std::size_t i) const {
  constexpr std::size_t axon_ahead = 16, run_ahead = 10, row_ahead = 5;
  const auto ask = [](const void* address) { __builtin_prefetch(address); };
  if (i + axon_ahead < arriving.size()) ask(&program_.axon_rows[arriving[i + axon_ahead].axon]);
  if (i + run_ahead < arriving.size())
    ask(program_.runs.data() + program_.axon_rows[arriving[i + run_ahead].axon].first_run);
  if (i + row_ahead >= arriving.size()) return;
  const Axon& axon = program_.axon_rows[arriving[i + row_ahead].axon];
  if (axon.first_run == axon.last_run) return;
  const Run& run = program_.runs[axon.first_run];
  ask(static_cast<const std::byte*>(weights_) + (axon.weight + run.weight) * weight_bytes_);
  if (run.index < 0) return;
  const std::int32_t* const targets = program_.index_target.data() + run.index;
  for (std::int32_t k = 0; k < std::min(run.length, most_prefetched); k += per_line) ask(targets + k);
}

template <class Sum>
void Synapses<Sum>::arrive(SynapseState<Sum>& state, std::int64_t arrival, std::int64_t end) const {
  std::vector<Arrival>& arriving = state.arriving;
  const auto by_axon = [](const Arrival& a, const Arrival& b) { return a.axon < b.axon; };
  if (arrival >= end) arriving.clear();
  if (groups_ && !std::is_sorted(arriving.begin(), arriving.end(), by_axon))
    std::sort(arriving.begin(), arriving.end(), by_axon);  // rows of one shape come together; sums are exact
  for (std::size_t i = 0; i < arriving.size();) {
    const std::size_t next = groups_ ? group_end(arriving, i) : i + 1;
    if (!at_emission_)
      keep(state, arriving[i], arrival);
    else if (next - i > 1)
      add_group(state, i, next, arrival, end);
    else {
      if (large_) prefetch(arriving, i);
      add_one(state, arriving[i], arrival, end);
    }
    i = next;
  }
  arriving.clear();
}

template <class Sum>
void Synapses<Sum>::keep(SynapseState<Sum>& state, const Arrival& spikes, std::int64_t arrival) const {
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

// The end of the spikes from `first` on that read rows of one shape at one place, one spike each.
template <class Sum>
std::size_t Synapses<Sum>::group_end(const std::vector<Arrival>& arriving, std::size_t first) const {
  const std::int32_t shape = program_.shape[arriving[first].axon];
  std::size_t last = first + 1;
  if (shape < 0 || arriving[first].n != 1) return last;
  while (last < arriving.size() && arriving[last].n == 1 && program_.shape[arriving[last].axon] == shape)
    ++last;
  return last;
}

template <class Sum>
void Synapses<Sum>::add_group(SynapseState<Sum>& state, std::size_t first, std::size_t last,
                              std::int64_t arrival, std::int64_t end) const {
  const Axon& axon = program_.axon_rows[state.arriving[first].axon];
  const auto rows = static_cast<std::int64_t>(last - first);
  for (std::int32_t r = axon.first_run; r < axon.last_run; ++r) {
    const Run& run = program_.runs[r];
    if (run.delay > end - 1 - arrival) break;
    state.offsets.clear();
    for (std::size_t i = first; i < last; ++i)
      state.offsets.push_back(program_.axon_rows[state.arriving[i].axon].weight + run.weight);
    const std::size_t s = slot(arrival + run.delay);
    Sum* const sums = state.sums.data() + (s * program_.receptors() + run.receptor) * program_.neurons();
    add_rows_(sums + axon.target + run.target, weights_, state.offsets.data(), rows, run.length);
    state.dirty[s] = 1;
    state.additions += rows * run.length;
  }
}

template <class Sum>
bool Synapses<Sum>::collect(SynapseState<Sum>& state, std::int64_t t, MergeCounters counters,
                            const Trial& trial) const {
  if (at_emission_) return state.dirty[slot(t)] != 0;
  const std::vector<std::int32_t> axons = due_axons(state, t);
  for (const std::int32_t axon : axons) deliver_due(state, axon, t, counters, trial);
  state.dirty[0] = !axons.empty();
  return state.dirty[0] != 0;
}

// Axons with a spike that some of their runs may see in tick t: by group of `delivery.order`, then ascending.
template <class Sum>
std::vector<std::int32_t> Synapses<Sum>::due_axons(const SynapseState<Sum>& state, std::int64_t t) const {
  std::vector<std::int32_t> axons;
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
  return axons;
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
  for (const std::int32_t axon : due_axons(state, t)) {
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

template class Synapses<std::int32_t>;
template class Synapses<std::int64_t>;
template class Synapses<double>;

}  // namespace spikeloom
