// exp_drive: dst = slope exp(min((v - vt) / slope, max)).
#include "soma/operations/all.hpp"
#include "soma/real.hpp"

namespace spikeloom {
namespace {

struct Drive {
  static constexpr int arity = 4;
  template <class L>
  SPIKELOOM_INLINE static L apply(L v, L vt, L slope, L max, Scalars) {
    const L x = (v - vt) / slope;
    return slope * exp_of(x < max ? x : max);
  }
};

}  // namespace

std::unique_ptr<Operation<double>> make_exp_drive(Binder<double>& binder) {
  return elementwise<Drive>(
      binder, binder.element("dst"),
      {binder.source("v"), binder.source("vt"), binder.source("slope"), binder.source("max")}, {}, false);
}

}  // namespace spikeloom
