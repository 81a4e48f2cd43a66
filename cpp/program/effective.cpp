#include "program/effective.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <utility>

#include "base/error.hpp"

namespace spikeloom {
namespace {

// m 2^s in int64, nothing where it does not fit; fl(m / 2^-s) for s < 0.
std::optional<std::int64_t> scaled(std::int64_t m, std::int64_t s) {
  if (s <= 0) return m >> std::min<std::int64_t>(-s, 63);
  std::int64_t product = 0;
  if (m == 0) return 0;
  if (s > 62 || __builtin_mul_overflow(m, std::int64_t{1} << s, &product)) return std::nullopt;
  return product;
}

[[noreturn]] void too_large(const std::string& subject) {
  throw ProgramError(subject, "has an effective value that does not fit 62 bits");
}

std::int64_t clipped(std::optional<std::int64_t> value, std::int64_t sign_of,
                     std::optional<std::int64_t> clip, std::size_t index) {
  if (clip) return std::clamp(value.value_or(sign_of < 0 ? -*clip : *clip), -*clip, *clip);
  if (!value) too_large("array codes[" + std::to_string(index) + "]");
  return *value;
}

bool has_exponent(const WeightSpec& spec) {
  return spec.formula == WeightFormula::shift || spec.formula == WeightFormula::mant_exp;
}

std::int64_t digital_weight(const WeightSpec& spec, std::int64_t m, std::int64_t exponent,
                            std::size_t index) {
  if (!has_exponent(spec)) return m;
  if (spec.formula == WeightFormula::shift) return clipped(scaled(m, exponent), m, std::nullopt, index);
  const auto mantissa = scaled(m, exponent);
  return clipped(mantissa ? scaled(*mantissa, spec.unit_shift) : std::nullopt, m, spec.clip, index);
}

// The effective value of every code, worked out when it is asked for: a chip's codes are many, and a second
// array of them would be the largest of all.
class EffectiveCodes {
 public:
  EffectiveCodes(const Spec& spec, const Arrays& a)
      : spec_(spec.weights), codes_(std::get<Ints>(a.codes)), formats_(a.code_format) {
    if (!has_exponent(spec_)) return;
    const char* name = spec_.formula == WeightFormula::mant_exp ? "w_exp" : "shift";
    const auto found = a.format_shared.find(name);
    if (found == a.format_shared.end())
      throw ProfileError("weights.shared", std::string("lacks ") + name + ", which the formula needs");
    exponents_ = &found->second;
  }

  std::size_t size() const { return codes_.size(); }
  std::int64_t operator[](std::size_t i) const {
    return digital_weight(spec_, codes_[i], exponents_ == nullptr ? 0 : (*exponents_)[formats_[i]], i);
  }

