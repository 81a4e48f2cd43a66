// Finds what the targets of a convolution have in common, when a program is loaded.
#include <algorithm>
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
// Tables that stay in the nearest cache; of larger ones, or with looks at fewer sources, going through those
// that spiked is as fast.
constexpr std::size_t most_table_bytes = std::size_t{1} << 14;
constexpr std::int32_t widest_table = 6, narrowest_table = 4, widest_look = 56;  // 8 and 57 at most
// Looks at a table, or at spikes one by one, that take as long as a run that is added source by source.
constexpr std::int64_t table_looks = 4, single_looks = 2;

// A run of a source, seen from its target.
struct Reach {
  std::int64_t target;
  std::int32_t source;
  std::int64_t weight;
  bool operator<(const Reach& other) const {
    return std::tie(target, source, weight) < std::tie(other.target, other.source, other.weight);
  }
};

// The runs of a segment by their targets. Nothing where they have delays or several lengths, or overlap.
class Reaches {
 public:
  Reaches(const Fans& fans, const Segment& segment) : fans_(fans), segment_(segment) {}

  bool find() {
    for (std::int64_t source = segment_.first; source < segment_.end; ++source)
      if (!find_of(source)) return false;
    std::sort(all.begin(), all.end());
    return !all.empty() && are_disjoint();
  }

  std::vector<Reach> all;
  std::vector<std::int32_t> additions;  // of each source
  std::int32_t length = 0;

 private:
  bool find_of(std::int64_t source) {
    std::int32_t added = 0;
    for (std::int32_t k = fans_.start[source]; k < fans_.start[source + 1]; ++k) {
      const Delivery& patch = fans_.deliveries[k];
      for (std::int32_t r = patch.number; r < patch.number + patch.length; ++r) {
        const PatchRun& run = fans_.packed->patch_runs[r];
        if (length == 0) length = run.length;
        if (run.delay != 0 || run.length < shortest || run.length != length) return false;
        all.push_back({std::int64_t{patch.target} + run.target,
                       static_cast<std::int32_t>(source - segment_.first), patch.place + run.weight});
        added += run.length;
      }
    }
    additions.push_back(added);
    return all.size() <= most_synapses;
  }

  // Runs of targets that overlap would be outputs that do; a source that reaches one twice needs two bits.
  bool are_disjoint() const {
    for (std::size_t k = 1; k < all.size(); ++k) {
      const Reach &before = all[k - 1], &reach = all[k];
      const bool same = before.target == reach.target;
      if (same ? before.source == reach.source : reach.target - before.target < length) return false;
    }
    return true;
  }

  const Fans& fans_;
  const Segment& segment_;
};

// One way to pack them: `most` sources a look, with tables or without.
template <class Stored>
class Packing {
 public:
  Packing(const Reaches& reaches, const Table<Stored>& weights, std::int32_t most, bool tabled)
      : reaches_(reaches), weights_(weights), most_(most) {
    gather_.tabled = tabled;
    gather_.length = reaches.length;
    gather_.padded = (gather_.length + shortest - 1) / shortest * shortest;
    gather_.additions = reaches.additions;
  }

  std::optional<Gather> pack() {
    const auto& all = reaches_.all;
    for (auto first = all.begin(), last = first; first != all.end(); first = last) {
      last = std::find_if(first, all.end(), [&](const Reach& r) { return r.target != first->target; });
      add_output({first, last});
      if (shared_ * least_sharing > all.size()) return std::nullopt;
      if (gather_.tabled && gather_.rows.size() > most_table_bytes) return std::nullopt;
    }
    const auto sources = static_cast<std::int64_t>(reaches_.additions.size());
    const std::int64_t run_looks = gather_.tabled ? table_looks : single_looks;
    gather_.fewest_spikes = looked_ * sources / (run_looks * static_cast<std::int64_t>(all.size())) + 1;
    return std::move(gather_);
  }

 private:
  using Wide = std::conditional_t<sizeof(Stored) == 1, std::int16_t, std::int32_t>;
  using Shape = std::vector<std::pair<std::int32_t, std::int64_t>>;  // relative source, weight
  using Part = std::span<const Shape::value_type>;

