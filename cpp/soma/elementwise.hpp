// Operations that compute one result a neuron from up to four operands: most of the list.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <type_traits>

#include "soma/operation.hpp"

namespace spikeloom {

// Integers that a formula takes beside its operands.
struct Scalars {
  std::int32_t shift = 0;
  std::int64_t whole = 0;
};

// Formula::apply(a, b, c, d, scalars) on every neuron. `out` may be the array of an operand.
template <class Lane, class Formula>
struct Map {
  SPIKELOOM_INLINE static void run(Lane* out, const Lane* a, const Lane* b, const Lane* c, const Lane* d,
                                   int count, Scalars scalars) {
    constexpr int arity = Formula::arity;
    SPIKELOOM_INDEPENDENT
    for (int i = 0; i < count; ++i)
      out[i] = Formula::template apply<Lane>(a[i], arity > 1 ? b[i] : Lane{}, arity > 2 ? c[i] : Lane{},
                                             arity > 3 ? d[i] : Lane{}, scalars);
  }
};

template <class Lane>
using MapKernel = void (*)(Lane*, const Lane*, const Lane*, const Lane*, const Lane*, int, Scalars);

// where[i] = unless[i] == 0 (and where[i] before).
struct WhereZero {
  SPIKELOOM_INLINE static void run(std::int32_t* where, const std::int32_t* unless, int count) {
    SPIKELOOM_INDEPENDENT
    for (int i = 0; i < count; ++i) where[i] = unless[i] == 0;
  }
};
struct WhereZeroReal {
  SPIKELOOM_INLINE static void run(std::int32_t* where, const double* unless, int count) {
    for (int i = 0; i < count; ++i) where[i] = unless[i] == 0;
  }
};
template <class S>
using WhereKernel = void (*)(std::int32_t*, const S*, int);
template <class S>
WhereKernel<S> where_kernel(Level level) {
  if constexpr (std::is_same_v<S, double>)
    return kernel<WhereZeroReal>(level);
  else
    return kernel<WhereZero>(level);
}

inline constexpr int out_slot = 8;     // scratch of results
inline constexpr int where_slot = 10;  // scratch of the mask

template <class S, class Lane>
class Elementwise final : public Operation<S> {
 public:
  MapKernel<Lane> map;
  std::array<Source, 4> sources;
  int arity;
  Scalars scalars;
  Target target;
  std::optional<Source> unless;
  WhereKernel<S> find_where = nullptr;

  void run(const Block<S>& block) const override {
    const Lane* in[4] = {};
    for (int k = 0; k < arity; ++k) in[k] = block.template load<Lane>(sources[k], k);
    if constexpr (std::is_same_v<S, Lane>) {
      if (target.rule == Rule::fits && !unless) {
        map(block.reg(target.element), in[0], in[1], in[2], in[3], block.count, scalars);
        return;
      }
    }
    Lane* out = block.scratch->template as<Lane>(out_slot);
    map(out, in[0], in[1], in[2], in[3], block.count, scalars);
    std::int32_t* where = nullptr;
    if (unless) {
      where = block.scratch->template as<std::int32_t>(where_slot);
      find_where(where, block.template load<S>(*unless, 0), block.count);
    }
    block.commit(target, static_cast<const Lane*>(out), where);
  }
};

template <class S>
bool narrow(Binder<S>& binder, std::initializer_list<Source> sources) {
  for (const Source& source : sources)
    if (!binder.range(source).within(int32_range)) return false;
  return true;
}

template <class S, class Lane, class Formula>
std::unique_ptr<Operation<S>> elementwise_in(Binder<S>& binder, std::initializer_list<Source> sources,
                                             Target target, Scalars scalars) {
  auto operation = std::make_unique<Elementwise<S, Lane>>();
  operation->map = kernel<Map<Lane, Formula>>(binder.level());
  std::copy(sources.begin(), sources.end(), operation->sources.begin());
  operation->arity = Formula::arity;
  operation->scalars = scalars;
  operation->target = target;
  operation->unless = binder.unless();
  operation->find_where = where_kernel<S>(binder.level());
  return operation;
}

// Binds Formula to the narrowest lane: int32 where `fits32` and all operands fit it, int64, or double.
// `exact` bounds the result.
template <class Formula, class S>
std::unique_ptr<Operation<S>> elementwise(Binder<S>& binder, int element,
                                          std::initializer_list<Source> sources, Interval exact, bool fits32,
                                          Scalars scalars = {}) {
  const bool small = fits32 && narrow(binder, sources) && exact.within(int32_range);
  const Target target = binder.write(element, exact, binder.has("unless"));
  if constexpr (std::is_same_v<S, double>)
    return elementwise_in<S, double, Formula>(binder, sources, target, scalars);
  else if (small)
    return elementwise_in<S, std::int32_t, Formula>(binder, sources, target, scalars);
  else
    return elementwise_in<S, std::int64_t, Formula>(binder, sources, target, scalars);
}

}  // namespace spikeloom
