#include "soma/one_pass.hpp"

#include <cstring>

#include "base/list_set.hpp"

namespace spikeloom {
namespace {

using Reset = OnePassList::Reset;
constexpr int word = 64;  // neurons of one word of `fired`

template <class Sum, bool leaks, bool at_threshold, Reset reset>
struct Pass {
  // `count` neurons from `first` on, a word at most; bit i: neuron first + i fired.
  SPIKELOOM_INLINE static std::uint64_t some(const typename OnePass<Sum>::Arguments& a, int first, int count,
                                             std::uint32_t& changed) {
    alignas(64) std::uint8_t flags[word];
    if (count < word) std::memset(flags, 0, sizeof(flags));
    std::int32_t* const v = a.v + first;
    Sum* const sums = a.sums + first;
    const std::int32_t *const leak = a.leak + first, *const bias = a.bias + first,
                              *const threshold = a.threshold + first, *const value = a.value + first;
    std::uint32_t cut = 0;
    SPIKELOOM_INDEPENDENT
    for (int i = 0; i < count; ++i) {
      std::int32_t x = v[i];
      if constexpr (leaks) x -= x >> (leak[i] < 31 ? leak[i] : 31);
      x = x + (static_cast<std::int32_t>(sums[i]) << a.shift) + bias[i];
      const std::int32_t held = x < a.lowest ? a.lowest : x > a.highest ? a.highest : x;
      cut += held != x;
      const bool over = at_threshold ? held >= threshold[i] : held > threshold[i];
      if constexpr (reset == Reset::value) v[i] = over ? value[i] : held;
      if constexpr (reset == Reset::subtract) v[i] = over ? held - threshold[i] : held;
      if constexpr (reset == Reset::none) v[i] = held;
      flags[i] = over;
      sums[i] = 0;
    }
    changed += cut;
    return bits_of(flags);
  }

  SPIKELOOM_INLINE static std::uint32_t run(const typename OnePass<Sum>::Arguments& arguments) {
    const typename OnePass<Sum>::Arguments a = arguments;  // no store can reach a copy
    std::uint32_t changed = 0;
    int first = 0;
    for (; first + word <= a.count; first += word) a.fired[first / word] = some(a, first, word, changed);
    if (first < a.count) a.fired[first / word] = some(a, first, a.count - first, changed);
    return changed;
  }
};

template <class Sum, bool leaks, bool at_threshold>
auto pass(Reset reset, Level level) {
  if (reset == Reset::subtract) return kernel<Pass<Sum, leaks, at_threshold, Reset::subtract>>(level);
  if (reset == Reset::none) return kernel<Pass<Sum, leaks, at_threshold, Reset::none>>(level);
  return kernel<Pass<Sum, leaks, at_threshold, Reset::value>>(level);
}

template <class Sum>
auto pass(const OnePassList& list, Level level) {
  if (list.leak)
    return list.at_threshold ? pass<Sum, true, true>(list.reset, level)
                             : pass<Sum, true, false>(list.reset, level);
  return list.at_threshold ? pass<Sum, false, true>(list.reset, level)
                           : pass<Sum, false, false>(list.reset, level);
}

// Reads the list entry by entry, and moves the intervals along as its operations do.
class Reader {
 public:
  Reader(Binder<std::int32_t>& binder, int arrived) : binder_(binder), arrived_(arrived) {}

  std::optional<OnePassList> read() {
    const auto& operations = binder_.program().spec.operations;
    auto next = operations.begin();
    list_.bias = list_.value = binder_.constant(0);
    const bool leaks = operations.size() == 3 && next->op == "decay_shift";
    if (operations.size() != (leaks ? 3 : 2)) return std::nullopt;
    if ((leaks && !read_leak(*next++)) || !read_sum(*next++) || !read_fire(*next)) return std::nullopt;
    return list_;
  }

 private:
  bool begin(const OperationSpec& operation, const char* op) {
    if (operation.op != op) return false;
    binder_.begin(operation);
    return !binder_.has("unless");
  }

  // A parameter or a constant of 32 bits.
  bool is_plain(const Source& source) const {
    return !source.is_register && binder_.range(source).within(int32_range);
  }

  Interval of_v() const { return binder_.range({true, list_.v}); }

