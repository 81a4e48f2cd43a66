// leak_signed: w = 1 where eps = 0, else sgn(reg); r' = reg + w lambda; 0 where eps, guard and the sign
// turned.
#include "soma/elementwise.hpp"
#include "soma/operations/all.hpp"

namespace spikeloom {
namespace {

template <bool guard>
struct LeakSigned {
  static constexpr int arity = 3;
  template <class L>
  SPIKELOOM_INLINE static L apply(L r, L lambda, L eps, L, Scalars) {
    const L along = r > 0 ? r + lambda : r < 0 ? r - lambda : r;
    const L leaked = eps != 0 ? along : r + lambda;
    if constexpr (!guard) return leaked;
    const bool turned = (r > 0 && leaked < 0) || (r < 0 && leaked > 0);
    return eps != 0 && turned ? L{0} : leaked;
  }
};

}  // namespace

template <class S>
std::unique_ptr<Operation<S>> make_leak_signed(Binder<S>& binder) {
  const int reg = binder.element("reg");
  const Source value{true, reg}, lambda = binder.source("lambda"), eps = binder.source("eps");
  const Interval r = binder.range(value), step = binder.range(lambda);
  const Interval exact = hull(hull(add(r, step), subtract(r, step)), hull(r, {0, 0}));
  const bool small = exact.within(int32_range);
  if (!binder.has("guard") || binder.flag("guard"))
    return elementwise<LeakSigned<true>>(binder, reg, {value, lambda, eps}, exact, small);
  return elementwise<LeakSigned<false>>(binder, reg, {value, lambda, eps}, exact, small);
}

template std::unique_ptr<Operation<std::int32_t>> make_leak_signed(Binder<std::int32_t>&);
template std::unique_ptr<Operation<double>> make_leak_signed(Binder<double>&);

}  // namespace spikeloom
