#include "base/interval.hpp"

#include "base/error.hpp"

namespace spikeloom {
namespace {

constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();

[[noreturn]] void leaves_int64() {
  throw ProfileError("operation list", "an exact result may leave 64 bits",
                     {.remedy = "narrow a register or the range of a parameter"});
}

std::int64_t checked_add(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) leaves_int64();
  return sum;
}

std::int64_t checked_subtract(std::int64_t a, std::int64_t b) {
  std::int64_t difference = 0;
  if (__builtin_sub_overflow(a, b, &difference)) leaves_int64();
  return difference;
}

std::int64_t checked_multiply(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) leaves_int64();
  return product;
}

}  // namespace

Interval add(const Interval& a, const Interval& b) {
  return {checked_add(a.lo, b.lo), checked_add(a.hi, b.hi)};
}

Interval subtract(const Interval& a, const Interval& b) {
  return {checked_subtract(a.lo, b.hi), checked_subtract(a.hi, b.lo)};
}

Interval multiply(const Interval& a, const Interval& b) {
  const std::int64_t corners[] = {checked_multiply(a.lo, b.lo), checked_multiply(a.lo, b.hi),
                                  checked_multiply(a.hi, b.lo), checked_multiply(a.hi, b.hi)};
  return {*std::min_element(corners, corners + 4), *std::max_element(corners, corners + 4)};
}

std::int64_t add_or_saturate(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return a < 0 ? lowest : highest;
  return sum;
}

std::int64_t multiply_or_saturate(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return (a < 0) != (b < 0) ? lowest : highest;
  return product;
}

}  // namespace spikeloom
