// Python values to the core's types, checked, and arrays back.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>
#include <utility>
#include <vector>

#include "chip/machine.hpp"
#include "program/arrays.hpp"
#include "program/spec.hpp"

namespace spikeloom::bindings {

namespace py = pybind11;

// One dimension, of any integer type whose values fit; ProgramError names the array.
Ints ints_of(const py::handle& array, const std::string& name);
Longs longs_of(const py::handle& array, const std::string& name);
// float64 arrays become reals, integer arrays ints.
Codes codes_of(const py::handle& array, const std::string& name);

Spec spec_of(const py::dict& spec);
Arrays arrays_of(const py::dict& arrays);

// A NumPy array that owns the vector: nothing is copied.
template <class T>
py::array_t<T> owned(Table<T>&& values, std::vector<py::ssize_t> shape) {
  auto* kept = new Table<T>(std::move(values));
  const py::capsule owner(kept, [](void* p) { delete static_cast<Table<T>*>(p); });
  return py::array_t<T>(std::move(shape), kept->data(), owner);
}

// int32 or float64, whichever the values are.
py::array owned_values(Values&& values, bool analog, std::vector<py::ssize_t> shape);

// Names of what a controller counts, and its columns for samples side by side.
py::dict cycle_names_of(const CycleNames& names);
py::dict cycles_of(const std::vector<CycleRow>& rows, const Machine& machine);

void bind_errors(py::module_& module);
void bind_program(py::module_& module);
void bind_chip(py::module_& module);
void bind_elementary(py::module_& module);
void bind_encoding(py::module_& module);
void bind_lattice(py::module_& module);

}  // namespace spikeloom::bindings
