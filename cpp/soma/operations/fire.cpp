// fire: where reg cmp thr: n = 1 (0 where gate is not 0), then reset reg, then start each counter in its
// order.
#include <algorithm>

#include "soma/elementwise.hpp"
#include "soma/operations/all.hpp"

namespace spikeloom {
namespace {

enum class Compare { gt, ge, ge_nonneg };

// fired[i] = 1 where reg cmp thr; the number of them.
template <class Lane, Compare cmp>
struct Crossing {
  SPIKELOOM_INLINE static std::int32_t run(std::int32_t* fired, const Lane* r, const Lane* thr, int count) {
    std::int32_t total = 0;
    SPIKELOOM_INDEPENDENT
    for (int i = 0; i < count; ++i) {
      const bool over =
          cmp == Compare::gt ? r[i] > thr[i] : r[i] >= thr[i] && (cmp == Compare::ge || r[i] >= 0);
      fired[i] = over;
      total += over;
    }
    return total;
  }
};

// mask[i] = 0 where stop[i] is not 0.
template <class S>
struct Stop {
  SPIKELOOM_INLINE static void run(std::int32_t* mask, const S* stop, int count) {
    SPIKELOOM_INDEPENDENT
    for (int i = 0; i < count; ++i) mask[i] = stop[i] == 0 ? mask[i] : 0;
  }
};

struct Minus {
  static constexpr int arity = 2;
  template <class L>
  SPIKELOOM_INLINE static L apply(L r, L thr, L, L, Scalars) {
    return r - thr;
  }
};

template <class Lane>
using CrossingKernel = std::int32_t (*)(std::int32_t*, const Lane*, const Lane*, int);

template <class Lane>
CrossingKernel<Lane> crossing(const std::string& cmp, Level level) {
  if (cmp == "gt") return kernel<Crossing<Lane, Compare::gt>>(level);
  if (cmp == "ge") return kernel<Crossing<Lane, Compare::ge>>(level);
  return kernel<Crossing<Lane, Compare::ge_nonneg>>(level);
}

template <class S, class Lane>
class Fire final : public Operation<S> {
 public:
  // A write of `source` (with `minus`: of reg - source) into a register of the neurons that fired.
  struct Write {
    Source source;
    bool minus;
    Target target;
  };
  CrossingKernel<Lane> cross;
  void (*stop)(std::int32_t*, const S*, int);
  MapKernel<Lane> subtract;
  Source reg, thr;
  std::optional<Source> unless, gate;
  std::vector<Write> writes;

  void run(const Block<S>& block) const override {
    std::int32_t* fired = gate ? block.scratch->template as<std::int32_t>(where_slot) : block.spikes;
    const Lane* r = block.template load<Lane>(reg, 0);
    const Lane* threshold = block.template load<Lane>(thr, 1);
    if (cross(fired, r, threshold, block.count) == 0) return;
    if (unless) stop(fired, block.template load<S>(*unless, 0), block.count);
    if (gate) {
      std::copy(fired, fired + block.count, block.spikes);
      stop_where(block);
    }
    write_all(block, fired);
  }

 private:
  void stop_where(const Block<S>& block) const {
    if constexpr (std::is_same_v<S, Lane>) {
      stop(block.spikes, block.template load<S>(*gate, 2), block.count);
    } else {
      const Lane* closed = block.template load<Lane>(*gate, 2);
      for (int i = 0; i < block.count; ++i) block.spikes[i] = closed[i] == 0 ? block.spikes[i] : 0;
    }
  }

