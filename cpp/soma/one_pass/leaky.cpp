#include "soma/one_pass/leaky.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "base/lane_bits.hpp"

namespace spikeloom {
namespace {

using Reset = LeakyList::Reset;

// The parameters of a word's neurons k to k + lanes, where all neurons have the same, and where not.
template <class V, int lanes>
struct Same {
  using Vector = typename Lanes<V, lanes>::Vector;
  const LeakyWord& word;
  SPIKELOOM_INLINE static void spread(Vector& to, std::uint32_t pattern) {
    to = (Vector)(typename Lanes<std::uint32_t, lanes * sizeof(V) / 4>::Vector{} + pattern);
  }
  SPIKELOOM_INLINE void leak(Vector& v, int) const { v -= v >> word.leak; }
  SPIKELOOM_INLINE void bias(Vector& to, int) const { spread(to, word.bias); }
  SPIKELOOM_INLINE void threshold(Vector& to, int) const { spread(to, word.threshold); }
  SPIKELOOM_INLINE void value(Vector& to, int) const { spread(to, word.value); }
};
template <class V, int lanes>
struct Mixed {
  using Vector = typename Lanes<V, lanes>::Vector;
  const LeakyMix<V>& mix;
  SPIKELOOM_INLINE static void load(Vector& to, const V* from) { std::memcpy(&to, from, sizeof(to)); }
  SPIKELOOM_INLINE void leak(Vector& v, int k) const {
    Vector shift;
    load(shift, mix.leak.data() + k);
    v -= v >> shift;
  }
  SPIKELOOM_INLINE void bias(Vector& to, int k) const { load(to, mix.bias.data() + k); }
  SPIKELOOM_INLINE void threshold(Vector& to, int k) const { load(to, mix.threshold.data() + k); }
  SPIKELOOM_INLINE void value(Vector& to, int k) const { load(to, mix.value.data() + k); }
};

template <class V, class Sum, bool leaks, bool at_threshold, Reset reset, int lanes>
struct Pass {
  using Arguments = LeakyArguments<V, Sum>;
  using Vector = typename Lanes<V, lanes>::Vector;
  using Unsigned = typename Lanes<std::make_unsigned_t<V>, lanes>::Vector;

  // Sums that nothing reached are 0, and are added like any.
  SPIKELOOM_INLINE static void arriving(Vector& sum, Sum* sums, int shift) {
    typename Lanes<Sum, lanes>::Vector stored;
    std::memcpy(&stored, sums, sizeof(stored));
    widen<lanes, V, Sum>(sum, stored);
    sum = sum << shift;
    std::memset(sums, 0, sizeof(stored));
  }

  // held = x + arrived + bias through the rule; `changed` counts down where that changed it. In 16 bits 0
  // lies within the rule's range, so that a sum that left them, and came in at their other end, is none of
  // its ends.
  SPIKELOOM_INLINE static void integrate(const Arguments& a, Vector& held, const Vector& x,
                                         const Vector& arrived, const Vector& bias, Vector& changed) {
    Vector exact, kept;
    if constexpr (sizeof(V) == 2) {
      const Vector biased = x + bias;
      exact = (Vector)((Unsigned)biased + (Unsigned)arrived);
      add_saturating<lanes>(kept, biased, arrived);
    } else {
      exact = kept = x + arrived + bias;
    }
    kept = kept < a.lowest ? a.lowest : kept;
    held = kept > a.highest ? a.highest : kept;
    changed += held != exact;
  }

  template <class Parameters>
  SPIKELOOM_INLINE static void some(const Arguments& a, V* v, Sum* sums, const Parameters& parameters, int k,
                                    std::uint8_t* flags, std::uint64_t& fired, Vector& changed) {
    Vector x, other, held;
    std::memcpy(&x, v + k, sizeof(x));
    if constexpr (leaks) parameters.leak(x, k);
    Vector arrived;
    arriving(arrived, sums + k, a.shift);
    parameters.bias(other, k);
    integrate(a, held, x, arrived, other, changed);
    parameters.threshold(other, k);
    const Vector over = at_threshold ? held >= other : held > other;
    if constexpr (reset == Reset::value) parameters.value(other, k);
    if constexpr (reset == Reset::subtract) other = (Vector)((Unsigned)held - (Unsigned)other);
    if constexpr (reset != Reset::none) held = over ? other : held;
    std::memcpy(v + k, &held, sizeof(held));
    std::uint64_t bits;
    bits_of_lanes<V, lanes>(bits, over);
    fired |= bits << k;
    const auto bytes = __builtin_convertvector(over & 1, typename Lanes<std::uint8_t, lanes>::Vector);
    std::memcpy(flags + k, &bytes, sizeof(bytes));
  }

  template <class Parameters>
  SPIKELOOM_INLINE static std::uint64_t whole(const Arguments& a, V* v, Sum* sums,
                                              const Parameters& parameters, std::uint8_t* flags,
                                              Vector& changed) {
    std::uint64_t fired = 0;
#pragma GCC unroll 2
    for (int k = 0; k < leaky_word; k += lanes) some(a, v, sums, parameters, k, flags, fired, changed);
    return fired;
  }

