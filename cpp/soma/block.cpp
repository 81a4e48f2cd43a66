#include "soma/block.hpp"

namespace spikeloom {
namespace {

template <class Lane>
[[noreturn]] void throw_trapped(const Block<std::int32_t>& block, const Target& target, const Lane* value,
                                const std::int32_t* where) {
  for (int i = 0; i < block.count; ++i) {
    if (where != nullptr && where[i] == 0) continue;
    bool acted = false, trapped = false;
    through_rule(target, value[i], acted, trapped);
    if (trapped) throw Trapped{block.first + i, target.element, value[i]};
  }
  throw Trapped{block.first, target.element, 0};  // not reached: a kernel counted one
}

template <class Lane>
CommitKernel<std::int32_t, Lane> find(const RuleKernels<std::int32_t>& rules, const Target& target,
                                      bool masked) {
  const bool unsigned_wrap = target.rule == Rule::wrap && !target.is_signed;
  if constexpr (sizeof(Lane) == 4)
    return unsigned_wrap ? rules.narrow_unsigned_wrap[masked]
                         : rules.narrow[static_cast<int>(target.rule)][masked];
  else
    return unsigned_wrap ? rules.wide_unsigned_wrap[masked]
                         : rules.wide[static_cast<int>(target.rule)][masked];
}

template <class Lane>
void commit_digital(const Block<std::int32_t>& block, const Target& target, const Lane* value,
                    const std::int32_t* where) {
  const auto write = find<Lane>(*block.rules, target, where != nullptr);
  const Acted acted = write(block.reg(target.element), value, where, block.count, target.bits,
                            target.range.lo, target.range.hi);
  if (acted.trapped != 0) throw_trapped(block, target, value, where);
  if (target.counter >= 0) block.counters[target.counter] += acted.changed;
}

}  // namespace

template <>
template <>
const std::int32_t* Block<std::int32_t>::load<std::int32_t>(const Source& source, int) const {
  if (source.is_register) return reg(source.index);
  const Entry<std::int32_t>& entry = entries[source.index];
  return entry.values + (entry.per_neuron ? first : 0);
}

template <>
template <>
const std::int64_t* Block<std::int32_t>::load<std::int64_t>(const Source& source, int slot) const {
  const Entry<std::int32_t>* entry = source.is_register ? nullptr : &entries[source.index];
  if (entry != nullptr && entry->wide != nullptr) return entry->wide + (entry->per_neuron ? first : 0);
  std::int64_t* lanes = scratch->as<std::int64_t>(slot);
  rules->widen(lanes, load<std::int32_t>(source, slot), count);
  return lanes;
}

template <>
template <>
const double* Block<double>::load<double>(const Source& source, int) const {
  if (source.is_register) return reg(source.index);
  const Entry<double>& entry = entries[source.index];
  return entry.values + (entry.per_neuron ? first : 0);
}

template <>
template <>
void Block<std::int32_t>::commit<std::int32_t>(const Target& target, const std::int32_t* value,
                                               const std::int32_t* where) const {
  commit_digital(*this, target, value, where);
}

template <>
template <>
void Block<std::int32_t>::commit<std::int64_t>(const Target& target, const std::int64_t* value,
                                               const std::int32_t* where) const {
  commit_digital(*this, target, value, where);
}

template <>
template <>
void Block<double>::commit<double>(const Target& target, const double* value,
                                   const std::int32_t* where) const {
  rules->plain[where != nullptr](reg(target.element), value, where, count, 0, 0, 0);
}

}  // namespace spikeloom
