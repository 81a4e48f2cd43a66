#include "base/error.hpp"
#include "bindings/convert.hpp"

namespace spikeloom::bindings {
namespace {

py::object datum_of(const Datum& datum) {
  if (std::holds_alternative<std::monostate>(datum)) return py::none();
  if (const auto* number = std::get_if<std::int64_t>(&datum)) return py::int_(*number);
  if (const auto* number = std::get_if<double>(&datum)) return py::float_(*number);
  return py::str(std::get<std::string>(datum));
}

// Raises the class of that name from spikeloom.errors, with the data as its attributes.
void raise(const char* name, const Error& error) {
  const py::object type = py::module_::import("spikeloom.errors").attr(name);
  const py::object instance =
      type(error.subject, error.problem, py::arg("value") = datum_of(error.facts.value),
           py::arg("limit") = datum_of(error.facts.limit), py::arg("remedy") = error.facts.remedy);
  PyErr_SetObject(type.ptr(), instance.ptr());
}

}  // namespace

void bind_errors(py::module_&) {
  py::register_local_exception_translator([](std::exception_ptr thrown) {
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const ProfileError& error) {
      raise("ProfileError", error);
    } catch (const ProgramError& error) {
      raise("ProgramError", error);
    } catch (const EmulationError& error) {
      raise("EmulationError", error);
    } catch (const FitError& error) {
      raise("FitError", error);
    }
  });
}

}  // namespace spikeloom::bindings
