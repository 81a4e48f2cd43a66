#include "soma/one_pass/allowed.hpp"

#include <cstdlib>
#include <string>

#include "base/error.hpp"

namespace spikeloom {

bool may_run_in_one_pass() {
  const char* wanted = std::getenv("SPIKELOOM_ONE_PASS");
  const std::string name = wanted == nullptr || *wanted == '\0' ? "yes" : wanted;
  if (name != "yes" && name != "no")
    throw EmulationError("SPIKELOOM_ONE_PASS", "is neither yes nor no", {.value = name, .limit = "yes, no"});
  return name == "yes";
}

}  // namespace spikeloom
