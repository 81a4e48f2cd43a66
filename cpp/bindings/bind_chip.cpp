#include "base/error.hpp"
#include "bindings/convert.hpp"

namespace spikeloom::bindings {
namespace {

py::dict view_of(const ClockView& view) {
  py::list spikes, transfers;
  for (const PushedSpike& s : view.spikes) spikes.append(py::make_tuple(s.core, s.neuron, s.n));
  for (const Transfer& t : view.transfers) transfers.append(py::make_tuple(t.x, t.y, t.output));
  py::dict shown;
  shown["clock"] = view.clock;
  shown["go"] = view.go;
  shown["phase"] = view.phase;
  shown["written"] = view.written;
  shown["queues"] = view.queues;
  shown["spikes"] = spikes;
  shown["transfers"] = transfers;
  return shown;
}

using Bytes = py::array_t<std::uint8_t, py::array::c_style>;

// A session and the program it refers to.
class Chip {
 public:
  Chip(const Machine& machine, std::int64_t samples, bool cycles, std::uint32_t trial_seed)
      : machine_(machine), samples_(samples) {
    if (samples < 1) throw EmulationError("chip", "needs at least one sample", {.value = samples});
    std::vector<Trial> trials;
    for (std::int64_t k = 0; k < samples; ++k) trials.push_back({trial_seed, static_cast<std::uint32_t>(k)});
    session_ = machine.open(trials, cycles);
  }

  py::array_t<std::int32_t> tick(const std::optional<Bytes>& inputs) {
    const Program& program = machine_.program();
    const std::uint8_t* data = checked(inputs);
    Ints spikes;
    {
      const py::gil_scoped_release released;
      spikes = session_->tick(data);
    }
    return owned(std::move(spikes), {static_cast<py::ssize_t>(samples_), program.neurons()});
  }

  bool clock(const std::optional<Bytes>& inputs, std::int64_t clocks) {
    if (clocks < 1) throw EmulationError("clocks", "must be at least 1", {.value = clocks});
    const std::uint8_t* data = checked(inputs);
    const py::gil_scoped_release released;
    return session_->clock(data, clocks);
  }

  py::dict cycles() const { return cycles_of(session_->cycles(), machine_); }

  py::array registers(int element) const {
    const Program& program = machine_.program();
    return owned_values(session_->registers(element), program.spec.analog,
                        {static_cast<py::ssize_t>(samples_), program.neurons()});
  }

  Session& session() { return *session_; }

 private:
  const std::uint8_t* checked(const std::optional<Bytes>& inputs) const {
    const std::int32_t lines = machine_.program().inputs();
    if (inputs && (inputs->ndim() != 2 || inputs->shape(0) != samples_ || inputs->shape(1) != lines))
      throw EmulationError("spikes", "must be (samples, lines)",
                           {.limit = std::to_string(samples_) + ", " + std::to_string(lines)});
    return inputs ? inputs->data() : nullptr;
  }

  const Machine& machine_;
  std::int64_t samples_;
  std::unique_ptr<Session> session_;
};

}  // namespace

void bind_chip(py::module_& module) {
  py::class_<Chip>(module, "Chip", "Samples of one program, clocked tick by tick.")
      .def(py::init<const Machine&, std::int64_t, bool, std::uint32_t>(), py::arg("program"),
           py::arg("samples"), py::arg("cycles"), py::arg("trial_seed") = 0, py::keep_alive<1, 2>())
      .def("tick", &Chip::tick, py::arg("inputs"),
           "One tick. inputs: uint8 (samples, lines) or None. Returns spikes (samples, neurons).")
      .def("clock", &Chip::clock, py::arg("inputs"), py::arg("clocks"),
           "At most so many clocks of one tick, the first with its inputs. True where the tick ended.")
      .def("cycles", &Chip::cycles, "What was counted since the last reset or restore.")
      .def(
          "view", [](Chip& chip) { return view_of(chip.session().view()); }, "What the last clock showed.")
      .def(
          "schedule", [](Chip& chip) { return chip.session().schedule(); },
          "Of the first sample: spike counts that wait for their tick, [slot][axon], flat.")
      .def_property_readonly(
          "within_tick", [](Chip& chip) { return chip.session().within_tick(); },
          "True where a tick has begun and not ended.")
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
