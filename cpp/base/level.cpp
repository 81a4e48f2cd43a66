#include "base/level.hpp"

#include <cstdlib>
#include <string>

#include "base/error.hpp"

namespace spikeloom {
namespace {

Level best_level() {
#if SPIKELOOM_X86_LEVELS
  __builtin_cpu_init();
  const bool v3 = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt") &&
                  __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
                  __builtin_cpu_supports("bmi2");
  const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                  __builtin_cpu_supports("avx512cd");
  return v4 ? Level::v4 : v3 ? Level::v3 : Level::baseline;
#else
  return Level::baseline;
#endif
}

Level named_level(const std::string& name) {
  for (const Level level : {Level::baseline, Level::v3, Level::v4})
    if (name == level_name(level)) return level;
  throw EmulationError("SPIKELOOM_KERNELS", "is no kernel level",
                       {.value = name, .limit = "baseline, v3, v4"});
}

}  // namespace

const char* level_name(Level level) {
  return level == Level::v4 ? "v4" : level == Level::v3 ? "v3" : "baseline";
}

Level active_level() {
  const Level best = best_level();
  const char* wanted = std::getenv("SPIKELOOM_KERNELS");
  if (wanted == nullptr || *wanted == '\0') return best;
  const Level level = named_level(wanted);
  if (level > best)
    throw EmulationError("SPIKELOOM_KERNELS", "names kernels that this processor cannot run",
                         {.value = wanted, .limit = level_name(best), .remedy = "unset it"});
  return level;
}

}  // namespace spikeloom
