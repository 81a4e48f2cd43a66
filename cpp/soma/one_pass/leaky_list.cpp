// Finds out whether an operation list is the one of leaky.hpp.
#include <algorithm>
#include <initializer_list>

#include "soma/one_pass/leaky.hpp"

namespace spikeloom {
namespace {

using Reset = LeakyList::Reset;

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
    const Interval leaked = after_leak(of_v());
    list_.narrow =
        fit_16_bits({of_v(), add(leaked, binder_.range(list_.bias)), binder_.range({true, arrived_})});
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
    list_.narrow &= fit_16_bits({of_v(), binder_.range(list_.threshold), binder_.range(list_.value)});
    list_.reset = reset == "subtract" ? Reset::subtract : reset == "none" ? Reset::none : Reset::value;
    return reset_fits();
  }

  static bool fit_16_bits(std::initializer_list<Interval> all) {
    return std::all_of(all.begin(), all.end(), [](const Interval& i) { return i.within(int16_range); });
  }

  // What v - (v >> leak) can be, and 0.
  Interval after_leak(const Interval& v) const {
    const std::int64_t most = list_.leak ? binder_.range(*list_.leak).hi : 63;
    return hull({v.lo - (v.lo >> most), v.hi - (v.hi >> most)}, {0, 0});
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

}  // namespace spikeloom
