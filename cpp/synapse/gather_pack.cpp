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
constexpr std::size_t most_outputs = 255;                    // of a source
constexpr std::size_t least_sharing = 2;                     // outputs that share a row on average
// Tables that stay in the nearest cache; of larger ones, or with looks at fewer sources, going through those
// that spiked is as fast.
constexpr std::size_t most_table_bytes = std::size_t{1} << 16;
constexpr std::size_t most_mark = 65535;                                         // bytes of one table
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

// The runs of a segment by their targets. Nothing where they have delays or several lengths, or overlap, or
// where a source has very many.
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
  std::vector<std::uint8_t> of_source;  // outputs of each
  std::int32_t length = 0;

 private:
  bool find_of(std::int64_t source) {
    std::size_t reached = 0;
    for (std::int32_t k = fans_.start[source]; k < fans_.start[source + 1]; ++k) {
      const Delivery& patch = fans_.deliveries[k];
      for (std::int32_t r = patch.number; r < patch.number + patch.length; ++r) {
        const PatchRun& run = fans_.packed->patch_runs[r];
        if (length == 0) length = run.length;
        if (run.delay != 0 || run.length < shortest || run.length != length) return false;
        all.push_back({std::int64_t{patch.target} + run.target,
                       static_cast<std::int32_t>(source - segment_.first), patch.place + run.weight});
        ++reached;
      }
    }
    of_source.push_back(static_cast<std::uint8_t>(reached));
    return reached <= most_outputs && all.size() <= most_synapses;
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
      : reaches_(reaches), weights_(weights), most_(most), tabled_(tabled) {
    gather_.length = reaches.length;
    gather_.padded = (gather_.length + shortest - 1) / shortest * shortest;
    gather_.reach = reaches.of_source;
  }

  std::optional<Gather> pack() {
    const auto& all = reaches_.all;
    for (auto first = all.begin(), last = first; first != all.end(); first = last) {
      last = std::find_if(first, all.end(), [&](const Reach& r) { return r.target != first->target; });
      add_output({first, last});
      if (shared_ * least_sharing > all.size()) return std::nullopt;
    }
    if (tabled_ && !tables_fit()) return std::nullopt;
    add_rows();
    for (std::size_t k = 0; k < outputs_.size(); ++k) add_outputs(gather_.shapes[k], outputs_[k]);
    const std::int64_t run_looks = tabled_ ? table_looks : single_looks;
    gather_.fewest_spikes =
        looked_ * gather_.sources() / (run_looks * static_cast<std::int64_t>(all.size())) + 1;
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
    const auto [found, is_new] = shape_of_.try_emplace(std::move(shape), outputs_.size());
    if (is_new) add_looks(found->first);
    outputs_[found->second].push_back({reaches.front().target, source});
    looked_ += gather_.shapes[found->second].last_look - gather_.shapes[found->second].first_look;
  }

  // Neighbouring sources are shared out evenly among as few looks as they need.
  void add_looks(Part shape) {
    const auto first = static_cast<std::int32_t>(gather_.looks.size());
    for (std::size_t at = 0, end = 0; at < shape.size(); at = end) {
      while (end < shape.size() && shape[end].first == shape[at].first + std::int32_t(end - at)) ++end;
      for (std::size_t left = (end - at + most_ - 1) / most_; left > 0; --left) {
        const std::size_t count = (end - at + left - 1) / left;
        add_look(shape.subspan(at, count));
        at += count;
      }
    }
    gather_.shapes.push_back({0, 0, first, static_cast<std::int32_t>(gather_.looks.size())});
    outputs_.emplace_back();
  }

  // Outputs at an edge look at some of what others look at. Rows are placed when all are known.
  void add_look(Part part) {
    std::vector<std::int64_t> weights;
    for (const auto& [source, weight] : part) weights.push_back(weight);
    const auto [found, is_new] = rows_of_.try_emplace(weights, static_cast<std::int64_t>(looked_at_.size()));
    if (is_new) looked_at_.push_back(std::move(weights));
    if (is_new) shared_ += part.size();
    widest_ = std::max(widest_, part.size());
    gather_.looks.push_back({part.front().first, (std::uint64_t{1} << part.size()) - 1, found->second});
  }

  bool tables_fit() const {
    const std::size_t bytes = (gather_.padded * sizeof(Wide)) << widest_;
    return bytes <= most_mark && bytes * looked_at_.size() <= most_table_bytes;
  }

  void add_rows() {
    gather_.width = tabled_ ? static_cast<int>(widest_) : 0;
    std::vector<std::int64_t> places;
    for (const std::vector<std::int64_t>& weights : looked_at_) {
      places.push_back(rows() * gather_.padded);
      tabled_ ? add_table(weights) : add_each(weights);
    }
    for (Gather::Look& look : gather_.looks) look.place = places[look.place];
  }

  std::int64_t rows() const {
    return static_cast<std::int64_t>(gather_.rows.size() / (gather_.padded * sizeof(Wide)));
  }

  void add_each(const std::vector<std::int64_t>& weights) {
    for (const std::int64_t weight : weights) add_row(weights_.data() + weight, -1);
  }

  // The row of a set is that of all but its highest source, and that source's. Behind those of the look are
  // sources that add nothing.
  void add_table(const std::vector<std::int64_t>& weights) {
    const std::int64_t first = rows();
    add_row(nullptr, -1);
    for (std::size_t k = 0; k < widest_; ++k)
      for (std::int64_t set = 0; set < std::int64_t{1} << k; ++set)
        add_row(k < weights.size() ? weights_.data() + weights[k] : nullptr, first + set);
  }

  // These weights, where there are any, and row `other` where there is one.
  void add_row(const Stored* weights, std::int64_t other) {
    const std::size_t bytes = gather_.padded * sizeof(Wide), place = gather_.rows.size();
    gather_.rows.resize(place + bytes);
    auto* const row = reinterpret_cast<Wide*>(gather_.rows.data() + place);
    if (other >= 0) std::memcpy(row, gather_.rows.data() + other * bytes, bytes);
    for (std::int32_t k = 0; weights != nullptr && k < gather_.length; ++k)
      row[k] = static_cast<Wide>(row[k] + weights[k]);
  }

  void add_outputs(Gather::Shape& shape, const std::vector<Gather::Output>& outputs) {
    shape.first_output = static_cast<std::int32_t>(gather_.outputs.size());
    gather_.outputs.insert(gather_.outputs.end(), outputs.begin(), outputs.end());
    shape.last_output = static_cast<std::int32_t>(gather_.outputs.size());
  }

  const Reaches& reaches_;
  const Table<Stored>& weights_;
  std::size_t most_;
  bool tabled_;
  std::map<Shape, std::size_t> shape_of_;
  std::vector<std::vector<Gather::Output>> outputs_;           // of each shape
  std::map<std::vector<std::int64_t>, std::int64_t> rows_of_;  // a look's, by the weights of its sources
  std::vector<std::vector<std::int64_t>> looked_at_;           // these weights
  std::size_t shared_ = 0;                                     // sources of all looks that have rows
  std::size_t widest_ = narrowest_table;                       // sources of a look
  std::int64_t looked_ = 0;                                    // by all outputs
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
