// fire2: reg cmp pos: n = 1 and reg = r (mode 0), reg - pos (1) or as it is (2); otherwise reg neg_cmp neg:
// reg = neg where saturate, else -r (mode 0), reg - neg (1) or as it is (2); otherwise reg stays.
#include "soma/elementwise.hpp"
#include "soma/operations/all.hpp"

namespace spikeloom {
namespace {

template <class Lane>
struct TwoThresholds {
  const Lane *reg, *pos, *neg, *mode, *r, *saturate;
};

// spikes[i] = 1 above; where[i] = 1 where reg is written with out[i].
template <class Lane, bool at_pos, bool at_neg>
struct Crossings {
  SPIKELOOM_INLINE static void run(std::int32_t* spikes, std::int32_t* where, Lane* out,
                                   TwoThresholds<Lane> in, int count) {
    SPIKELOOM_INDEPENDENT
    for (int i = 0; i < count; ++i) {
      const Lane x = in.reg[i];
      const bool above = at_pos ? x >= in.pos[i] : x > in.pos[i];
      const bool below = !above && (at_neg ? x <= in.neg[i] : x < in.neg[i]);
      const bool absolute = in.mode[i] == 0, stays = in.mode[i] == 2, saturates = in.saturate[i] != 0;
      const Lane up = absolute ? in.r[i] : x - in.pos[i];
      const Lane down = saturates ? in.neg[i] : absolute ? -in.r[i] : x - in.neg[i];
      spikes[i] = above;
      where[i] = (above && !stays) || (below && (saturates || !stays));
      out[i] = above ? up : down;
    }
  }
};

template <class Lane>
using CrossingsKernel = void (*)(std::int32_t*, std::int32_t*, Lane*, TwoThresholds<Lane>, int);

// mask and spikes are 0 where stop is not 0.
template <class S>
struct StopBoth {
  SPIKELOOM_INLINE static void run(std::int32_t* where, std::int32_t* spikes, const S* stop, int count) {
    SPIKELOOM_INDEPENDENT
    for (int i = 0; i < count; ++i) {
      where[i] = stop[i] == 0 ? where[i] : 0;
      spikes[i] = stop[i] == 0 ? spikes[i] : 0;
    }
  }
};

template <class S, class Lane>
class Fire2 final : public Operation<S> {
 public:
  CrossingsKernel<Lane> cross;
  void (*stop)(std::int32_t*, std::int32_t*, const S*, int);
  Source reg, pos, neg, mode, r, saturate;
  std::optional<Source> unless;
  Target target;

  void run(const Block<S>& block) const override {
    std::int32_t* where = block.scratch->template as<std::int32_t>(where_slot);
    Lane* out = block.scratch->template as<Lane>(out_slot);
    const TwoThresholds<Lane> in{block.template load<Lane>(reg, 0), block.template load<Lane>(pos, 1),
                                 block.template load<Lane>(neg, 2), block.template load<Lane>(mode, 3),
                                 block.template load<Lane>(r, 4),   block.template load<Lane>(saturate, 5)};
    cross(block.spikes, where, out, in, block.count);
    if (unless) stop(where, block.spikes, block.template load<S>(*unless, 0), block.count);
    block.commit(target, static_cast<const Lane*>(out), where);
  }
};

// What either branch may write; `small` where every intermediate fits 32 bits.
struct Reset {
  Interval exact;
  bool small;
};

template <class S>
Reset reset_of(Binder<S>& binder, const Source& reg, const Source& pos, const Source& neg, const Source& r) {
  const Interval x = binder.range(reg), up = subtract(x, binder.range(pos)),
                 down = subtract(x, binder.range(neg));
  const Interval minus_r = subtract({0, 0}, binder.range(r));
  const Interval exact = hull(hull(hull(up, down), hull(binder.range(r), minus_r)), binder.range(neg));
  return {exact, exact.within(int32_range) && narrow(binder, {reg, pos, neg, r})};
}

template <class S>
Source saturate_of(Binder<S>& binder) {
  return binder.has("saturate") ? binder.source("saturate") : binder.constant(0);
}

template <class S, class Lane>
std::unique_ptr<Operation<S>> bind_fire2(Binder<S>& binder, Fire2<S, Lane> fields, const Interval& exact) {
  const bool at_pos = binder.text("cmp") == "ge", at_neg = binder.text("neg_cmp") == "le";
  const Level level = binder.level();
  fields.cross = at_pos ? (at_neg ? kernel<Crossings<Lane, true, true>>(level)
                                  : kernel<Crossings<Lane, true, false>>(level))
                        : (at_neg ? kernel<Crossings<Lane, false, true>>(level)
                                  : kernel<Crossings<Lane, false, false>>(level));
  fields.stop = kernel<StopBoth<S>>(level);
  fields.unless = binder.unless();
  fields.reg = {true, binder.element("reg")};
  fields.pos = binder.source("pos");
  fields.neg = binder.source("neg");
  fields.mode = binder.source("mode");
  fields.r = binder.source("r");
  fields.saturate = saturate_of(binder);
  fields.target = binder.write(fields.reg.index, exact, true);
  return std::make_unique<Fire2<S, Lane>>(std::move(fields));
}

}  // namespace

template <class S>
std::unique_ptr<Operation<S>> make_fire2(Binder<S>& binder) {
  const std::string cmp = binder.text("cmp"), neg_cmp = binder.text("neg_cmp");
  if (cmp != "gt" && cmp != "ge") binder.refuse("cmp", "must be gt or ge");
  if (neg_cmp != "lt" && neg_cmp != "le") binder.refuse("neg_cmp", "must be lt or le");
  const Source reg{true, binder.element("reg")};
  const Reset reset = reset_of(binder, reg, binder.source("pos"), binder.source("neg"), binder.source("r"));
  if constexpr (std::is_same_v<S, double>)
    return bind_fire2<S, double>(binder, {}, reset.exact);
  else if (reset.small && narrow(binder, {binder.source("mode"), saturate_of(binder)}))
    return bind_fire2<S, std::int32_t>(binder, {}, reset.exact);
  else
    return bind_fire2<S, std::int64_t>(binder, {}, reset.exact);
}

template std::unique_ptr<Operation<std::int32_t>> make_fire2(Binder<std::int32_t>&);
template std::unique_ptr<Operation<double>> make_fire2(Binder<double>&);

}  // namespace spikeloom