  void write_all(const Block<S>& block, const std::int32_t* fired) const {
    for (const Write& write : writes) {
      const Lane* value = block.template load<Lane>(write.source, 2);
      if (write.minus) {
        Lane* difference = block.scratch->template as<Lane>(out_slot);
        subtract(difference, block.template load<Lane>(reg, 0), value, nullptr, nullptr, block.count, {});
        value = difference;
      }
      block.commit(write.target, value, fired);
    }
  }
};

template <class S>
struct Bound {
  Source reg, thr, value, gate;
  std::string reset;
  std::vector<std::pair<int, Source>> starts;
};

template <class S>
Bound<S> read_fields(Binder<S>& binder) {
  const Source zero = binder.constant(0);
  Bound<S> bound{{true, binder.element("reg")},
                 binder.source("thr"),
                 binder.has("value") ? binder.source("value") : zero,
                 binder.has("gate") ? binder.source("gate") : zero,
                 binder.text("reset"),
                 {}};
  if (bound.reset == "zero") bound.value = zero;
  for (const auto& [counter, operand] : binder.pairs("start"))
    bound.starts.emplace_back(binder.element_named(counter, "start"), binder.source(operand, "start"));
  for (const char* known : {"zero", "value", "subtract", "none"})
    if (bound.reset == known) return bound;
  binder.refuse("reset", "must be zero, value, subtract or none");
}

template <class S>
bool fits_narrow(Binder<S>& binder, const Bound<S>& bound) {
  bool small = narrow(binder, {bound.reg, bound.thr, bound.value, bound.gate});
  for (const auto& [counter, source] : bound.starts) small = small && narrow(binder, {source});
  if (bound.reset == "subtract")
    small = small && subtract(binder.range(bound.reg), binder.range(bound.thr)).within(int32_range);
  return small;
}

bool is_constant_zero(const auto& binder, const Source& source) {
  return !source.is_register && binder.uniform(source) && binder.range(source) == Interval{0, 0};
}

// Of a neuron that fired: reg is above (or at) thr, so reg - thr is not negative.
template <class S>
Interval remainder(Binder<S>& binder, const Bound<S>& bound) {
  Interval exact = subtract(binder.range(bound.reg), binder.range(bound.thr));
  return {0, exact.hi > 0 ? exact.hi : 0};
}

template <class S, class Lane>
std::unique_ptr<Operation<S>> bind_fire(Binder<S>& binder, const Bound<S>& bound) {
  auto operation = std::make_unique<Fire<S, Lane>>();
  operation->cross = crossing<Lane>(binder.text("cmp"), binder.level());
  operation->stop = kernel<Stop<S>>(binder.level());
  operation->subtract = kernel<Map<Lane, Minus>>(binder.level());
  operation->reg = bound.reg;
  operation->thr = bound.thr;
  operation->unless = binder.unless();
  if (std::is_same_v<S, double> || !is_constant_zero(binder, bound.gate)) operation->gate = bound.gate;
  if (bound.reset == "subtract")
    operation->writes.push_back(
        {bound.thr, true, binder.write(bound.reg.index, remainder(binder, bound), true)});
  else if (bound.reset != "none")
    operation->writes.push_back(
        {bound.value, false, binder.write(bound.reg.index, binder.range(bound.value), true)});
  for (const auto& [counter, source] : bound.starts)
    operation->writes.push_back({source, false, binder.write(counter, binder.range(source), true)});
  return operation;
}

}  // namespace

template <class S>
std::unique_ptr<Operation<S>> make_fire(Binder<S>& binder) {
  const Bound<S> bound = read_fields(binder);
  const std::string cmp = binder.text("cmp");
  if (cmp != "gt" && cmp != "ge" && cmp != "ge_nonneg") binder.refuse("cmp", "must be gt, ge or ge_nonneg");
  if constexpr (std::is_same_v<S, double>)
    return bind_fire<S, double>(binder, bound);
  else if (fits_narrow(binder, bound))
    return bind_fire<S, std::int32_t>(binder, bound);
  else
    return bind_fire<S, std::int64_t>(binder, bound);
}

template std::unique_ptr<Operation<std::int32_t>> make_fire(Binder<std::int32_t>&);
template std::unique_ptr<Operation<double>> make_fire(Binder<double>&);

}  // namespace spikeloom
