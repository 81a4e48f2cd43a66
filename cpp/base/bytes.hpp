// A chip's state as bytes, and back with every length checked.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace spikeloom {

[[noreturn]] inline void damaged_state() {
  throw EmulationError("chip state", "is not a state of this program and number of samples");
}

template <class T>
void put(std::string& bytes, const T* values, std::size_t count) {
  if (count > 0) bytes.append(reinterpret_cast<const char*>(values), count * sizeof(T));
}

template <class T>
void get(const std::string& bytes, std::size_t& at, T* values, std::size_t count) {
  if (bytes.size() - at < count * sizeof(T)) damaged_state();
  if (count > 0) std::memcpy(values, bytes.data() + at, count * sizeof(T));
  at += count * sizeof(T);
}

// A vector with its length in front.
template <class Vector>
void put_vector(std::string& bytes, const Vector& values) {
  const auto size = static_cast<std::int64_t>(values.size());
  put(bytes, &size, 1);
  put(bytes, values.data(), values.size());
}

template <class Vector>
void get_vector(const std::string& bytes, std::size_t& at, Vector& values) {
  using T = typename Vector::value_type;
  std::int64_t size = 0;
  get(bytes, at, &size, 1);
  if (size < 0 || static_cast<std::size_t>(size) > (bytes.size() - at) / sizeof(T)) damaged_state();
  values.resize(size);
  get(bytes, at, values.data(), values.size());
}

}  // namespace spikeloom
