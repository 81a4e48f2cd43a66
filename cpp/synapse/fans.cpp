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

class Packing {
 public:
  Packing(const Program& program, int lane_bytes, Fans& fans)
      : program_(program), lane_bytes_(lane_bytes), fans_(fans), row_of_(program.axons()) {}

  void pack() {
    packed_.weight_bytes =
        std::visit([](const auto& values) { return static_cast<std::int64_t>(sizeof(values[0])); },
                   program_.weights.values);
    packed_.short_targets = std::int64_t{program_.receptors()} * program_.neurons() <= 65536;
    if (lane_bytes_ > 0) pack_groups();
    reserve_records();
    fans_.start.push_back(0);
    pack_side(program_.input_fan_start, program_.input_fan_axon);
    pack_side(program_.neuron_fan_start, program_.neuron_fan_axon);
    fans_.packed = std::make_shared<const PackedSynapses>(std::move(packed_));
    arrange(fans_, program_);
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
      bytes += rounded_up(run->length * packed_.weight_bytes, Fans::row_unit);
    }
    for (std::int32_t i = first; i < last; ++i) {
      const auto place = static_cast<std::int64_t>(packed_.rows.size());
      row_of_[i] = {static_cast<std::int32_t>(fans_.groups.size()), place};
      packed_.rows.resize(place + bytes);
      const Run* run = begin(axon);
      for (const RowGroup::Part& part : group.parts)
        pack_row(program_.weights, program_.axon_rows[i].weight + (run++)->weight, part.length, lane_bytes_,
                 packed_.rows.data() + place + part.place);
    }
    fans_.groups.push_back(std::move(group));
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
      packed_.records.reserve(synapses * (packed_.target_bytes() + packed_.weight_bytes) +
                              std::min(lists, sources) * line + line);
  }

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

  // Axons of a source ascend, and so its targets go core by core.
  void pack_record(std::int32_t delay, const Pieces& pieces) {
    const auto place = static_cast<std::int64_t>(packed_.records.size());
    std::int32_t length = 0;
    for (const auto& [axon, run] : pieces) length += run->length;
    const std::int64_t weights = place + rounded_up(length * packed_.target_bytes(), 8);
    packed_.records.resize(rounded_up(weights + length * packed_.weight_bytes, line));
    std::byte* target = packed_.records.data() + place;
    std::byte* weight = packed_.records.data() + weights;
    for (const auto& [axon, run] : pieces) {
      for (std::int32_t k = 0; k < run->length; ++k, target += packed_.target_bytes())
        put_target(target,
                   target_of(*axon, *run) + (run->index < 0 ? k : program_.index_target[run->index + k]));
      const std::int64_t bytes = run->length * packed_.weight_bytes;
      std::visit([&](const auto& values) { std::memcpy(weight, &values[axon->weight + run->weight], bytes); },
                 program_.weights.values);
      weight += bytes;
    }
    fans_.deliveries.push_back(
        {Delivery::record, delay, length, static_cast<std::int32_t>(weights - place), place});
  }

  Delivery patch(const Axon& axon) {
    const auto [found, is_new] =
        patch_of_.emplace(axon.first_run, static_cast<std::int32_t>(packed_.patch_runs.size()));
    if (is_new)
      for (const Run* run = begin(axon); run != end(axon); ++run)
        packed_.patch_runs.push_back(
            {run->weight, static_cast<std::int32_t>(target_of({}, *run)), run->length, run->delay});
    return {Delivery::patch, found->second, axon.last_run - axon.first_run, axon.target, axon.weight};
  }

  void put_target(std::byte* to, std::int64_t target) const {
    const auto narrow = static_cast<std::uint16_t>(target);
    const auto wide = static_cast<std::uint32_t>(target);
    if (packed_.short_targets)
      std::memcpy(to, &narrow, sizeof(narrow));
    else
      std::memcpy(to, &wide, sizeof(wide));
  }

  const Program& program_;
  int lane_bytes_;
  Fans& fans_;
  PackedSynapses packed_;
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
