// What neighbouring sources have in common: rows in step, patches that are gathered by their targets.
#include <algorithm>
#include <optional>
#include <utility>

#include "synapse/fans.hpp"

namespace spikeloom {
namespace {

// Of all runs of these patches; -1 where it differs, 0 where there are none.
std::int32_t run_length(const Fans& fans, const Delivery* begin, const Delivery* end) {
  std::int32_t length = 0;
  for (const Delivery* patch = begin; patch != end; ++patch)
    for (std::int32_t r = patch->number; r < patch->number + patch->length; ++r) {
      if (length != 0 && fans.packed->patch_runs[r].length != length) return -1;
      length = fans.packed->patch_runs[r].length;
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

// Its sources have no deliveries, which is no reason to end a segment of others.
bool is_silent(const Segment& segment) {
  return segment.kind == Segment::patches && segment.group == 0;
}

// Whether the source `next` goes on with the segment; the second one sets the stride.
bool goes_on(Segment& segment, const Segment& next) {
  if (is_silent(next) && segment.kind != Segment::rows) return true;
  if (is_silent(segment) && next.kind != Segment::rows) segment.kind = next.kind, segment.group = next.group;
  if (segment.kind != next.kind || segment.group != next.group) return false;
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

void number_rows(Fans& fans) {
  std::vector<std::int64_t> count(fans.groups.size());
  for (const Delivery& delivery : fans.deliveries)
    if (delivery.kind == Delivery::row) ++count[delivery.number];
  for (std::size_t g = 0; g < count.size(); ++g) {
    fans.groups[g].first = fans.most_rows;
    fans.most_rows += count[g];
  }
}

void gather_patches(Fans& fans, const Weights& weights) {
  for (Segment& segment : fans.segments) {
    if (segment.kind != Segment::patches) continue;
    std::optional<Gather> gather = gather_of(fans, weights, segment);
    segment.group = gather ? static_cast<std::int32_t>(fans.gathers.size()) : -1;
    if (gather) fans.gathers.push_back(std::move(*gather));
  }
}

}  // namespace

void arrange(Fans& fans, const Program& program) {
  number_rows(fans);
  fans.segments = segments_of(fans, program.inputs());
  gather_patches(fans, program.weights);
}

}  // namespace spikeloom
