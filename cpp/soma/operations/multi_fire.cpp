// multi_fire: while reg >= thr and n < max: n += 1, reg = reg - thr through the rule, or wrapped to the
// width. n starts at what aliases gave the neuron before its turn.
//
// With thr > 0 every difference is between 0 and reg, so it fits and n is one division. Otherwise the loop is
// run as it is written.
#include <algorithm>

#include "soma/elementwise.hpp"
#include "soma/operations/alias.hpp"
#include "soma/operations/all.hpp"

namespace spikeloom {
namespace {

class MultiFireDigital final : public Operation<std::int32_t> {
 public:
  Source reg, thr, max;
  std::optional<Source> unless;
  Target target;  // with its own rule, even where one difference is proven to fit
  std::optional<Alias> alias;

  void run(const Block<std::int32_t>& block) const override {
    std::int32_t* r = block.reg(reg.index);
    const std::int64_t* threshold = block.load<std::int64_t>(thr, 0);
    const std::int64_t* limit = block.load<std::int64_t>(max, 1);
    const std::int32_t* stop = unless ? block.load<std::int32_t>(*unless, 2) : nullptr;
    const std::int32_t* offsets = alias ? block.load<std::int32_t>(alias->offset, 3) : nullptr;
    for (int i = 0; i < block.count; ++i) {
      const std::int64_t left = limit[i] - block.spikes[i];
      if (r[i] >= threshold[i] && left > 0 && (stop == nullptr || stop[i] == 0))
        block.spikes[i] += threshold[i] > 0 ? divided(r[i], threshold[i], left)
                                            : repeated(block, i, r[i], threshold[i], left);
      if (alias) alias->copy(block, offsets, i);
    }
  }

 private:
  static std::int32_t divided(std::int32_t& r, std::int64_t threshold, std::int64_t limit) {
    const std::int64_t n = std::min(limit, r / threshold);
    r = static_cast<std::int32_t>(r - n * threshold);
    return static_cast<std::int32_t>(n);
  }

  std::int32_t repeated(const Block<std::int32_t>& block, int i, std::int32_t& r, std::int64_t threshold,
                        std::int64_t limit) const {
    std::int64_t n = 0;
    for (; r >= threshold && n < limit; ++n) {
      bool acted = false, trapped = false;
      const std::int64_t exact = r - threshold;
      r = through_rule(target, exact, acted, trapped);
      if (trapped) throw Trapped{block.first + i, target.element, exact};
      if (target.counter >= 0) block.counters[target.counter] += acted;
    }
    return static_cast<std::int32_t>(n);
  }
};

class MultiFireAnalog final : public Operation<double> {
 public:
  Source reg, thr, max;
  std::optional<Source> unless;

  void run(const Block<double>& block) const override {
    double* r = block.reg(reg.index);
    const double* threshold = block.load<double>(thr, 0);
    const double* limit = block.load<double>(max, 1);
    const double* stop = unless ? block.load<double>(*unless, 2) : nullptr;
    for (int i = 0; i < block.count; ++i) {
      if (stop != nullptr && stop[i] != 0) continue;
      const double most = std::min(limit[i], static_cast<double>(most_spikes));
      std::int32_t n = 0;
      for (; r[i] >= threshold[i] && n < most; ++n) r[i] = r[i] - threshold[i];
      block.spikes[i] = n;
    }
  }
};

}  // namespace

template <>
std::unique_ptr<Operation<std::int32_t>> make_multi_fire(Binder<std::int32_t>& binder) {
  auto operation = std::make_unique<MultiFireDigital>();
  operation->reg = {true, binder.element("reg")};
  operation->thr = binder.source("thr");
  operation->max = binder.source("max");
  operation->unless = binder.unless();
  if (binder.range(operation->max).hi > most_spikes)
    binder.refuse("max", "may be more than 65535 spikes in a tick");
  const Interval r = binder.range(operation->reg), step = binder.range(operation->thr);
  const Interval whole = register_ranges(binder.program())[operation->reg.index];
  // thr <= 0 lets the register climb; its full range then goes through the rule.
  const Interval exact = step.lo > 0 ? hull(r, {0, 0}) : subtract(whole, step);
  const bool wraps = binder.has("reset") && binder.text("reset") == "wrap";
  operation->target = binder.write(operation->reg.index, wraps && step.lo <= 0 ? whole : exact, true);
  if (wraps && step.lo <= 0) {  // the width of the register, and no rule that could count
    operation->target.rule = Rule::wrap;
    operation->target.counter = -1;
  }
  operation->alias = following_alias(binder);
  return operation;
}

template <>
std::unique_ptr<Operation<double>> make_multi_fire(Binder<double>& binder) {
  auto operation = std::make_unique<MultiFireAnalog>();
  operation->reg = {true, binder.element("reg")};
  operation->thr = binder.source("thr");
  operation->max = binder.source("max");
  operation->unless = binder.unless();
  return operation;
}

}  // namespace spikeloom
