#include <vector>

#include "base/interval.hpp"
#include "program/check_parts.hpp"

namespace spikeloom {
namespace {

// Smallest and largest target and weight offset of a template, before its axons shift them.
struct Extent {
  Interval targets{far, -far};
  Interval weights{far, -far};
  bool empty = true;
};

Interval run_targets(const Arrays& a, std::size_t run) {
  const std::int64_t first = a.run_target[run], length = a.run_length[run];
  if (a.run_index[run] < 0) return {first, first + length - 1};
  const std::int64_t from = a.run_index[run];
  for (std::int64_t k = from + 1; k < from + length; ++k)
    if (a.index_target[k] < a.index_target[k - 1])
      throw ProgramError(
          entry("index_target", k), "falls within its run",
          {.value = std::int64_t{a.index_target[k]}, .limit = std::int64_t{a.index_target[k - 1]}});
  return {first + a.index_target[from], first + a.index_target[from + length - 1]};
}

void check_run(const Spec& spec, const Arrays& a, std::size_t run) {
  const std::int64_t length = a.run_length[run], from = a.run_index[run];
  if (from < -1 || (from >= 0 && from > static_cast<std::int64_t>(a.index_target.size()) - length))
    throw ProgramError(entry("run_index", run), "leaves index_target",
                       {.value = from, .limit = static_cast<std::int64_t>(a.index_target.size())});
  if (a.run_delay[run] > spec.delay_max)
    throw ProgramError(entry("run_delay", run), "is above the profile's delay_max",
                       {.value = std::int64_t{a.run_delay[run]}, .limit = std::int64_t{spec.delay_max}});
}

bool in_order(const Arrays& a, std::size_t run, const Interval& before, const Interval& now) {
  if (a.run_delay[run] != a.run_delay[run - 1]) return a.run_delay[run] > a.run_delay[run - 1];
  if (a.run_receptor[run] != a.run_receptor[run - 1]) return a.run_receptor[run] > a.run_receptor[run - 1];
  return now.lo >= before.lo;
}

Extent template_extent(const Spec& spec, const Arrays& a, std::int32_t index) {
  Extent extent;
  Interval before;
  for (std::int32_t run = a.template_run_start[index]; run < a.template_run_start[index + 1]; ++run) {
    check_run(spec, a, run);
    const Interval targets = run_targets(a, run);
    if (!extent.empty && !in_order(a, run, before, targets))
      throw ProgramError(entry("run_target", run), "is out of order",
                         {.remedy = "sort the runs of a template by delay, receptor and first target"});
    extent.targets = extent.empty ? targets : hull(extent.targets, targets);
    const Interval weights{a.run_weight[run], a.run_weight[run] + a.run_length[run] - 1};
    extent.weights = extent.empty ? weights : hull(extent.weights, weights);
    extent.empty = false;
    before = targets;
  }
  return extent;
}

void check_axon(const Arrays& a, std::size_t axon, const Extent& extent, const Interval& core) {
  if (extent.empty) return;
  const Interval targets{extent.targets.lo + a.axon_target[axon], extent.targets.hi + a.axon_target[axon]};
  if (!targets.within(core))
    throw ProgramError(entry("axon_target", axon), "reaches neurons outside its core",
                       {.value = std::to_string(targets.lo) + " to " + std::to_string(targets.hi),
                        .limit = std::to_string(core.lo) + " to " + std::to_string(core.hi)});
  const Interval weights{extent.weights.lo + a.axon_weight[axon], extent.weights.hi + a.axon_weight[axon]};
  const Interval codes{0, static_cast<std::int64_t>(n_codes(a)) - 1};
  if (!weights.within(codes))
    throw ProgramError(
        entry("axon_weight", axon), "reaches codes that do not exist",
        {.value = std::to_string(weights.lo) + " to " + std::to_string(weights.hi), .limit = codes.hi});
}

}  // namespace

void check_rows(const Spec& spec, const Arrays& a) {
  const std::size_t templates = a.template_run_start.size() - 1;
  std::vector<Extent> extents;
  for (std::size_t index = 0; index < templates; ++index)
    extents.push_back(template_extent(spec, a, static_cast<std::int32_t>(index)));
  check_range(a.axon_template, "axon_template", 0, static_cast<std::int64_t>(templates) - 1);
  for (std::size_t core = 0; core + 1 < a.core_axon_start.size(); ++core) {
    const Interval neurons{a.core_neuron_start[core], std::int64_t{a.core_neuron_start[core + 1]} - 1};
    for (std::int32_t axon = a.core_axon_start[core]; axon < a.core_axon_start[core + 1]; ++axon)
      check_axon(a, axon, extents[a.axon_template[axon]], neurons);
  }
}

}  // namespace spikeloom
