// Kernels compiled once for each processor level and chosen when a program is loaded. All levels give the
// same bits.
//
// A kernel is a struct with one static function `run`, marked SPIKELOOM_INLINE, that touches plain pointers
// only. `kernel<K>(level)` is the address of its copy for that level. Nothing else is compiled with the wider
// instructions, so no shared inline function can carry them to an older machine.
#pragma once

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#define SPIKELOOM_X86_LEVELS 1
#define SPIKELOOM_TARGET_V3 [[gnu::target("sse4.2,popcnt,avx,avx2,bmi,bmi2,lzcnt")]]
#define SPIKELOOM_TARGET_V4 \
  [[gnu::target("sse4.2,popcnt,avx,avx2,bmi,bmi2,lzcnt,avx512f,avx512bw,avx512dq,avx512vl,avx512cd")]]
#else
#define SPIKELOOM_X86_LEVELS 0
#endif
#define SPIKELOOM_INLINE [[gnu::always_inline]] inline
// Iterations of the loop that follows touch one index each, so arrays may be the same but not shifted.
#define SPIKELOOM_INDEPENDENT _Pragma("GCC ivdep")

namespace spikeloom {

enum class Level { baseline, v3, v4 };  // any machine, x86-64-v3 (AVX2), x86-64-v4 (AVX-512)

// The best level of this processor, or the one that the environment variable SPIKELOOM_KERNELS names
// ("baseline", "v3", "v4"); EmulationError where the processor lacks it or the name is unknown.
Level active_level();
const char* level_name(Level level);

namespace detail {

template <class Kernel, class Signature>
struct Copies;

template <class Kernel, class Result, class... Arguments>
struct Copies<Kernel, Result(Arguments...)> {
  using Function = Result (*)(Arguments...);
  static Result baseline(Arguments... arguments) { return Kernel::run(arguments...); }
#if SPIKELOOM_X86_LEVELS
  SPIKELOOM_TARGET_V3 static Result v3(Arguments... arguments) { return Kernel::run(arguments...); }
  SPIKELOOM_TARGET_V4 static Result v4(Arguments... arguments) { return Kernel::run(arguments...); }
  static Function at(Level level) { return level == Level::v4 ? v4 : level == Level::v3 ? v3 : baseline; }
#else
  static Function at(Level) { return baseline; }
#endif
};

template <class Function>
struct SignatureOf;
template <class Result, class... Arguments>
struct SignatureOf<Result (*)(Arguments...)> {
  using Type = Result(Arguments...);
};

}  // namespace detail

// The copy for one level that is known when this is compiled; the others are not made.
template <class Kernel, Level level>
auto kernel_for() {
  using Signature = typename detail::SignatureOf<decltype(&Kernel::run)>::Type;
  using Copies = detail::Copies<Kernel, Signature>;
#if SPIKELOOM_X86_LEVELS
  if constexpr (level == Level::v4) return &Copies::v4;
  if constexpr (level == Level::v3) return &Copies::v3;
#endif
  if constexpr (level == Level::baseline || !SPIKELOOM_X86_LEVELS) return &Copies::baseline;
}

template <class Kernel>
auto kernel(Level level) {
  using Signature = typename detail::SignatureOf<decltype(&Kernel::run)>::Type;
  return detail::Copies<Kernel, Signature>::at(level);
}

}  // namespace spikeloom
