// clip: reg = min(max(reg, min), max); either bound may be absent.
#include <algorithm>

#include "soma/elementwise.hpp"
#include "soma/operations/all.hpp"

namespace spikeloom {
namespace {

struct Max {
  static constexpr int arity = 2;
  template <class L>
  SPIKELOOM_INLINE static L apply(L r, L lo, L, L, Scalars) {
    return r < lo ? lo : r;
  }
};

struct Min {
  static constexpr int arity = 2;
  template <class L>
  SPIKELOOM_INLINE static L apply(L r, L hi, L, L, Scalars) {
    return r > hi ? hi : r;
  }
};

struct Both {
  static constexpr int arity = 3;
  template <class L>
  SPIKELOOM_INLINE static L apply(L r, L lo, L hi, L, Scalars) {
    const L raised = r < lo ? lo : r;
    return raised > hi ? hi : raised;
  }
};

Interval raised(const Interval& r, const Interval& lo) {
  return {std::max(r.lo, lo.lo), std::max(r.hi, lo.hi)};
}
Interval lowered(const Interval& r, const Interval& hi) {
  return {std::min(r.lo, hi.lo), std::min(r.hi, hi.hi)};
}

}  // namespace

template <class S>
std::unique_ptr<Operation<S>> make_clip(Binder<S>& binder) {
  const int reg = binder.element("reg");
  const Source value{true, reg};
  Interval exact = binder.range(value);
  if (!binder.has("min") && !binder.has("max")) return nullptr;
  if (!binder.has("max")) {
    const Source lo = binder.source("min");
    return elementwise<Max>(binder, reg, {value, lo}, raised(exact, binder.range(lo)), true);
  }
  const Source hi = binder.source("max");
  if (!binder.has("min"))
    return elementwise<Min>(binder, reg, {value, hi}, lowered(exact, binder.range(hi)), true);
  const Source lo = binder.source("min");
  exact = lowered(raised(exact, binder.range(lo)), binder.range(hi));
  return elementwise<Both>(binder, reg, {value, lo, hi}, exact, true);
}

template std::unique_ptr<Operation<std::int32_t>> make_clip(Binder<std::int32_t>&);
template std::unique_ptr<Operation<double>> make_clip(Binder<double>&);

}  // namespace spikeloom
