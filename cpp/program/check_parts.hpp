// Parts of the check, and what they share. Each throws ProgramError, which names the array and the entry.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "base/error.hpp"
#include "program/arrays.hpp"
#include "program/spec.hpp"

namespace spikeloom {

inline constexpr std::size_t most_entries = std::numeric_limits<std::int32_t>::max();
inline constexpr std::int64_t far = std::int64_t{1} << 60;  // offsets beyond it could overflow in sums

// Templates, axons: every target in the axon's core, every code in the code array, runs in order.
void check_rows(const Spec& spec, const Arrays& a);
// Codes, their formats, parameters and initial values.
void check_values(const Spec& spec, const Arrays& a);
// What each source may read: one sign (sign_pre); in event mode one kind of event, and every neuron once.
void check_sources(const Spec& spec, const Arrays& a);
// The numbers of event mode; ProfileError.
void check_event_spec(const Spec& spec);

inline std::string entry(const std::string& array, std::size_t index) {
  return "array " + array + "[" + std::to_string(index) + "]";
}

inline std::size_t n_codes(const Arrays& a) {
  return std::visit([](const auto& codes) { return codes.size(); }, a.codes);
}

template <class Array>
void check_size(const Array& array, const std::string& name, std::size_t wanted) {
  if (array.size() != wanted)
    throw ProgramError(
        "array " + name, "has the wrong length",
        {.value = static_cast<std::int64_t>(array.size()), .limit = static_cast<std::int64_t>(wanted)});
}

template <class Array>
void check_range(const Array& array, const std::string& name, std::int64_t lo, std::int64_t hi) {
  for (std::size_t i = 0; i < array.size(); ++i)
    if (array[i] < lo || array[i] > hi)
      throw ProgramError(entry(name, i), "is out of range",
                         {.value = static_cast<std::int64_t>(array[i]),
                          .limit = std::to_string(lo) + " to " + std::to_string(hi)});
}

}  // namespace spikeloom
