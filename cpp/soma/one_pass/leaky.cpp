#include "soma/one_pass/leaky.hpp"

#include <algorithm>
#include <cstring>

#include "base/lanes.hpp"
#include "base/list_set.hpp"

namespace spikeloom {
namespace {

using Reset = LeakyList::Reset;
constexpr int word = 64;   // neurons of one word of `fired`
constexpr int group = 16;  // neurons at a time

template <class Sum, bool leaks, bool at_threshold, Reset reset>
struct Pass {
  using Arguments = typename LeakyPass<Sum>::Arguments;
  using Ints = Lanes<std::int32_t, group>::Vector;

  template <class Vector, class T>
  SPIKELOOM_INLINE static void load(Vector& vector, const T* values) {
    std::memcpy(&vector, values, sizeof(vector));
  }

  SPIKELOOM_INLINE static void arriving(Ints& sum, Sum* sums) {
    typename Lanes<Sum, group>::Vector stored;
    load(stored, sums);
    widen<group, std::int32_t, Sum>(sum, stored);
    std::memset(sums, 0, sizeof(stored));
  }

  // A group of neurons; flags[i]: neuron i fired. `changed` counts down, in each lane.
  SPIKELOOM_INLINE static void some(const Arguments& a, std::uint8_t* flags, Ints& changed) {
    Ints x, other;
    load(x, a.v);
    if constexpr (leaks) {
      load(other, a.leak);
      x -= x >> other;  // 31 at most
    }
    arriving(other, a.sums);
    x += other << a.shift;
    load(other, a.bias);
    x += other;
    Ints held = x < a.lowest ? a.lowest : x;
    held = held > a.highest ? a.highest : held;
    changed += held != x;
    load(other, a.threshold);
    const Ints over = at_threshold ? held >= other : held > other;
    if constexpr (reset == Reset::value) load(other, a.value);
    if constexpr (reset == Reset::subtract) other = held - other;
    if constexpr (reset != Reset::none) held = over ? other : held;
    std::memcpy(a.v, &held, sizeof(held));
    const auto fired = __builtin_convertvector(over & 1, Lanes<std::uint8_t, group>::Vector);
    std::memcpy(flags, &fired, sizeof(fired));
  }

  // The last neurons, fewer than a group, in a group of their own.
  SPIKELOOM_INLINE static void rest(const Arguments& a, int count, std::uint8_t* flags, Ints& changed) {
    std::int32_t v[group] = {}, leak[group] = {}, bias[group] = {}, threshold[group], value[group] = {};
    Sum sums[group] = {};
    std::fill_n(threshold, group, a.highest);
    std::copy_n(a.v, count, v);
    std::copy_n(a.sums, count, sums);
    std::copy_n(a.leak, count, leak);
    std::copy_n(a.bias, count, bias);
    std::copy_n(a.threshold, count, threshold);
    std::copy_n(a.value, count, value);
    some({v, sums, leak, bias, threshold, value, nullptr, nullptr, count, a.shift, a.lowest, a.highest},
         flags, changed);
    std::copy_n(v, count, a.v);
    std::fill_n(a.sums, count, Sum{});
    std::fill_n(flags + count, group - count, std::uint8_t{0});
  }

  SPIKELOOM_INLINE static Arguments from(const Arguments& a, int first) {
    return {a.v + first,         a.sums + first,  a.leak + first, a.bias + first,
            a.threshold + first, a.value + first, nullptr,        nullptr,
            a.count - first,     a.shift,         a.lowest,       a.highest};
  }

  SPIKELOOM_INLINE static std::uint32_t run(const Arguments& arguments) {
    const Arguments a = arguments;  // no store can reach a copy
    Ints changed = {};
    for (int first = 0; first < a.count; first += word) {
      const int end = first + word < a.count ? first + word : a.count;
      int k = first;
      for (; k + group <= end; k += group) some(from(a, k), a.flags + k, changed);
      if (k < end) rest(from(a, k), end - k, a.flags + k, changed);
      a.fired[first / word] = bits_of(a.flags + first);
    }
    std::uint32_t total = 0;
    for (int k = 0; k < group; ++k) total -= static_cast<std::uint32_t>(changed[k]);
    return total;
  }
};

template <class Sum, bool leaks, bool at_threshold>
auto pass(Reset reset, Level level) {
  if (reset == Reset::subtract) return kernel<Pass<Sum, leaks, at_threshold, Reset::subtract>>(level);
  if (reset == Reset::none) return kernel<Pass<Sum, leaks, at_threshold, Reset::none>>(level);
  return kernel<Pass<Sum, leaks, at_threshold, Reset::value>>(level);
}

template <class Sum>
auto pass(const LeakyList& list, Level level) {
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

  std::optional<LeakyList> read() {
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
    if (!binder_.range(*list_.leak).within({0, 31})) return false;
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
  LeakyList list_;
};

}  // namespace

std::optional<LeakyList> leaky_list_of(Binder<std::int32_t>& binder, int arrived) {
  return Reader(binder, arrived).read();
}

template <class Sum>
LeakyPass<Sum>::LeakyPass(const LeakyList& list, int shift, Level level)
    : list_(list), shift_(shift), run_(pass<Sum>(list, level)) {}

template <class Sum>
void LeakyPass<Sum>::run(const Block<std::int32_t>& block, Sum* sums, std::uint64_t* fired,
                         std::uint8_t* flags) const {
  const bool fits = list_.target.rule == Rule::fits;
  const Interval range = fits ? int32_range : list_.target.range;
  const auto load = [&](const Source& source) { return block.load<std::int32_t>(source, 0); };
  const std::uint32_t changed =
      run_({block.reg(list_.v), sums, load(list_.leak.value_or(list_.bias)), load(list_.bias),
            load(list_.threshold), load(list_.value), fired, flags, block.count, shift_,
            static_cast<std::int32_t>(range.lo), static_cast<std::int32_t>(range.hi)});
  block.counters[list_.target.counter] += changed;
}

template class LeakyPass<std::int16_t>;
template class LeakyPass<std::int32_t>;

}  // namespace spikeloom
