// count_down: reg = max(reg - 1, 0).
#include <algorithm>

#include "soma/elementwise.hpp"
#include "soma/operations/all.hpp"

namespace spikeloom {
namespace {

struct OneLess {
  static constexpr int arity = 1;
  template <class L>
  SPIKELOOM_INLINE static L apply(L r, L, L, L, Scalars) {
    return r > 1 ? r - 1 : L{0};
  }
};

}  // namespace

template <class S>
std::unique_ptr<Operation<S>> make_count_down(Binder<S>& binder) {
  const int reg = binder.element("reg");
  const Source value{true, reg};
  const Interval r = binder.range(value);
  const Interval exact{std::max<std::int64_t>(r.lo - 1, 0), std::max<std::int64_t>(r.hi - 1, 0)};
  return elementwise<OneLess>(binder, reg, {value}, exact, true);
}

template std::unique_ptr<Operation<std::int32_t>> make_count_down(Binder<std::int32_t>&);
template std::unique_ptr<Operation<double>> make_count_down(Binder<double>&);

}  // namespace spikeloom