  bool read_leak(const OperationSpec& operation) {
    if (!begin(operation, "decay_shift")) return false;
    list_.v = binder_.element("reg");
    list_.leak = binder_.source("param");
    const bool other = (binder_.has("min_step") && binder_.flag("min_step")) ||
                       (binder_.has("negate") && (binder_.is_text("negate") || binder_.flag("negate")));
    if (other || binder_.element("dst") != list_.v || !is_plain(*list_.leak)) return false;
    return binder_.write(list_.v, hull(of_v(), {0, 0}), false).rule == Rule::fits;
  }

  // v = v + arrived (+ bias), in any order: no partial sum leaves the lane in the pass's order.
  bool read_sum(const OperationSpec& operation) {
    if (!begin(operation, "sum")) return false;
    const int dst = binder_.element("dst");
    if (list_.leak && dst != list_.v) return false;
    list_.v = dst;
    int found_v = 0, found_arrived = 0, found_bias = 0;
    for (const Operand& operand : binder_.operands("terms")) {
      const auto* name = std::get_if<std::string>(&operand);
      if (name != nullptr && (name->starts_with('-') || name->ends_with("[*]"))) return false;
      const Source term = binder_.source(operand, "terms");
      if (term.is_register && term.index == dst) {
        ++found_v;
      } else if (term.is_register && term.index == arrived_) {
        ++found_arrived;
      } else {
        list_.bias = term;
        ++found_bias;
      }
    }
    if (dst == arrived_ || found_v != 1 || found_arrived != 1 || found_bias > 1 || !is_plain(list_.bias))
      return false;
    const Interval partial = add(of_v(), binder_.range({true, arrived_}));
    const Interval total = add(partial, binder_.range(list_.bias));
    list_.target = binder_.write(dst, total, false);
    return partial.within(int32_range) && total.within(int32_range) &&
           (list_.target.rule == Rule::fits || list_.target.rule == Rule::saturate);
  }

  bool read_fire(const OperationSpec& operation) {
    if (!begin(operation, "fire") || binder_.element("reg") != list_.v || !binder_.pairs("start").empty())
      return false;
    if (binder_.has("gate") && !binder_.all_zero(binder_.source("gate"))) return false;
    const std::string cmp = binder_.text("cmp"), reset = binder_.text("reset");
    list_.threshold = binder_.source("thr");
    list_.at_threshold = cmp == "ge";
    if (cmp == "ge_nonneg" || !is_plain(list_.threshold)) return false;
    if (reset == "value") list_.value = binder_.source("value");
    if (!is_plain(list_.value)) return false;
    list_.reset = reset == "subtract" ? Reset::subtract : reset == "none" ? Reset::none : Reset::value;
    return reset_fits();
  }

  // The difference is computed for every neuron, and kept for those that fired.
  bool reset_fits() {
    if (list_.reset == Reset::none) return true;
    const Interval difference = subtract(of_v(), binder_.range(list_.threshold));
    const bool subtracts = list_.reset == Reset::subtract;
    if (subtracts && !difference.within(int32_range)) return false;
    const Interval exact =
        subtracts ? Interval{0, std::max<std::int64_t>(difference.hi, 0)} : binder_.range(list_.value);
    return binder_.write(list_.v, exact, true).rule == Rule::fits;
  }

  Binder<std::int32_t>& binder_;
  int arrived_;
  OnePassList list_;
};

}  // namespace

std::optional<OnePassList> one_pass_list(Binder<std::int32_t>& binder, int arrived) {
  return Reader(binder, arrived).read();
}

template <class Sum>
OnePass<Sum>::OnePass(const OnePassList& list, int shift, Level level)
    : list_(list), shift_(shift), run_(pass<Sum>(list, level)) {}

template <class Sum>
void OnePass<Sum>::run(const Block<std::int32_t>& block, Sum* sums, std::uint64_t* fired) const {
  const bool fits = list_.target.rule == Rule::fits;
  const Interval range = fits ? int32_range : list_.target.range;
  const auto load = [&](const Source& source) { return block.load<std::int32_t>(source, 0); };
  const std::uint32_t changed =
      run_({block.reg(list_.v), sums, load(list_.leak.value_or(list_.bias)), load(list_.bias),
            load(list_.threshold), load(list_.value), fired, block.count, shift_,
            static_cast<std::int32_t>(range.lo), static_cast<std::int32_t>(range.hi)});
  block.counters[list_.target.counter] += changed;
}

template class OnePass<std::int16_t>;
template class OnePass<std::int32_t>;

}  // namespace spikeloom
