// decay_sub: toward zero: r > 0: max(0, r - p), r < 0: min(0, r + p); toward floor0: max(0, r - p). Not where
// enable is 0.
#include "soma/elementwise.hpp"
#include "soma/operations/all.hpp"

namespace spikeloom {
namespace {

struct TowardZero {
  static constexpr int arity = 3;
  template <class L>
  SPIKELOOM_INLINE static L apply(L r, L p, L enable, L, Scalars) {
    const L down = r - p > 0 ? r - p : L{0};
    const L up = r + p < 0 ? r + p : L{0};
    const L moved = r > 0 ? down : r < 0 ? up : r;
    return enable != 0 ? moved : r;
  }
};

struct TowardFloor {
  static constexpr int arity = 3;
  template <class L>
  SPIKELOOM_INLINE static L apply(L r, L p, L enable, L, Scalars) {
    const L down = r - p > 0 ? r - p : L{0};
    return enable != 0 ? down : r;
  }
};

}  // namespace

template <class S>
std::unique_ptr<Operation<S>> make_decay_sub(Binder<S>& binder) {
  const int reg = binder.element("reg");
  const Source value{true, reg}, param = binder.source("param");
  const Source enable = binder.has("enable") ? binder.source("enable") : binder.constant(1);
  const Interval r = binder.range(value), p = binder.range(param);
  const Interval down = subtract(r, p), up = add(r, p);
  const bool small = down.within(int32_range) && up.within(int32_range);
  const std::string toward = binder.text("toward");
  if (toward == "zero") {
    const Interval exact = hull(hull(r, {0, 0}), {up.lo < 0 ? up.lo : 0, down.hi > 0 ? down.hi : 0});
    return elementwise<TowardZero>(binder, reg, {value, param, enable}, exact, small);
  }
  if (toward != "floor0") binder.refuse("toward", "must be zero or floor0");
  const Interval exact = hull(hull(r, {0, 0}), {0, down.hi > 0 ? down.hi : 0});
  return elementwise<TowardFloor>(binder, reg, {value, param, enable}, exact, small);
}

template std::unique_ptr<Operation<std::int32_t>> make_decay_sub(Binder<std::int32_t>&);
template std::unique_ptr<Operation<double>> make_decay_sub(Binder<double>&);

}  // namespace spikeloom
