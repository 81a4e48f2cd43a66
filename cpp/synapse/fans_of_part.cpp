// What of the packed synapses reaches a part of a chip: deliveries of its own, synapses that all parts share.
#include <cstring>
#include <optional>

#include "synapse/fans.hpp"

namespace spikeloom {
namespace {

class Cut {
 public:
  Cut(const Program& program, const Fans& whole, const Part& part)
      : program_(program), whole_(whole), part_(part) {}

  // What of a delivery reaches the part. Rows, patches and axons reach one core, and with it one part.
  std::optional<Delivery> of(const Delivery& delivery) const {
    if (delivery.kind == Delivery::record) return of_record(delivery);
    return is_within(delivery) ? std::optional(delivery) : std::nullopt;
  }

 private:
  bool is_within(const Delivery& delivery) const {
    if (delivery.kind == Delivery::axon) return part_.has_axon(delivery.number);
    if (delivery.kind == Delivery::row)
      return part_.has_neuron(neuron(whole_.groups[delivery.number].parts.front().target));
    return part_.has_neuron(
        neuron(std::int64_t{delivery.target} + whole_.packed->patch_runs[delivery.number].target));
  }

  std::int64_t neuron(std::int64_t target) const { return target % program_.neurons(); }

  // Its targets go core by core.
  std::optional<Delivery> of_record(const Delivery& record) const {
    const std::int32_t first = targets_before(record, part_.first_neuron);
    const std::int32_t last = targets_before(record, part_.last_neuron);
    if (first == last) return std::nullopt;
    const PackedSynapses& packed = *whole_.packed;
    const std::int64_t skipped = first * packed.target_bytes();
    Delivery cut = record;
    cut.length = last - first;
    cut.place += skipped;
    cut.target += static_cast<std::int32_t>(first * packed.weight_bytes - skipped);
    return cut;
  }

  // Number of targets that belong to cores before this neuron, with which a core begins.
  std::int32_t targets_before(const Delivery& record, std::int32_t core_start) const {
    std::int32_t low = 0, high = record.length;
    while (low < high) {
      const std::int32_t middle = low + (high - low) / 2;
      if (neuron(whole_.packed->target(record, middle)) < core_start)
        low = middle + 1;
      else
        high = middle;
    }
    return low;
  }

  const Program& program_;
  const Fans& whole_;
  const Part& part_;
};

}  // namespace

std::int64_t PackedSynapses::target(const Delivery& record, std::int32_t k) const {
  const std::byte* const from = records.data() + record.place + k * target_bytes();
  std::uint16_t narrow = 0;
  std::uint32_t wide = 0;
  if (short_targets) {
    std::memcpy(&narrow, from, sizeof(narrow));
    return narrow;
  }
  std::memcpy(&wide, from, sizeof(wide));
  return wide;
}

Fans::Fans(const Program& program, const Fans& whole, const Part& part)
    : groups(whole.groups), packed(whole.packed) {
  const Cut cut(program, whole, part);
  start.push_back(0);
  for (std::size_t source = 0; source + 1 < whole.start.size(); ++source) {
    for (std::int32_t k = whole.start[source]; k < whole.start[source + 1]; ++k)
      if (const auto own = cut.of(whole.deliveries[k])) deliveries.push_back(*own);
    start.push_back(static_cast<std::int32_t>(deliveries.size()));
  }
  arrange(*this, program);
}

}  // namespace spikeloom
