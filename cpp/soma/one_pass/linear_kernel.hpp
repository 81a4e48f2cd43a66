// One pass of a linear neuron over a block: what arrives, P x, noise, refractory period, threshold and reset,
// all operands of some neurons in registers. Each result is rounded as the operations round it.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "base/level.hpp"

namespace spikeloom {

enum class Crossing : std::uint8_t { gt, ge, ge_nonneg };

// Arrays of one block; what is absent is null.
struct LinearArrays {
  static constexpr int most_states = 4, most_held = 4, chunk = 256;
  int count = 0;                  // of neurons
  std::int32_t* fired = nullptr;  // for each `chunk` of them, how many spiked
  bool uniform = false;           // every constant is the same for all of them
  double* state[most_states] = {};
  double* arriving[most_states] = {};  // sums for each state, set to 0
  double* counter = nullptr;
  std::int32_t* spikes = nullptr;
  const double* sigma = nullptr;
  const double* normals = nullptr;
  bool holds = false, counts = false;  // hold_zero and count_down act on the counter
  bool subtract = false;               // v - reset instead of reset
  Crossing crossing = Crossing::gt;
  // Constants.
  const double* factor[most_states] = {};     // of v's row: of each state, v first
  const double* decay[most_states] = {};      // of each other state
  const double* held_factor[most_held] = {};  // products of v's row with what stays during the step
  const double* held_source[most_held] = {};
  const double* start = nullptr;  // what a spike starts the counter at
  const double* threshold = nullptr;
  const double* reset = nullptr;
};

namespace detail {

// Vectors of as many neurons as the processor level has lanes: compilers take wider ones apart badly.
template <int width>
struct Vectors {
  typedef double Reals __attribute__((vector_size(8 * width)));
  typedef std::int64_t Words __attribute__((vector_size(8 * width)));
  typedef std::int32_t Flags __attribute__((vector_size(4 * width)));
};

// `count` neurons at a time; the rest of the lanes is 0 and is not stored.
template <int width, bool whole>
struct Lanes {
  using Reals = typename Vectors<width>::Reals;
  using Words = typename Vectors<width>::Words;
  using Flags = typename Vectors<width>::Flags;
  int count;
  SPIKELOOM_INLINE void load(Reals& x, const double* from) const {
    if constexpr (!whole) x = Reals{};
    std::memcpy(&x, from, whole ? sizeof(x) : count * sizeof(double));
  }
  SPIKELOOM_INLINE void store(double* to, const Reals& x) const {
    std::memcpy(to, &x, whole ? sizeof(x) : count * sizeof(double));
  }
  SPIKELOOM_INLINE void flags(std::int32_t* to, const Words& fired) const {
    const Flags narrow = -__builtin_convertvector(fired, Flags);
    std::memcpy(to, &narrow, whole ? sizeof(narrow) : count * sizeof(std::int32_t));
  }
};

// The constants of one vector of neurons.
template <int others, int width>
struct LinearConstants {
  using Reals = typename Vectors<width>::Reals;
  Reals factor[1 + others], decay[1 + others], held[LinearArrays::most_held], start, threshold, reset;

  template <class Lanes>
  SPIKELOOM_INLINE void load(const LinearArrays& a, int i, const Lanes lanes) {
#pragma GCC unroll 4
    for (int k = 0; k <= others; ++k) lanes.load(factor[k], a.factor[k] + i);
#pragma GCC unroll 4
    for (int k = 1; k <= others; ++k) lanes.load(decay[k], a.decay[k] + i);
#pragma GCC unroll 4
    for (int k = 0; k < LinearArrays::most_held; ++k) {
      if (a.held_factor[k] == nullptr) continue;
      Reals source;
      lanes.load(held[k], a.held_factor[k] + i);
      lanes.load(source, a.held_source[k] + i);
      held[k] = held[k] * source;
    }
    lanes.load(threshold, a.threshold + i);
    if (a.start != nullptr) lanes.load(start, a.start + i);
    if (a.reset != nullptr) lanes.load(reset, a.reset + i);
  }
};

}  // namespace detail

// What is known before the first neuron.
enum class Known : std::uint8_t {
  nothing,
  uniform,    // every constant is the same for all neurons
  common_gt,  // and: nothing arrives, one value is held, the counter holds, counts and is started, v is
  common_ge,  // compared by gt or ge and reset to a value: no branch is left but that of noise
};

// `others` states beside v, which decay and which v's row takes in.
template <int others, Known known, int width>
struct LinearKernel {
  using Reals = typename detail::Vectors<width>::Reals;
  using Words = typename detail::Vectors<width>::Words;
  using Whole = detail::Lanes<width, true>;
  using Part = detail::Lanes<width, false>;
  using Constants = detail::LinearConstants<others, width>;