 private:
  const WeightSpec& spec_;
  const Ints& codes_;
  const Bytes& formats_;
  const Ints* exponents_ = nullptr;
};

template <class T, class Values>
Table<T> narrowed(const Values& values, int shift) {
  Table<T> narrow(values.size());
  for (std::size_t i = 0; i < narrow.size(); ++i) narrow[i] = static_cast<T>(values[i] >> shift);
  return narrow;
}

// The largest shift by which all values can be told, and the narrowest type that then holds them.
template <class Values>
Weights narrowest_of(const Values& values) {
  std::uint64_t bits = 0;
  Interval range{0, 0};
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::int64_t value = values[i];
    bits |= static_cast<std::uint64_t>(value);
    range = {std::min(range.lo, value), std::max(range.hi, value)};
  }
  const int shift = bits == 0 ? 0 : std::countr_zero(bits);
  const auto fits = [&](auto narrow) {
    using Limits = std::numeric_limits<decltype(narrow)>;
    return (range.lo >> shift) >= Limits::min() && (range.hi >> shift) <= Limits::max();
  };
  if (fits(std::int8_t{})) return {narrowed<std::int8_t>(values, shift), shift};
  if (fits(std::int16_t{})) return {narrowed<std::int16_t>(values, shift), shift};
  if (fits(std::int32_t{})) return {narrowed<std::int32_t>(values, shift), shift};
  return {narrowed<std::int64_t>(values, 0), 0};
}

std::int64_t digital_value(const ParamSpec& param, std::int64_t m, std::int64_t e) {
  const auto pow2 = [&](std::int64_t exponent) { return scaled(1, exponent); };
  std::optional<std::int64_t> value = m;
  switch (param.format) {
    case ParamFormat::plain:
      break;
    case ParamFormat::real:
      break;
    case ParamFormat::shift:
      value = scaled(m, param.shift);
      break;
    case ParamFormat::mant_exp:
      value = scaled(m, e);
      break;
    case ParamFormat::pow2_minus1:
      value = pow2(m);
      if (value) --*value;
      break;
    case ParamFormat::neg_pow2_plus1:
      value = pow2(m);
      if (value) value = 1 - *value;
      break;
    case ParamFormat::pow2_9_plus_2e_minus1:
      value = pow2(9 + 2 * m);
      if (value) --*value;
      break;
  }
  constexpr std::int64_t most = std::int64_t{1} << 62;
  if (!value || *value >= most || *value <= -most) too_large("parameter " + param.name);
  return *value;
}

template <class Values>
bool all_equal(const Values& values) {
  return std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end();
}

// What a run may set: every code at every exponent.
Interval settable(const ParamSpec& param, const Interval& now) {
  if (!param.min || !param.max) return now;
  Interval range = now;
  for (const double code : {*param.min, *param.max}) {
    const std::int64_t value = digital_value(param, static_cast<std::int64_t>(code), param.exp_max);
    range = hull(range, {value, value});
  }
  return range;
}

Param digital_param(const Spec& spec, const ParamSpec& param, const Arrays& a) {
  const Ints& codes = std::get<Ints>(a.params.at(param.name));
  const bool has_exponent = param.format == ParamFormat::mant_exp;
  const Ints* exponents = has_exponent ? &std::get<Ints>(a.params.at(param.name + "_exp")) : nullptr;
  Longs values(codes.size());
  for (std::size_t i = 0; i < codes.size(); ++i)
    values[i] = digital_value(param, codes[i], exponents ? (*exponents)[i] : 0);
  Param result{param.name, {}, all_equal(values), {0, 0}};
  if (!values.empty()) {
    const auto [lo, hi] = std::minmax_element(values.begin(), values.end());
    result.range = {*lo, *hi};
  }
  if (param.name == spec.overridable) result.range = settable(param, result.range);
  if (result.uniform) values.resize(1);
  result.values = std::move(values);
  return result;
}

}  // namespace

Weights narrowest(const Longs& values) {
  return narrowest_of(values);
}

Weights effective_weights(const Spec& spec, const Arrays& arrays) {
  if (const Reals* reals = std::get_if<Reals>(&arrays.codes)) return {*reals, 0};
  const EffectiveCodes values(spec, arrays);
  if (!spec.analog) return narrowest_of(values);
  Reals exact(values.size());
  for (std::size_t i = 0; i < exact.size(); ++i) exact[i] = static_cast<double>(values[i]);
  return {std::move(exact), 0};
}

Param effective_param(const Spec& spec, const ParamSpec& param, const Arrays& arrays) {
  if (!spec.analog) return digital_param(spec, param, arrays);
  Reals values = std::get<Reals>(arrays.params.at(param.name));
  if (param.format == ParamFormat::mant_exp) {
    const Reals& exponents = std::get<Reals>(arrays.params.at(param.name + "_exp"));
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = std::ldexp(values[i], static_cast<int>(exponents[i]));
  } else if (param.format != ParamFormat::real) {
    for (double& value : values)
      value = static_cast<double>(digital_value(param, static_cast<std::int64_t>(value), 0));
  }
  const bool uniform = all_equal(values);
  if (uniform) values.resize(1);
  return {param.name, std::move(values), uniform, {}};
}

}  // namespace spikeloom
