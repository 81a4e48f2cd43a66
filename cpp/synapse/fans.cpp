#include "synapse/fans.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <unordered_map>

#include "synapse/dense.hpp"

namespace spikeloom {
namespace {

constexpr std::int64_t line = 64;
constexpr std::int32_t shortest_row = 8;  // below it a row is no vector
constexpr std::size_t fewest_rows = 64;   // below it hardly two of them spike in one tick
constexpr std::int64_t most_record_share =
    2;  // records hold at most so many times the synapses of the program

std::int64_t rounded_up(std::int64_t bytes, std::int64_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

// Of all runs of these patches; -1 where it differs, 0 where there are none.
std::int32_t run_length(const Fans& fans, const Delivery* begin, const Delivery* end) {
  std::int32_t length = 0;
  for (const Delivery* patch = begin; patch != end; ++patch)
    for (std::int32_t r = patch->number; r < patch->number + patch->length; ++r) {
      if (length != 0 && fans.patch_runs[r].length != length) return -1;
      length = fans.patch_runs[r].length;
    }
  return length;
}

// The group of patches is the length of their runs, until they are gathered.
Segment alone(const Fans& fans, std::int64_t source) {
  const Delivery* const begin = fans.deliveries.data() + fans.start[source];
  const Delivery* const end = fans.deliveries.data() + fans.start[source + 1];
  if (end - begin == 1 && begin->kind == Delivery::row)
    return {Segment::rows, begin->number, source, source + 1, begin->place, 0};
  const bool patches =
      std::all_of(begin, end, [](const Delivery& delivery) { return delivery.kind == Delivery::patch; });
  if (!patches) return {Segment::mixed, -1, source, source + 1, 0, 0};
  return {Segment::patches, run_length(fans, begin, end), source, source + 1, 0, 0};
}

// Whether the source `next` goes on with the segment; the second one sets the stride.
bool goes_on(Segment& segment, const Segment& next) {
  if (segment.kind != next.kind) return false;
  if (segment.kind == Segment::patches && segment.group == 0) segment.group = next.group;
  const bool silent = segment.kind == Segment::patches && next.group == 0;
  if (segment.group != next.group && !silent) return false;
  if (segment.kind == Segment::rows && next.first == segment.first + 1)
    segment.stride = next.place - segment.place;
  return next.place == segment.place + (next.first - segment.first) * segment.stride;
}

// None holds both input lines and neurons: these spike at different times.
std::vector<Segment> segments_of(const Fans& fans, std::int64_t lines) {
  std::vector<Segment> segments;
  for (std::int64_t source = 0; source + 1 < std::int64_t(fans.start.size()); ++source) {
    const Segment next = alone(fans, source);
    if (!segments.empty() && source != lines && goes_on(segments.back(), next))
      segments.back().end = next.end;
    else
      segments.push_back(next);
  }
  return segments;
}

class Packing {
 public:
  Packing(const Program& program, int lane_bytes, Fans& fans)
      : program_(program), lane_bytes_(lane_bytes), fans_(fans), row_of_(program.axons()) {}

  void pack() {
    fans_.short_targets = std::int64_t{program_.receptors()} * program_.neurons() <= 65536;
    if (lane_bytes_ > 0) pack_groups();
    reserve_records();
    fans_.start.push_back(0);
    pack_side(program_.input_fan_start, program_.input_fan_axon);
    pack_side(program_.neuron_fan_start, program_.neuron_fan_axon);
    number_rows();
    fans_.segments = segments_of(fans_, program_.inputs());
    gather_patches();
  }

 private:
  struct PackedRow {
    std::int32_t group = -1;
    std::int64_t place = 0;
  };
  // Synapses of one source and delay: runs with what their axon adds.
  using Pieces = std::vector<std::pair<const Axon*, const Run*>>;

  const Run* begin(const Axon& axon) const { return program_.runs.data() + axon.first_run; }
  const Run* end(const Axon& axon) const { return program_.runs.data() + axon.last_run; }

  bool all_dense(const Axon& axon, std::int32_t shortest = 0) const {
    return axon.first_run < axon.last_run &&
           std::all_of(
               begin(axon), end(axon),
               [&](const Run& run) { return run.index < 0 && run.length >= shortest; });
  }

  // Most synapses are listed one by one.
  bool is_listed(const Axon& axon) const {
    std::int64_t listed = 0, all = 0;
    for (const Run* run = begin(axon); run != end(axon); ++run) {
      all += run->length;
      listed += run->index < 0 ? 0 : run->length;
    }
    return 2 * listed > all;
  }

  std::int64_t target_of(const Axon& axon, const Run& run) const {
    return std::int64_t{run.receptor} * program_.neurons() + axon.target + run.target;
  }

  // Axons that read the same runs at the same targets stand together.
  void pack_groups() {
    claimed_.resize(std::visit([](const auto& values) { return values.size(); }, program_.weights.values));
    const auto& axons = program_.axon_rows;
    for (std::size_t first = 0; first < axons.size();) {
      std::size_t last = first + 1;
      while (last < axons.size() && axons[last].first_run == axons[first].first_run &&
             axons[last].last_run == axons[first].last_run && axons[last].target == axons[first].target)
        ++last;
      if (last - first >= fewest_rows && all_dense(axons[first], shortest_row) && claim(first, last))
        pack_group(static_cast<std::int32_t>(first), static_cast<std::int32_t>(last));
      first = last;
    }
  }

  // A weight is packed once: the kernel of a convolution stays one, whatever reads it.
  bool claim(std::size_t first, std::size_t last) {
    const auto each = [&](auto action) {
      for (std::size_t i = first; i < last; ++i)
        for (const Run* run = begin(program_.axon_rows[i]); run != end(program_.axon_rows[i]); ++run)
          action(claimed_.begin() + program_.axon_rows[i].weight + run->weight, run->length);
    };
    bool free = true;
    each([&](auto from, auto length) {
      free = free && std::find(from, from + length, true) == from + length;
    });
    if (free) each([](auto from, auto length) { std::fill_n(from, length, true); });
    return free;
  }

  void pack_group(std::int32_t first, std::int32_t last) {
    RowGroup group;
    const Axon& axon = program_.axon_rows[first];
    std::int64_t bytes = 0;
    for (const Run* run = begin(axon); run != end(axon); ++run) {
      group.parts.push_back({target_of(axon, *run), run->length, run->delay, bytes});
      bytes += rounded_up(run->length * weight_bytes(), Fans::row_unit);
    }
    for (std::int32_t i = first; i < last; ++i) {
      const auto place = static_cast<std::int64_t>(fans_.rows.size());
      row_of_[i] = {static_cast<std::int32_t>(fans_.groups.size()), place};
      fans_.rows.resize(place + bytes);
      const Run* run = begin(axon);
      for (const RowGroup::Part& part : group.parts)
        pack_row(program_.weights, program_.axon_rows[i].weight + (run++)->weight, part.length, lane_bytes_,
                 fans_.rows.data() + place + part.place);
    }
    fans_.groups.push_back(std::move(group));
  }

  std::int64_t weight_bytes() const {
    return std::visit([](const auto& values) { return static_cast<std::int64_t>(sizeof(values[0])); },
                      program_.weights.values);
  }

  // Without records where many sources share one list, as those of a convolution may.
  void reserve_records() {
    std::int64_t synapses = 0, lists = 0;
    for (const Ints* side : {&program_.input_fan_axon, &program_.neuron_fan_axon})
      for (const std::int32_t i : *side) {
        const Axon& axon = program_.axon_rows[i];
        if (row_of_[i].group >= 0 || !is_listed(axon)) continue;
        ++lists;
        for (const Run* run = begin(axon); run != end(axon); ++run) synapses += run->length;
      }
    with_records_ = synapses <= most_record_share * std::int64_t(program_.index_target.size());
    const std::int64_t sources = program_.inputs() + program_.neurons();
    if (with_records_)
      fans_.records.reserve(synapses * (target_bytes() + weight_bytes()) + std::min(lists, sources) * line +
                            line);
  }

  std::int64_t target_bytes() const { return fans_.short_targets ? 2 : 4; }

  void pack_side(const Ints& starts, const Ints& axons) {
    for (std::size_t source = 0; source + 1 < starts.size(); ++source) {
      std::map<std::int32_t, Pieces> by_delay;
      for (std::int32_t k = starts[source]; k < starts[source + 1]; ++k) {
        const Axon& axon = program_.axon_rows[axons[k]];
        if (row_of_[axons[k]].group >= 0)
          fans_.deliveries.push_back({Delivery::row, row_of_[axons[k]].group, 0, 0, row_of_[axons[k]].place});
        else if (with_records_ && is_listed(axon))
          for (const Run* run = begin(axon); run != end(axon); ++run)
            by_delay[run->delay].emplace_back(&axon, run);
        else if (axon.first_run < axon.last_run)
          fans_.deliveries.push_back(all_dense(axon) ? patch(axon)
                                                     : Delivery{Delivery::axon, axons[k], 0, 0, 0});
      }
      for (const auto& [delay, pieces] : by_delay) pack_record(delay, pieces);
      fans_.start.push_back(static_cast<std::int32_t>(fans_.deliveries.size()));
    }
  }

  void pack_record(std::int32_t delay, const Pieces& pieces) {
    const auto place = static_cast<std::int64_t>(fans_.records.size());
    std::int32_t length = 0;
    for (const auto& [axon, run] : pieces) length += run->length;
    const std::int64_t weights = place + rounded_up(length * target_bytes(), 8);
    fans_.records.resize(rounded_up(weights + length * weight_bytes(), line));
    std::byte* target = fans_.records.data() + place;
    std::byte* weight = fans_.records.data() + weights;
    for (const auto& [axon, run] : pieces) {
      for (std::int32_t k = 0; k < run->length; ++k, target += target_bytes())
        put_target(target,
                   target_of(*axon, *run) + (run->index < 0 ? k : program_.index_target[run->index + k]));
      const std::int64_t bytes = run->length * weight_bytes();
      std::visit([&](const auto& values) { std::memcpy(weight, &values[axon->weight + run->weight], bytes); },
                 program_.weights.values);
      weight += bytes;
    }
    fans_.deliveries.push_back({Delivery::record, delay, length, 0, place});
  }

  Delivery patch(const Axon& axon) {
    const auto [found, is_new] =
        patch_of_.emplace(axon.first_run, static_cast<std::int32_t>(fans_.patch_runs.size()));
    if (is_new)
      for (const Run* run = begin(axon); run != end(axon); ++run)
        fans_.patch_runs.push_back(
            {run->weight, static_cast<std::int32_t>(target_of({}, *run)), run->length, run->delay});
    return {Delivery::patch, found->second, axon.last_run - axon.first_run, axon.target, axon.weight};
  }

  void put_target(std::byte* to, std::int64_t target) const {
    const auto narrow = static_cast<std::uint16_t>(target);
    const auto wide = static_cast<std::uint32_t>(target);
    if (fans_.short_targets)
      std::memcpy(to, &narrow, sizeof(narrow));
    else
      std::memcpy(to, &wide, sizeof(wide));
  }

  void number_rows() {
    std::vector<std::int64_t> count(fans_.groups.size());
    for (const Delivery& delivery : fans_.deliveries)
      if (delivery.kind == Delivery::row) ++count[delivery.number];
    for (std::size_t g = 0; g < count.size(); ++g) {
      fans_.groups[g].first = fans_.most_rows;
      fans_.most_rows += count[g];
    }
  }

  void gather_patches() {
    for (Segment& segment : fans_.segments) {
      if (segment.kind != Segment::patches) continue;
      std::optional<Gather> gather = gather_of(fans_, program_.weights, segment);
      segment.group = gather ? static_cast<std::int32_t>(fans_.gathers.size()) : -1;
      if (gather) fans_.gathers.push_back(std::move(*gather));
    }
  }

  const Program& program_;
  int lane_bytes_;
  Fans& fans_;
  std::vector<PackedRow> row_of_;  // of each axon
  std::vector<bool> claimed_;      // weights that a group has
  bool with_records_ = false;
  std::unordered_map<std::int32_t, std::int32_t> patch_of_;  // first run of a patch, by that of its axon
};

}  // namespace

Fans::Fans(const Program& program, int lane_bytes) {
  Packing(program, lane_bytes, *this).pack();
}

bool adds_at_emission(const Program& program) {
  const Spec& spec = program.spec;
  return !spec.analog && !spec.merge_or && !spec.spikes_max_input && !spec.spikes_max_recurrent &&
         !spec.accumulate_each;
}

std::shared_ptr<const Fans> packed_fans(const Program& program, Level level) {
  if (!adds_at_emission(program) || program.spec.event) return nullptr;
  return std::make_shared<const Fans>(program, row_lane_bytes(program.weights, level));
}

}  // namespace spikeloom
