// Finds what the targets of a convolution have in common, when a program is loaded.
#include <algorithm>
#include <cstring>
#include <map>
#include <span>
#include <tuple>
#include <utility>

#include "synapse/fans.hpp"
#include "synapse/gather.hpp"

namespace spikeloom {
namespace {

constexpr std::int32_t shortest = 16;                        // below it a row is no vector
constexpr std::size_t most_synapses = std::size_t{1} << 20;  // runs that are sorted when a program is loaded
constexpr std::size_t least_sharing = 2;                     // outputs that share a row on average
constexpr std::int32_t span_most = 64;

// A run of a source, seen from its target.
struct Reach {
  std::int64_t target;
  std::int32_t source;
  std::int64_t weight;
  bool operator<(const Reach& other) const {
    return std::tie(target, source, weight) < std::tie(other.target, other.source, other.weight);
  }
};

class Packing {
 public:
  Packing(const Fans& fans, const Weights& weights, const Segment& segment)
      : fans_(fans), weights_(weights), segment_(segment) {}

  std::optional<Gather> pack() {
    if (!find_reaches()) return std::nullopt;
    std::sort(reaches_.begin(), reaches_.end());
    if (!are_disjoint()) return std::nullopt;
    gather_.padded = (gather_.length + shortest - 1) / shortest * shortest;
    for (auto first = reaches_.begin(), last = first; first != reaches_.end(); first = last) {
      last = std::find_if(first, reaches_.end(), [&](const Reach& r) { return r.target != first->target; });
      add_output({first, last});
      if (rows_ * least_sharing > reaches_.size()) return std::nullopt;
    }
    return std::move(gather_);
  }

 private:
  using Reaches = std::span<const Reach>;
  using Shape = std::vector<std::pair<std::int32_t, std::int64_t>>;  // relative source, weight

  // All runs must have one length and no delay.
  bool find_reaches() {
    for (std::int64_t source = segment_.first; source < segment_.end; ++source) {
      std::int32_t added = 0;
      for (std::int32_t k = fans_.start[source]; k < fans_.start[source + 1]; ++k) {
        const Delivery& patch = fans_.deliveries[k];
        for (std::int32_t r = patch.number; r < patch.number + patch.length; ++r) {
          const PatchRun& run = fans_.packed->patch_runs[r];
          if (gather_.length == 0) gather_.length = run.length;
          if (run.delay != 0 || run.length < shortest || run.length != gather_.length) return false;
          reaches_.push_back({std::int64_t{patch.target} + run.target,
                              static_cast<std::int32_t>(source - segment_.first), patch.place + run.weight});
          added += run.length;
        }
      }
      if (reaches_.size() > most_synapses) return false;
      gather_.additions.push_back(added);
    }
    return !reaches_.empty();
  }

  // Runs of targets that overlap would be outputs that do; a source that reaches one twice needs two bits.
  bool are_disjoint() const {
    for (std::size_t k = 1; k < reaches_.size(); ++k) {
      const Reach &before = reaches_[k - 1], &reach = reaches_[k];
      const bool same = before.target == reach.target;
      if (same ? before.source == reach.source : reach.target - before.target < gather_.length) return false;
    }
    return true;
  }

  void add_output(Reaches reaches) {
    const std::int32_t source = reaches.front().source;
    Shape shape;
    for (const Reach& reach : reaches) shape.emplace_back(reach.source - source, reach.weight);
    const auto [found, is_new] = spans_of_.try_emplace(std::move(shape));
    if (is_new) found->second = add_spans(found->first);
    const auto [first_span, last_span] = found->second;
    gather_.outputs.push_back({reaches.front().target, source, first_span, last_span});
    gather_.looks += last_span - first_span;
  }

  std::pair<std::int32_t, std::int32_t> add_spans(const Shape& shape) {
    const auto first = static_cast<std::int32_t>(gather_.spans.size());
    for (const auto& [source, weight] : shape) {
      const bool goes_on = gather_.spans.size() > std::size_t(first) &&
                           gather_.spans.back().source + gather_.spans.back().count == source &&
                           gather_.spans.back().count < span_most;
      if (goes_on)
        ++gather_.spans.back().count;
      else
        gather_.spans.push_back({source, 1, static_cast<std::int64_t>(rows_)});
      add_row(weight);
    }
    return {first, static_cast<std::int32_t>(gather_.spans.size())};
  }

  void add_row(std::int64_t weight) {
    std::visit(
        [&](const auto& values) {
          const std::size_t size = sizeof(values[0]), place = gather_.rows.size();
          gather_.rows.resize(place + gather_.padded * size);
          std::memcpy(gather_.rows.data() + place, values.data() + weight, gather_.length * size);
        },
        weights_.values);
    ++rows_;
  }

  const Fans& fans_;
  const Weights& weights_;
  const Segment& segment_;
  std::vector<Reach> reaches_;
  std::map<Shape, std::pair<std::int32_t, std::int32_t>> spans_of_;
  std::size_t rows_ = 0;
  Gather gather_;
};

}  // namespace

std::optional<Gather> gather_of(const Fans& fans, const Weights& weights, const Segment& segment) {
  return Packing(fans, weights, segment).pack();
}

}  // namespace spikeloom
