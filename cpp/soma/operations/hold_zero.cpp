// hold_zero: reg = 0 where counter > 0.
#include "soma/elementwise.hpp"
#include "soma/operations/all.hpp"

namespace spikeloom {
namespace {

struct ZeroWhileCounting {
  static constexpr int arity = 2;
  template <class L>
  SPIKELOOM_INLINE static L apply(L r, L counter, L, L, Scalars) {
    return counter > 0 ? L{0} : r;
  }
};

}  // namespace

template <class S>
std::unique_ptr<Operation<S>> make_hold_zero(Binder<S>& binder) {
  const int reg = binder.element("reg");
  const Source value{true, reg}, counter{true, binder.element("counter")};
  return elementwise<ZeroWhileCounting>(binder, reg, {value, counter}, hull(binder.range(value), {0, 0}),
                                        true);
}

template std::unique_ptr<Operation<std::int32_t>> make_hold_zero(Binder<std::int32_t>&);
template std::unique_ptr<Operation<double>> make_hold_zero(Binder<double>&);

}  // namespace spikeloom
