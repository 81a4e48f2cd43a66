// clear: reg = 0 where flag is not 0.
#include "soma/elementwise.hpp"
#include "soma/operations/all.hpp"

namespace spikeloom {
namespace {

struct ZeroWhere {
  static constexpr int arity = 2;
  template <class L>
  SPIKELOOM_INLINE static L apply(L r, L flag, L, L, Scalars) {
    return flag != 0 ? L{0} : r;
  }
};

}  // namespace

template <class S>
std::unique_ptr<Operation<S>> make_clear(Binder<S>& binder) {
  const int reg = binder.element("reg");
  const Source value{true, reg};
  const Source flag = binder.has("flag") ? binder.source("flag") : binder.constant(1);
  return elementwise<ZeroWhere>(binder, reg, {value, flag}, hull(binder.range(value), {0, 0}), true);
}

template std::unique_ptr<Operation<std::int32_t>> make_clear(Binder<std::int32_t>&);
template std::unique_ptr<Operation<double>> make_clear(Binder<double>&);

}  // namespace spikeloom
