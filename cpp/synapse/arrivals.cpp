// The usual case of a spike: one of its source in the tick, whose synapses were packed when the program was
// loaded.
#include <algorithm>
#include <cstddef>

#include "synapse/synapses.hpp"

namespace spikeloom {
namespace {

constexpr std::int32_t line = 64;                   // bytes
constexpr std::int64_t most_prefetched = 8 * line;  // of either: the processor goes on by itself

bool is_before(std::int64_t source, const Segment& segment) {
  return source < segment.end;
}

}  // namespace

// Sums are exact, so what is found is added in any order. Sources with several spikes are left to their
// axons.
template <class Sum>
void Synapses<Sum>::add_spikes(SynapseState<Sum>& state, const Side& side, const Spikes& spikes,
                               std::int64_t arrival, std::int64_t end) const {
  const Fans& fans = *state.fans;
  const std::span<const Spike> list = spikes.list;
  std::fill(state.found.begin(), state.found.end(), 0);
  bool several = false;
  if (spikes.bits == nullptr)
    several = add_listed(state, side, spikes, arrival, end);
  else
    add_flagged(state, side, spikes, arrival, end);
  for (std::size_t g = 0; g < state.found.size(); ++g)
    if (state.found[g] > 0) add_rows(state, fans.groups[g], state.found[g], arrival, end);
  for (std::size_t i = 0; several && i < list.size(); ++i)
    for (std::int32_t k = side.start[list[i].neuron]; k < side.start[list[i].neuron + 1]; ++k)
      if (list[i].n != 1 && state.part.has_axon(side.axon[k]))
        add_one(state, {side.axon[k], list[i].n}, arrival, end);
}

// True where a source may have several spikes.
template <class Sum>
bool Synapses<Sum>::add_listed(SynapseState<Sum>& state, const Side& side, const Spikes& spikes,
                               std::int64_t arrival, std::int64_t end) const {
  const Fans& fans = *state.fans;
  const std::span<const Spike> list = spikes.list;
  bool several = false;
  for (std::size_t first = 0, last; first < list.size(); first = last) {
    const std::int64_t source = side.first + list[first].neuron;
    const Segment& segment = *std::upper_bound(fans.segments.begin(), fans.segments.end(), source, is_before);
    const auto within = [&](const Spike& spike) { return side.first + spike.neuron < segment.end; };
    last = std::partition_point(list.begin() + first, list.end(), within) - list.begin();
    const Spikes some{list.subspan(first, last - first), spikes.flags, spikes.several};
    several |= add_found(state, side, some, segment, arrival, end);
  }
  return several;
}

// What gathers needs no list; of other segments their spikes are listed now.
template <class Sum>
void Synapses<Sum>::add_flagged(SynapseState<Sum>& state, const Side& side, const Spikes& spikes,
                                std::int64_t arrival, std::int64_t end) const {
  const auto& segments = state.fans->segments;
  const std::int64_t last = side.first + static_cast<std::int64_t>(side.start.size()) - 1;
  auto segment = std::upper_bound(segments.begin(), segments.end(), side.first, is_before);
  for (; segment != segments.end() && segment->first < last; ++segment) {
    const std::int64_t from = segment->first - side.first, until = segment->end - side.first;
    const std::int64_t count = count_range_(spikes.bits, from, until);
    if (count == 0) continue;
    if (is_gathered(state, *segment, count)) {
      add_gathered(state, side, spikes, *segment, arrival);
      continue;
    }
    list_range_(state.listed.data(), spikes.bits, from, until);
    const std::span<const Spike> list(state.listed.data(), count);
    add_found(state, side, {list, spikes.flags, false}, *segment, arrival, end);
  }
}

template <class Sum>
bool Synapses<Sum>::is_gathered(const SynapseState<Sum>& state, const Segment& segment,
                                std::int64_t count) const {
  return segment.kind == Segment::patches && segment.group >= 0 && add_gather_ != nullptr &&
         count >= state.fans->gathers[segment.group].fewest_spikes;
}

// Adds what sources of one segment add, but rows, which are listed; true where a source may have several
// spikes.
template <class Sum>
bool Synapses<Sum>::add_found(SynapseState<Sum>& state, const Side& side, const Spikes& spikes,
                              const Segment& segment, std::int64_t arrival, std::int64_t end) const {
  const Fans& fans = *state.fans;
  const auto count = static_cast<std::int64_t>(spikes.list.size());
  if (segment.kind == Segment::rows) return find_rows(state, side, spikes.list, segment);
  if (segment.kind == Segment::mixed) return find_deliveries(state, side, spikes.list, arrival, end);
  if (is_gathered(state, segment, count)) return add_gathered(state, side, spikes, segment, arrival);
  return add_patches(state,
                     {spikes.list.data(), count, fans.start.data() + side.first, fans.deliveries.data(),
                      fans.packed->patch_runs.data()},
                     arrival, end);
}

template <class Sum>
bool Synapses<Sum>::find_rows(SynapseState<Sum>& state, const Side& side, std::span<const Spike> spikes,
                              const Segment& segment) const {
  std::int64_t& found = state.found[segment.group];
  std::int64_t* const places = state.places.data() + state.fans->groups[segment.group].first + found;
  const std::int64_t place = segment.place + (side.first - segment.first) * segment.stride;
  const auto count = static_cast<std::int64_t>(spikes.size());
  const bool several = place_rows_(places, spikes.data(), count, place, segment.stride);
  std::int64_t kept = 0;
  for (std::int64_t k = 0; several && k < count; ++k) {
    places[kept] = places[k];
    kept += spikes[k].n == 1;
  }
  found += several ? kept : count;
  return several;
}

template <class Sum>
bool Synapses<Sum>::find_deliveries(SynapseState<Sum>& state, const Side& side, std::span<const Spike> spikes,
                                    std::int64_t arrival, std::int64_t end) const {
  const Fans& fans = *state.fans;
  bool several = false;
  for (std::size_t i = 0; i < spikes.size(); ++i) {
    prefetch(fans, side, spikes, i);
    several |= spikes[i].n != 1;
    if (spikes[i].n != 1) continue;
    const std::int64_t source = side.first + spikes[i].neuron;
    for (std::int32_t k = fans.start[source]; k < fans.start[source + 1]; ++k)
      add_delivery(state, k, arrival, end);
  }
  return several;
}

template <class Sum>
void Synapses<Sum>::add_delivery(SynapseState<Sum>& state, std::int32_t k, std::int64_t arrival,
                                 std::int64_t end) const {
  const Fans& fans = *state.fans;
  const Delivery& delivery = fans.deliveries[k];
  const Spike one{0, 1};
  const std::int32_t its_own[2] = {k, k + 1};
  switch (delivery.kind) {
    case Delivery::row:
      state.places[fans.groups[delivery.number].first + state.found[delivery.number]++] = delivery.place;
      break;
    case Delivery::record:
      add_record(state, delivery, arrival, end);
      break;
    case Delivery::patch:
      add_patches(state, {&one, 1, its_own, fans.deliveries.data(), fans.packed->patch_runs.data()}, arrival,
                  end);
      break;
    case Delivery::axon:
      add_one(state, {delivery.number, 1}, arrival, end);
      break;
  }
}

// The records of a large chip lie far apart: what the next spikes need is asked for one dependent step at a
// time. Inline, because a compiler may take a function that only prefetches for one that does nothing.
template <class Sum>
SPIKELOOM_INLINE void Synapses<Sum>::prefetch(const Fans& fans, const Side& side,
                                              std::span<const Spike> spikes, std::size_t i) const {
  constexpr std::size_t start_ahead = 12, fan_ahead = 8, record_ahead = 3;
  if (fans.packed->records.empty()) return;
  const auto ask = [](const void* address) { __builtin_prefetch(address); };
  const auto start = [&](std::size_t k) { return fans.start.data() + side.first + spikes[k].neuron; };
  if (i + start_ahead < spikes.size()) ask(start(i + start_ahead));
  if (i + fan_ahead < spikes.size()) ask(fans.deliveries.data() + *start(i + fan_ahead));
  if (i + record_ahead >= spikes.size()) return;
  const std::int32_t first = start(i + record_ahead)[0], last = start(i + record_ahead)[1];
  if (first == last || fans.deliveries[first].kind != Delivery::record) return;
  const Delivery& record = fans.deliveries[first];
  const std::byte* const bytes = fans.packed->records.data() + record.place;
  const std::int64_t targets = record.length * fans.packed->target_bytes();
  const std::int64_t weights = record.target + record.length * fans.packed->weight_bytes;
  for (std::int64_t k = 0; k < std::min(targets, most_prefetched); k += line) ask(bytes + k);
  for (std::int64_t k = record.target; k < std::min(weights, record.target + most_prefetched); k += line)
    ask(bytes + k);
}

template <class Sum>
void Synapses<Sum>::add_record(SynapseState<Sum>& state, const Delivery& record, std::int64_t arrival,
                               std::int64_t end) const {
  const std::int64_t due = arrival + record.number;
  if (due >= end) return;
  const std::byte* const targets = state.fans->packed->records.data() + record.place;
  add_record_(state.sums.data() + slot(due) * slot_size(), targets, targets + record.target, record.length);
  state.dirty[slot(due)] = 1;
  state.additions += record.length;
}

template <class Sum>
bool Synapses<Sum>::add_patches(SynapseState<Sum>& state, const PatchList& list, std::int64_t arrival,
                                std::int64_t end) const {
  const PatchesAdded added =
      add_patches_(ring(state), list, slot(arrival), end - 1 - arrival, weights_, state.dirty.data());
  state.additions += added.additions;
  return added.several;
}

template <class Sum>
bool Synapses<Sum>::add_gathered(SynapseState<Sum>& state, const Side& side, const Spikes& spikes,
                                 const Segment& segment, std::int64_t arrival) const {
  const std::int64_t first = segment.first - side.first;
  const bool known = spikes.flags != nullptr;
  const bool several =
      known ? spikes.several : flag_each(state, spikes.list, first, segment.end - segment.first);
  state.additions +=
      add_gather_(state.sums.data() + slot(arrival) * slot_size(), state.fans->gathers[segment.group],
                  known ? spikes.flags + first : state.flags.data(), state.marks.data());
  state.dirty[slot(arrival)] = 1;
  return several;
}

// True where a source has several spikes.
template <class Sum>
bool Synapses<Sum>::flag_each(SynapseState<Sum>& state, std::span<const Spike> spikes, std::int64_t first,
                              std::int64_t sources) {
  std::fill_n(state.flags.begin(), sources + flag_slack, std::uint8_t{0});
  bool several = false;
  for (const Spike& spike : spikes) {
    state.flags[spike.neuron - first] = spike.n == 1;
    several |= spike.n != 1;
  }
  return several;
}

template <class Sum>
void Synapses<Sum>::add_rows(SynapseState<Sum>& state, const RowGroup& group, std::int64_t count,
                             std::int64_t arrival, std::int64_t end) const {
  for (const RowGroup::Part& part : group.parts) {
    if (arrival + part.delay >= end) break;
    const std::int32_t s = slot(arrival + part.delay);
    add_rows_(state.sums.data() + s * slot_size() + part.target, state.fans->packed->rows.data() + part.place,
              state.places.data() + group.first, count, part.length);
    state.dirty[s] = 1;
    state.additions += count * part.length;
  }
}

template class Synapses<std::int16_t>;
template class Synapses<std::int32_t>;
template class Synapses<std::int64_t>;
template class Synapses<double>;

}  // namespace spikeloom
