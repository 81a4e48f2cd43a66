// Arrays of any integer type, copied into the core's own with every value checked.
#pragma once

#include <limits>
#include <string>
#include <type_traits>
#include <utility>

#include "base/error.hpp"
#include "bindings/convert.hpp"

namespace spikeloom::bindings {

[[noreturn]] inline void bad_array(const std::string& name, const std::string& problem) {
  throw ProgramError("array " + name, problem);
}

inline py::array flat_array(const py::handle& value, const std::string& name) {
  if (!py::isinstance<py::array>(value)) bad_array(name, "is no NumPy array");
  auto array = py::reinterpret_borrow<py::array>(value);
  if (array.ndim() != 1) bad_array(name, "must have one dimension");
  return array;
}

// Copied from the array's own type, without a wider array in between.
template <class T, class From>
Table<T> copied(const py::array& array, const std::string& name) {
  const auto source = py::array_t<From, py::array::c_style>::ensure(array);
  if (!source) throw py::error_already_set();
  const From* from = source.data();
  if constexpr (std::is_same_v<T, From>) return Table<T>(from, from + source.size());
  Table<T> values(source.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::in_range<T>(from[i]))
      throw ProgramError("array " + name + "[" + std::to_string(i) + "]",
                         "does not fit " + std::to_string(8 * sizeof(T)) + " bits",
                         {.value = static_cast<std::int64_t>(from[i])});
    values[i] = static_cast<T>(from[i]);
  }
  return values;
}

template <class T>
Table<T> integers_of(const py::handle& value, const std::string& name) {
  const py::array array = flat_array(value, name);
  const char kind = array.dtype().kind();
  if (kind != 'i' && kind != 'u') bad_array(name, "must hold integers");
  const bool is_signed = kind == 'i';
  switch (array.itemsize()) {
    case 1:
      return is_signed ? copied<T, std::int8_t>(array, name) : copied<T, std::uint8_t>(array, name);
    case 2:
      return is_signed ? copied<T, std::int16_t>(array, name) : copied<T, std::uint16_t>(array, name);
    case 4:
      return is_signed ? copied<T, std::int32_t>(array, name) : copied<T, std::uint32_t>(array, name);
    default:
      if (!is_signed) bad_array(name, "must not hold unsigned 64-bit integers");
      return copied<T, std::int64_t>(array, name);
  }
}

}  // namespace spikeloom::bindings
