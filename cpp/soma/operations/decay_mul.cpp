// decay_mul: reg = round(reg * k / 2^shift), k = 2^shift - offset - param, 0 <= k <= 2^shift.
//
// In 32-bit lanes, for shift <= 15, with x = h 2^s + l and 0 <= l < 2^s:  fl(x k / 2^s) = h k + fl(l k /
// 2^s), whose parts all fit 32 bits. In 64-bit lanes the product itself fits.
#include "soma/elementwise.hpp"
#include "soma/operations/all.hpp"

namespace spikeloom {
namespace {

constexpr std::int32_t widest_split = 15;

// fl((x k + add) / 2^s), 0 <= add < 2^s.
template <class L>
SPIKELOOM_INLINE L scaled_floor(L x, L k, std::int32_t s, L add) {
  if constexpr (sizeof(L) == 4)
    return (x >> s) * k + (((x & ((1 << s) - 1)) * k + add) >> s);
  else
    return (x * k + add) >> s;
}

struct Trunc {
  static constexpr int arity = 2;
  template <class L>
  SPIKELOOM_INLINE static L apply(L r, L p, L, L, Scalars scalars) {
    const L k = static_cast<L>(scalars.whole) - p;
    // Toward zero: the floor, plus 1 where a negative product is not whole.
    return scaled_floor<L>(r, k, scalars.shift, r < 0 ? (L{1} << scalars.shift) - 1 : L{0});
  }
};

struct Floor {
  static constexpr int arity = 2;
  template <class L>
  SPIKELOOM_INLINE static L apply(L r, L p, L, L, Scalars scalars) {
    return scaled_floor<L>(r, static_cast<L>(scalars.whole) - p, scalars.shift, L{0});
  }
};

struct Nearest {
  static constexpr int arity = 2;
  template <class L>
  SPIKELOOM_INLINE static L apply(L r, L p, L, L, Scalars scalars) {
    return scaled_floor<L>(r, static_cast<L>(scalars.whole) - p, scalars.shift, L{1} << (scalars.shift - 1));
  }
};

struct Zero {
  static constexpr int arity = 1;
  template <class L>
  SPIKELOOM_INLINE static L apply(L, L, L, L, Scalars) {
    return 0;
  }
};

// |result| <= |reg|, and the sign stays; rounding to nearest can move a negative half up, never past these.
Interval decayed(const Interval& reg) {
  return hull(reg, {0, 0});
}

}  // namespace

std::unique_ptr<Operation<std::int32_t>> make_decay_mul(Binder<std::int32_t>& binder) {
  const std::int64_t shift = binder.integer("shift");
  if (shift < 1 || shift > 24) binder.refuse("shift", "must be 1 to 24");
  const std::int64_t one = std::int64_t{1} << shift;
  const std::int64_t offset = binder.has("offset") ? binder.integer("offset") : 0;
  if (offset < -one || offset > one) binder.refuse("offset", "leaves no factor between 0 and 2^shift");
  const int reg = binder.element("reg");
  const Source value{true, reg}, param = binder.source("param");
  const Interval factor = subtract({one - offset, one - offset}, binder.range(param));
  if (!factor.within({0, one})) binder.refuse("param", "gives a factor that is not between 0 and 2^shift");
  const Scalars scalars{static_cast<std::int32_t>(shift), one - offset};
  const Interval exact = decayed(binder.range(value));
  const bool split = shift <= widest_split;
  const std::string round = binder.text("round");
  if (round != "trunc" && round != "floor" && round != "nearest")
    binder.refuse("round", "must be trunc, floor or nearest");
  // Factors 1 and 0 are common, and exact in every rounding.
  const bool in_range = binder.program().spec.registers[reg].rule != Rule::wrap_lava24;
  if (factor == Interval{one, one} && in_range) return nullptr;
  if (factor == Interval{0, 0}) return elementwise<Zero>(binder, reg, {value}, {0, 0}, true);
  if (round == "trunc") return elementwise<Trunc>(binder, reg, {value, param}, exact, split, scalars);
  if (round == "floor") return elementwise<Floor>(binder, reg, {value, param}, exact, split, scalars);
  return elementwise<Nearest>(binder, reg, {value, param}, exact, split, scalars);
}

}  // namespace spikeloom