  SPIKELOOM_INLINE static void run(const LinearArrays& arrays) {
    const LinearArrays a = arrays;  // a copy that no store can change
    Constants constants{};
    if constexpr (known != Known::nothing) constants.load(a, 0, Whole{width});
    for (int from = 0; from < a.count; from += LinearArrays::chunk) {
      const int end = a.count - from < LinearArrays::chunk ? a.count : from + LinearArrays::chunk;
      Words fired{};
      int i = from;
      for (; i + width <= end; i += width) step(a, i, Whole{width}, constants, fired);
      if (i < end) step(a, i, Part{end - i}, constants, fired);
      std::int64_t total = 0;
      for (int k = 0; k < width; ++k) total -= fired[k];
      a.fired[from / LinearArrays::chunk] = static_cast<std::int32_t>(total);
    }
  }

 private:
  static constexpr bool common = known == Known::common_gt || known == Known::common_ge;
  // What a common list has, or has not.
  SPIKELOOM_INLINE static bool has(bool found) { return common || found; }
  SPIKELOOM_INLINE static bool lacks(bool found) { return common || !found; }
  SPIKELOOM_INLINE static bool is_gt(const LinearArrays& a) {
    return common ? known == Known::common_gt : a.crossing == Crossing::gt;
  }

  template <class Lanes>
  SPIKELOOM_INLINE static void step(const LinearArrays& a, int i, const Lanes lanes, Constants& constants,
                                    Words& total) {
    if constexpr (known == Known::nothing) constants.load(a, i, lanes);
    Reals v, c{};
    integrate(a, i, lanes, constants, v);
    if (a.sigma != nullptr) add_product(v, a.sigma + i, a.normals + i, lanes);
    if (has(a.counter != nullptr)) {
      lanes.load(c, a.counter + i);
      if (has(a.holds)) v = c > 0.0 ? Reals{} : v;
      if (has(a.counts)) c = c > 1.0 ? c - 1.0 : Reals{};
    }
    Words fired = is_gt(a) ? v > constants.threshold : v >= constants.threshold;
    if (!lacks(a.crossing == Crossing::ge_nonneg)) fired &= v >= 0.0;
    if constexpr (std::is_same_v<Lanes, Part>)  // the rest is no neuron
      for (int k = lanes.count; k < width; ++k) fired[k] = 0;
    total += fired;
    if (has(a.reset != nullptr)) {
      const Reals left = lacks(a.subtract) ? constants.reset : v - constants.reset;
      v = fired ? left : v;
    }
    lanes.store(a.state[0] + i, v);
    lanes.flags(a.spikes + i, fired);
    if (!has(a.counter != nullptr)) return;
    if (has(a.start != nullptr)) c = fired ? constants.start : c;
    lanes.store(a.counter + i, c);
  }

  // v's row in its order; the other states decay.
  template <class Lanes>
  SPIKELOOM_INLINE static void integrate(const LinearArrays& a, int i, const Lanes lanes,
                                         const Constants& constants, Reals& v) {
    v = Reals{};
#pragma GCC unroll 4
    for (int k = 0; k <= others; ++k) {
      Reals x;
      lanes.load(x, a.state[k] + i);
      if (!lacks(a.arriving[k] != nullptr)) arrive(x, a.arriving[k] + i, lanes);
      v = v + constants.factor[k] * x;
      if (k > 0) lanes.store(a.state[k] + i, Reals{} + constants.decay[k] * x);
    }
    if (has(a.held_factor[0] != nullptr)) v = v + constants.held[0];
#pragma GCC unroll 4
    for (int k = 1; k < LinearArrays::most_held; ++k)
      if (!lacks(a.held_factor[k] != nullptr)) v = v + constants.held[k];
  }

  template <class Lanes>
  SPIKELOOM_INLINE static void arrive(Reals& x, double* sums, const Lanes lanes) {
    Reals sum;
    lanes.load(sum, sums);
    x = x + sum;
    lanes.store(sums, Reals{});
  }

  template <class Lanes>
  SPIKELOOM_INLINE static void add_product(Reals& sum, const double* a, const double* b, const Lanes lanes) {
    Reals x, y;
    lanes.load(x, a);
    lanes.load(y, b);
    sum = sum + x * y;
  }
};

}  // namespace spikeloom
