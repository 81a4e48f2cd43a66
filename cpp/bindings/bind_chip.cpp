#include "base/error.hpp"
#include "bindings/convert.hpp"

namespace spikeloom::bindings {
namespace {

using Bytes = py::array_t<std::uint8_t, py::array::c_style>;

// A session and the program it refers to.
class Chip {
 public:
  Chip(const Machine& machine, std::int64_t samples) : machine_(machine), samples_(samples) {
    if (samples < 1) throw EmulationError("chip", "needs at least one sample", {.value = samples});
    session_ = machine.open(samples);
  }

  py::array_t<std::int32_t> tick(const std::optional<Bytes>& inputs) {
    const Program& program = machine_.program();
    if (inputs &&
        (inputs->ndim() != 2 || inputs->shape(0) != samples_ || inputs->shape(1) != program.inputs()))
      throw EmulationError("spikes", "must be (samples, lines)",
                           {.limit = std::to_string(samples_) + ", " + std::to_string(program.inputs())});
    const std::uint8_t* data = inputs ? inputs->data() : nullptr;
    Ints spikes;
    {
      const py::gil_scoped_release released;
      spikes = session_->tick(data);
    }
    return owned(std::move(spikes), {static_cast<py::ssize_t>(samples_), program.neurons()});
  }

  py::array registers(int element) const {
    const Program& program = machine_.program();
    return owned_values(session_->registers(element), program.spec.analog,
                        {static_cast<py::ssize_t>(samples_), program.neurons()});
  }

  Session& session() { return *session_; }

 private:
  const Machine& machine_;
  std::int64_t samples_;
  std::unique_ptr<Session> session_;
};

}  // namespace

void bind_chip(py::module_& module) {
  py::class_<Chip>(module, "Chip", "Samples of one program, clocked tick by tick.")
      .def(py::init<const Machine&, std::int64_t>(), py::arg("program"), py::arg("samples"),
           py::keep_alive<1, 2>())
      .def("tick", &Chip::tick, py::arg("inputs"),
           "One tick. inputs: uint8 (samples, lines) or None. Returns spikes (samples, neurons).")
      .def("registers", &Chip::registers, py::arg("element"),
           "Values of a register element, (samples, neurons).")
      .def(
          "reset", [](Chip& chip) { chip.session().reset(); }, "Back to the program's initial state.")
      .def(
          "save", [](Chip& chip) { return py::bytes(chip.session().save()); },
          "Everything that changes, as bytes.")
      .def(
          "restore", [](Chip& chip, const py::bytes& state) { chip.session().restore(std::string(state)); },
          py::arg("state"), "Take back what `save` gave.")
      .def_property_readonly(
          "ticks", [](Chip& chip) { return chip.session().ticks(); }, "Ticks since the start.");
}

}  // namespace spikeloom::bindings
