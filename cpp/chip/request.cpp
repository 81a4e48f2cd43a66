#include "chip/request.hpp"

#include <limits>
#include <string>

#include "base/error.hpp"

namespace spikeloom {
namespace {

void check_neurons(const Ints& neurons, std::int32_t size, const char* what) {
  for (const std::int32_t neuron : neurons)
    if (neuron < 0 || neuron >= size)
      throw EmulationError(what, "names a neuron that the program does not have",
                           {.value = std::int64_t{neuron}, .limit = std::int64_t{size} - 1});
}

void check_override(const Program& program, const Override& change, std::int64_t samples) {
  if (change.param < 0 || program.spec.overridable.empty() ||
      change.param != program.param(program.spec.overridable))
    throw EmulationError("override", "names a parameter that a run may not set");
  const std::size_t wanted = samples * change.neurons.size();
  if ((program.spec.analog ? change.reals.size() : change.values.size()) != wanted)
    throw EmulationError("override", "needs one value a sample and neuron");
  if (program.spec.analog) return;
  const Interval range = program.params[change.param].range;
  for (const std::int64_t value : change.values)
    if (!range.contains(value))
      throw EmulationError(
          "override", "is outside what the parameter can be",
          {.value = value, .limit = std::to_string(range.lo) + " to " + std::to_string(range.hi)});
  if (!range.within(int32_range)) throw EmulationError("override", "needs a parameter of 32 bits");
}

}  // namespace

void check_request(const Program& program, const RunRequest& request) {
  const std::int32_t neurons = program.neurons();
  const int elements = static_cast<int>(program.spec.registers.size());
  const auto bad_element = [&](int element) { return element < 0 || element >= elements; };
  if (request.samples < 0 || request.ticks < 0 || request.input_ticks < 0 ||
      request.ticks > std::numeric_limits<std::int32_t>::max())
    throw EmulationError("run", "has a length that is out of range");
  if (!request.sample_ids.empty() && request.sample_ids.size() != std::size_t(request.samples))
    throw EmulationError("sample_ids", "needs one number a sample");
  if (request.depths.size() != std::size_t(neurons)) throw EmulationError("run", "needs one depth a neuron");
  if (!request.traced.empty() && request.traced.size() != std::size_t(neurons))
    throw EmulationError("run", "needs one trace flag a neuron");
  if (request.clocks && (!request.cycles || program.spec.cycles.controller != "open_core"))
    throw EmulationError("clocks", "can be recorded for the controller open_core alone",
                         {.remedy = "use timing=\"cycle\" and a profile with that controller"});
  for (const RegisterProbe& probe : request.probes) {
    check_neurons(probe.neurons, neurons, "probe");
    if (bad_element(probe.element)) throw EmulationError("probe", "names no register");
  }
  for (const RegisterReading& reading : request.readings) {
    check_neurons(reading.neurons, neurons, "reading");
    if (bad_element(reading.element)) throw EmulationError("reading", "names no register");
  }
  for (const Override& change : request.overrides) {
    check_neurons(change.neurons, neurons, "override");
    check_override(program, change, request.samples);
  }
}

}  // namespace spikeloom
