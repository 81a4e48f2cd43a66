// decay_shift: d = fl(reg / 2^param), with min_step d = sgn(reg) where d = 0; dst = reg - d, or -d where
// negated.
#include "soma/elementwise.hpp"
#include "soma/operations/all.hpp"

namespace spikeloom {
namespace {

enum class Negated { no, yes, wrapped };

template <bool min_step, Negated negated>
struct DecayShift {
  static constexpr int arity = 2;
  template <class L>
  SPIKELOOM_INLINE static L apply(L r, L p, L, L, Scalars scalars) {
    constexpr L most = sizeof(L) * 8 - 1;  // a longer shift of r gives the same
    L d = r >> (p < most ? p : most);
    if constexpr (min_step) d = d == 0 ? L{r > 0} : d;  // fl(r / 2^p) of a negative r is never 0
    if constexpr (negated == Negated::no) return r - d;
    if constexpr (negated == Negated::yes) return -d;
    // shift holds the width: signed where positive
    const auto bits = scalars.shift < 0 ? -scalars.shift : scalars.shift;
    const auto low = static_cast<std::uint32_t>(-d);
    if (scalars.shift < 0) return static_cast<L>(bits == 32 ? low : low & ((1u << bits) - 1));
    return static_cast<std::int32_t>(low << (32 - bits)) >> (32 - bits);
  }
};

Interval halved(const Interval& r, bool min_step) {
  return {r.lo < 0 ? r.lo : 0, r.hi > 0 ? r.hi : (min_step ? 0 : -(r.hi < 0))};
}

}  // namespace

std::unique_ptr<Operation<std::int32_t>> make_decay_shift(Binder<std::int32_t>& binder) {
  const int reg = binder.element("reg"), dst = binder.element("dst");
  const Source value{true, reg}, param = binder.source("param");
  if (!binder.range(param).within({0, 63})) binder.refuse("param", "is not a shift from 0 to 63");
  const bool min_step = binder.has("min_step") && binder.flag("min_step");
  const Interval range = binder.range(value), d = halved(range, min_step), minus_d = subtract({0, 0}, d);
  const bool wrapped = binder.has("negate") && binder.is_text("negate");
  if (wrapped && binder.text("negate") != "wrap") binder.refuse("negate", "must be true, false or wrap");
  const bool negated = !wrapped && binder.has("negate") && binder.flag("negate");
  const auto bind = [&]<Negated how>(Interval exact, Scalars scalars) {
    const bool small = minus_d.within(int32_range);
    if (min_step)
      return elementwise<DecayShift<true, how>>(binder, dst, {value, param}, exact, small, scalars);
    return elementwise<DecayShift<false, how>>(binder, dst, {value, param}, exact, small, scalars);
  };
  if (negated) return bind.template operator()<Negated::yes>(minus_d, {});
  if (!wrapped) return bind.template operator()<Negated::no>(hull(range, {0, 0}), {});
  const RegisterSpec& spec = binder.program().spec.registers[dst];
  const Interval width = spec.is_signed ? Interval{-(std::int64_t{1} << (spec.bits - 1)),
                                                   (std::int64_t{1} << (spec.bits - 1)) - 1}
                                        : Interval{0, (std::int64_t{1} << spec.bits) - 1};
  return bind.template operator()<Negated::wrapped>(width, {spec.is_signed ? spec.bits : -spec.bits, 0});
}

}  // namespace spikeloom
