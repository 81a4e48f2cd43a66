// The rules by which an exact result enters a register.
#pragma once

#include <cstdint>
#include <string>

#include "base/interval.hpp"
#include "base/level.hpp"
#include "program/spec.hpp"

namespace spikeloom {

// A register as the destination of one kind of write.
struct Target {
  int element = 0;
  Rule rule = Rule::fits;  // `fits` where intervals prove that the rule never acts
  int bits = 0;
  bool is_signed = true;
  Interval range;    // what the rule leaves as it is
  int counter = -1;  // of the writes that the rule changed
};

// What a register may hold, as its width and rule say.
Interval register_range(const RegisterSpec& spec);
// The interval after the rule acted on `exact`; ProfileError where nothing of it fits.
Interval after_rule(const Target& target, const Interval& exact);

// One value through a rule; `acted` and `trapped` are set, never cleared.
std::int32_t through_rule(const Target& target, std::int64_t value, bool& acted, bool& trapped);

struct Acted {
  std::uint32_t changed = 0;  // writes that the rule changed
  std::uint32_t trapped = 0;  // writes that nothing can hold
};

template <class S, class Lane>
using CommitKernel = Acted (*)(S* reg, const Lane* value, const std::int32_t* where, int count, int bits,
                               std::int64_t lo, std::int64_t hi);

// The kernels of one processor level, by rule and by whether a mask is given.
template <class S>
struct RuleKernels;

template <>
struct RuleKernels<std::int32_t> {
  explicit RuleKernels(Level level);
  CommitKernel<std::int32_t, std::int32_t> narrow[5][2];
  CommitKernel<std::int32_t, std::int64_t> wide[5][2];
  CommitKernel<std::int32_t, std::int32_t> narrow_unsigned_wrap[2];
  CommitKernel<std::int32_t, std::int64_t> wide_unsigned_wrap[2];
  void (*widen)(std::int64_t* out, const std::int32_t* in, int count);
};

template <>
struct RuleKernels<double> {
  explicit RuleKernels(Level level);
  CommitKernel<double, double> plain[2];
};

}  // namespace spikeloom
