// alias: after neuron i has fired, n(i + offset) = min(max, n(i + offset) + n(i)); offset = 0 copies nothing.
// `multi_fire` takes the neurons in ascending number and carries it out; one that is still to come starts
// with the n it has got. On its own the entry does nothing.
#include "soma/operations/alias.hpp"

#include "base/error.hpp"
#include "soma/operation.hpp"
#include "soma/operations/all.hpp"

namespace spikeloom {
namespace {

void check_targets(const Program& program, const Param& offsets) {
  const Longs& values = std::get<Longs>(offsets.values);
  for (std::int32_t i = 0; i < program.neurons(); ++i) {
    const std::int64_t target = i + values[offsets.uniform ? 0 : i];
    const std::int32_t core = program.core_of(i);
    const std::int64_t first = program.core_neuron_start[core], end = program.core_neuron_start[core + 1];
    if (target < first || target >= end)
      throw ProgramError(
          "array params." + offsets.name + "[" + std::to_string(i) + "]",
          "copies spikes to a neuron outside core " + std::to_string(core),
          {.value = target, .limit = std::to_string(first) + " to " + std::to_string(end - 1)});
  }
}

}  // namespace

std::optional<Alias> following_alias(Binder<std::int32_t>& binder) {
  const OperationSpec* next = binder.neighbour(1);
  if (next == nullptr || next->op != "alias") return std::nullopt;
  const OperationSpec& current = *binder.neighbour(0);
  binder.begin(*next);
  const Source offset = binder.source("offset");
  if (offset.is_register || offset.index >= static_cast<int>(binder.program().params.size()))
    binder.refuse("offset", "must be a parameter");
  check_targets(binder.program(), binder.program().params[offset.index]);
  const std::int64_t max = binder.integer("max");
  if (max < 1 || max > most_spikes) binder.refuse("max", "must be 1 to 65535");
  binder.begin(current);
  return Alias{offset, static_cast<std::int32_t>(max)};
}

std::unique_ptr<Operation<std::int32_t>> make_alias(Binder<std::int32_t>& binder) {
  const OperationSpec* before = binder.neighbour(-1);
  if (before == nullptr || before->op != "multi_fire") binder.refuse("op", "must follow multi_fire directly");
  if (binder.has("unless")) binder.refuse("unless", "is not defined for a part of multi_fire");
  return nullptr;
}

}  // namespace spikeloom
