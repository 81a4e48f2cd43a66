#include "soma/rule.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace spikeloom {
namespace {

constexpr std::int64_t int32_lo = int32_range.lo, int32_hi = int32_range.hi;

// Each rule: the value as the register holds it. `changed` counts what it changed, `trapped` what cannot be
// held.
struct Fits {
  template <class Lane, class S>
  SPIKELOOM_INLINE static S apply(Lane x, int, Lane, Lane, std::uint32_t&, std::uint32_t&) {
    return static_cast<S>(x);
  }
};

struct WrapSigned {
  template <class Lane, class S>
  SPIKELOOM_INLINE static S apply(Lane x, int bits, Lane, Lane, std::uint32_t& changed, std::uint32_t&) {
    const auto low = static_cast<std::uint32_t>(x) << (32 - bits);
    const std::int32_t wrapped = static_cast<std::int32_t>(low) >> (32 - bits);
    changed += wrapped != x;
    return wrapped;
  }
};

struct WrapUnsigned {
  template <class Lane, class S>
  SPIKELOOM_INLINE static S apply(Lane x, int bits, Lane, Lane, std::uint32_t& changed, std::uint32_t&) {
    const std::int32_t wrapped =
        static_cast<std::int32_t>(static_cast<std::uint32_t>(x) & ((1u << bits) - 1));
    changed += wrapped != x;
    return wrapped;
  }
};

struct Saturate {
  template <class Lane, class S>
  SPIKELOOM_INLINE static S apply(Lane x, int, Lane lo, Lane hi, std::uint32_t& changed, std::uint32_t&) {
    const Lane held = x < lo ? lo : x > hi ? hi : x;
    changed += held != x;
    return static_cast<S>(held);
  }
};

struct Trap {
  template <class Lane, class S>
  SPIKELOOM_INLINE static S apply(Lane x, int, Lane lo, Lane hi, std::uint32_t&, std::uint32_t& trapped) {
    trapped += x < lo || x > hi;
    return static_cast<S>(x);
  }
};

// 2^bits is taken off above 2^(bits-1), then added at or below -2^(bits-1), once each.
struct WrapLava24 {
  template <class Lane, class S>
  SPIKELOOM_INLINE static S apply(Lane value, int bits, Lane, Lane, std::uint32_t& changed,
                                  std::uint32_t& trapped) {
    const std::int64_t full = std::int64_t{1} << bits, half = full >> 1;
    std::int64_t x = value;
    x = x > half ? x - full : x;
    x = x <= -half ? x + full : x;
    changed += x != value;
    trapped += x < int32_lo || x > int32_hi;
    return static_cast<S>(x);
  }
};

template <class S, class Lane, class R, bool masked>
struct Commit {
  SPIKELOOM_INLINE static Acted run(S* reg, const Lane* value, const std::int32_t* where, int count, int bits,
                                    std::int64_t lo, std::int64_t hi) {
    std::uint32_t changed = 0, trapped = 0;
    const Lane low = static_cast<Lane>(lo), high = static_cast<Lane>(hi);
    SPIKELOOM_INDEPENDENT
    for (int i = 0; i < count; ++i) {
      std::uint32_t c = 0, t = 0;
      const S written = R::template apply<Lane, S>(value[i], bits, low, high, c, t);
      if constexpr (masked) {
        const bool on = where[i] != 0;
        reg[i] = on ? written : reg[i];
        changed += on ? c : 0;
        trapped += on ? t : 0;
      } else {
        reg[i] = written;
        changed += c;
        trapped += t;
      }
    }
    return {changed, trapped};
  }
};

struct Widen {
  SPIKELOOM_INLINE static void run(std::int64_t* out, const std::int32_t* in, int count) {
    for (int i = 0; i < count; ++i) out[i] = in[i];
  }
};

template <class S, class Lane, class R>
void both(CommitKernel<S, Lane> (&kernels)[2], Level level) {
  kernels[0] = kernel<Commit<S, Lane, R, false>>(level);
  kernels[1] = kernel<Commit<S, Lane, R, true>>(level);
}

template <class Lane>
void all_rules(CommitKernel<std::int32_t, Lane> (&kernels)[5][2], Level level) {
  both<std::int32_t, Lane, Fits>(kernels[static_cast<int>(Rule::fits)], level);
  both<std::int32_t, Lane, WrapSigned>(kernels[static_cast<int>(Rule::wrap)], level);
  both<std::int32_t, Lane, Saturate>(kernels[static_cast<int>(Rule::saturate)], level);
  both<std::int32_t, Lane, WrapLava24>(kernels[static_cast<int>(Rule::wrap_lava24)], level);
  both<std::int32_t, Lane, Trap>(kernels[static_cast<int>(Rule::trap)], level);
}

Interval clamped(const Interval& exact, const Interval& range) {
  return {std::clamp(exact.lo, range.lo, range.hi), std::clamp(exact.hi, range.lo, range.hi)};
}

// The parts below, inside and above the width, each moved once.
Interval after_lava(int bits, const Interval& exact) {
  const std::int64_t full = std::int64_t{1} << bits, half = full >> 1;
  const Interval inside{-half + 1, half};
  Interval result = clamped(exact, inside);
  if (exact.hi > half) result = hull(result, {std::max(exact.lo, half + 1) - full, exact.hi - full});
  if (exact.lo <= -half) result = hull(result, {exact.lo + full, std::min(exact.hi, -half) + full});
  return clamped(result, int32_range);
}

}  // namespace