  // Neurons [from, end) of a word. Those beside them hold nothing and get nothing.
  SPIKELOOM_INLINE static std::uint64_t rest(const Arguments& a, std::int32_t from, std::int32_t end,
                                             Vector& changed) {
    const int skipped = from % leaky_word, count = end - from;
    alignas(64) V v[leaky_word] = {};
    alignas(64) Sum sums[leaky_word] = {};
    alignas(64) std::uint8_t flags[leaky_word];
    std::copy_n(a.v + from, count, v + skipped);
    std::copy_n(a.sums + from, count, sums + skipped);
    const LeakyMix<V>& mix = a.mixes[a.words[from / leaky_word].mix];
    const std::uint64_t fired = whole(a, v, sums, Mixed<V, lanes>{mix}, flags, changed);
    std::copy_n(v + skipped, count, a.v + from);
    std::fill_n(a.sums + from, count, Sum{});
    std::copy_n(flags + skipped, count, a.flags + from);
    return fired & (~std::uint64_t{0} >> (leaky_word - count)) << skipped;
  }

  // Neurons [first, end) of one word.
  SPIKELOOM_INLINE static std::uint64_t of_word(const Arguments& a, std::int32_t first, std::int32_t end,
                                                Vector& changed) {
    if (end - first < leaky_word) return rest(a, first, end, changed);
    const LeakyWord& word = a.words[first / leaky_word];
    V* const v = a.v + first;
    Sum* const sums = a.sums + first;
    if (word.mix < 0) return whole(a, v, sums, Same<V, lanes>{word}, a.flags + first, changed);
    return whole(a, v, sums, Mixed<V, lanes>{a.mixes[word.mix]}, a.flags + first, changed);
  }

  SPIKELOOM_INLINE static std::int64_t run(const Arguments& arguments) {
    constexpr std::int32_t most = 1 << 17;  // neurons whose changes a lane can count
    const Arguments a = arguments;          // no store can reach a copy
    std::int64_t total = 0;
    for (std::int32_t first = a.first; first < a.last;) {
      Vector changed = {};
      const std::int32_t last = a.last - first > most ? first + most : a.last;
      while (first < last) {
        const std::int32_t word = first / leaky_word;
        const std::int32_t end = last < (word + 1) * leaky_word ? last : (word + 1) * leaky_word;
        a.fired[word] = of_word(a, first, end, changed);
        first = end;
      }
      for (int k = 0; k < lanes; ++k) total -= changed[k];
    }
    return total;
  }
};

template <class V, class Sum, bool leaks, bool at_threshold, Reset reset>
auto pass(Level level) {
  if (level == Level::v4)
    return kernel_for<Pass<V, Sum, leaks, at_threshold, reset, 64 / sizeof(V)>, Level::v4>();
  if (level == Level::v3)
    return kernel_for<Pass<V, Sum, leaks, at_threshold, reset, 32 / sizeof(V)>, Level::v3>();
  return kernel_for<Pass<V, Sum, leaks, at_threshold, reset, 16 / sizeof(V)>, Level::baseline>();
}

template <class V, class Sum, bool leaks, bool at_threshold>
auto pass(Reset reset, Level level) {
  if (reset == Reset::subtract) return pass<V, Sum, leaks, at_threshold, Reset::subtract>(level);
  if (reset == Reset::none) return pass<V, Sum, leaks, at_threshold, Reset::none>(level);
  return pass<V, Sum, leaks, at_threshold, Reset::value>(level);
}

template <class V, class Sum>
auto pass(const LeakyList& list, Level level) {
  if (list.leak)
    return list.at_threshold ? pass<V, Sum, true, true>(list.reset, level)
                             : pass<V, Sum, true, false>(list.reset, level);
  return list.at_threshold ? pass<V, Sum, false, true>(list.reset, level)
                           : pass<V, Sum, false, false>(list.reset, level);
}

}  // namespace

template <class V, class Sum>
LeakyPass<V, Sum>::LeakyPass(const LeakyList& list, int shift, Level level)
    : list_(list), shift_(shift), run_(pass<V, Sum>(list, level)) {}

template <class V, class Sum>
void LeakyPass<V, Sum>::run(V* v, Sum* sums, const LeakyTable<V>& table, const Part& part,
                            std::uint64_t* fired, std::uint8_t* flags, std::uint64_t* counters) const {
  const bool fits = list_.target.rule == Rule::fits;
  const Interval range = fits ? sizeof(V) == 2 ? int16_range : int32_range : list_.target.range;
  const std::int64_t changed =
      run_({v, sums, table.words.data(), table.mixes.data(), fired, flags, part.first_neuron,
            part.last_neuron, shift_, static_cast<V>(range.lo), static_cast<V>(range.hi)});
  if (list_.target.counter >= 0) counters[list_.target.counter] += changed;
}

template class LeakyPass<std::int16_t, std::int16_t>;
template class LeakyPass<std::int32_t, std::int16_t>;
template class LeakyPass<std::int32_t, std::int32_t>;

}  // namespace spikeloom