  void add_output(std::span<const Reach> reaches) {
    const std::int32_t source = reaches.front().source;
    Shape shape;
    for (const Reach& reach : reaches) shape.emplace_back(reach.source - source, reach.weight);
    const auto [found, is_new] = looks_of_.try_emplace(std::move(shape));
    if (is_new) found->second = add_looks(found->first);
    const auto [first_look, last_look] = found->second;
    gather_.outputs.push_back({reaches.front().target, source, first_look, last_look});
    looked_ += last_look - first_look;
  }

  // Neighbouring sources are shared out evenly among as few looks as they need.
  std::pair<std::int32_t, std::int32_t> add_looks(Part shape) {
    const auto first = static_cast<std::int32_t>(gather_.looks.size());
    for (std::size_t at = 0, end = 0; at < shape.size(); at = end) {
      while (end < shape.size() && shape[end].first == shape[at].first + std::int32_t(end - at)) ++end;
      for (std::size_t left = (end - at + most_ - 1) / most_; left > 0; --left) {
        const std::size_t count = (end - at + left - 1) / left;
        add_look(shape.subspan(at, count));
        at += count;
      }
    }
    return {first, static_cast<std::int32_t>(gather_.looks.size())};
  }

  // Outputs at an edge look at some of what others look at.
  void add_look(Part part) {
    std::vector<std::int64_t> weights;
    for (const auto& [source, weight] : part) weights.push_back(weight);
    const auto [found, is_new] = row_of_.try_emplace(std::move(weights), rows());
    if (is_new) add_rows(found->first);
    const std::uint64_t mask = (std::uint64_t{1} << part.size()) - 1;
    gather_.looks.push_back({part.front().first, mask, found->second * gather_.padded});
  }

  std::int64_t rows() const {
    return static_cast<std::int64_t>(gather_.rows.size() / (gather_.padded * sizeof(Wide)));
  }

  // The row of a set is that of all but its highest source, and that source's.
  void add_rows(const std::vector<std::int64_t>& weights) {
    const std::int64_t first = rows();
    shared_ += weights.size();
    if (gather_.tabled) add_row(nullptr, 0);
    for (std::size_t k = 0; k < weights.size(); ++k)
      for (std::int64_t set = 0; set < (gather_.tabled ? std::int64_t{1} << k : 1); ++set)
        add_row(weights_.data() + weights[k], gather_.tabled ? first + set : -1);
  }

  // These weights, and row `other` where there is one.
  void add_row(const Stored* weights, std::int64_t other) {
    const std::size_t bytes = gather_.padded * sizeof(Wide), place = gather_.rows.size();
    gather_.rows.resize(place + bytes);
    auto* const row = reinterpret_cast<Wide*>(gather_.rows.data() + place);
    if (weights == nullptr) return;
    const auto* const added = reinterpret_cast<const Wide*>(gather_.rows.data() + other * bytes);
    for (std::int32_t k = 0; k < gather_.length; ++k)
      row[k] = static_cast<Wide>(weights[k] + (other < 0 ? 0 : added[k]));
  }

  const Reaches& reaches_;
  const Table<Stored>& weights_;
  std::int32_t most_;
  std::map<Shape, std::pair<std::int32_t, std::int32_t>> looks_of_;
  std::map<std::vector<std::int64_t>, std::int64_t> row_of_;  // of a look, by the weights of its sources
  std::size_t shared_ = 0;                                    // sources of all looks that have rows
  std::int64_t looked_ = 0;                                   // by all outputs
  Gather gather_;
};

template <class Stored>
std::optional<Gather> packed(const Reaches& reaches, const Table<Stored>& weights) {
  for (std::int32_t most = widest_table; most >= narrowest_table; --most)
    if (auto gather = Packing<Stored>(reaches, weights, most, true).pack()) return gather;
  return Packing<Stored>(reaches, weights, widest_look, false).pack();
}

}  // namespace

std::optional<Gather> gather_of(const Fans& fans, const Weights& weights, const Segment& segment) {
  Reaches reaches(fans, segment);
  const auto* const bytes = std::get_if<Table<std::int8_t>>(&weights.values);
  const auto* const words = std::get_if<Table<std::int16_t>>(&weights.values);
  if ((bytes == nullptr && words == nullptr) || !reaches.find()) return std::nullopt;
  return bytes != nullptr ? packed(reaches, *bytes) : packed(reaches, *words);
}

}  // namespace spikeloom