Interval register_range(const RegisterSpec& spec) {
  const std::int64_t half = std::int64_t{1} << (spec.bits - 1);
  if (spec.rule == Rule::wrap_lava24) return clamped({-half + 1, half}, int32_range);
  return spec.is_signed ? Interval{-half, half - 1} : Interval{0, 2 * half - 1};
}

Interval after_rule(const Target& target, const Interval& exact) {
  if (exact.within(target.range)) return exact;
  if (target.rule == Rule::wrap) return target.range;
  if (target.rule == Rule::wrap_lava24) return after_lava(target.bits, exact);
  return clamped(exact, target.range);
}

std::int32_t through_rule(const Target& target, std::int64_t value, bool& acted, bool& trapped) {
  std::uint32_t changed = 0, outside = 0;
  std::int32_t held = 0;
  const std::int64_t lo = target.range.lo, hi = target.range.hi;
  switch (target.rule) {
    case Rule::fits:
      held = static_cast<std::int32_t>(value);
      break;
    case Rule::wrap:
      held =
          target.is_signed
              ? WrapSigned::apply<std::int64_t, std::int32_t>(value, target.bits, lo, hi, changed, outside)
              : WrapUnsigned::apply<std::int64_t, std::int32_t>(value, target.bits, lo, hi, changed, outside);
      break;
    case Rule::saturate:
      held = Saturate::apply<std::int64_t, std::int32_t>(value, target.bits, lo, hi, changed, outside);
      break;
    case Rule::wrap_lava24:
      held = WrapLava24::apply<std::int64_t, std::int32_t>(value, target.bits, lo, hi, changed, outside);
      break;
    case Rule::trap:
      held = Trap::apply<std::int64_t, std::int32_t>(value, target.bits, lo, hi, changed, outside);
      break;
  }
  acted = acted || changed != 0;
  trapped = trapped || outside != 0;
  return held;
}

RuleKernels<std::int32_t>::RuleKernels(Level level) {
  all_rules<std::int32_t>(narrow, level);
  all_rules<std::int64_t>(wide, level);
  both<std::int32_t, std::int32_t, WrapUnsigned>(narrow_unsigned_wrap, level);
  both<std::int32_t, std::int64_t, WrapUnsigned>(wide_unsigned_wrap, level);
  widen = kernel<Widen>(level);
}

RuleKernels<double>::RuleKernels(Level level) {
  both<double, double, Fits>(plain, level);
}

}  // namespace spikeloom
