#include "base/error.hpp"
#include "bindings/convert.hpp"
#include "core/cores.hpp"

namespace spikeloom::bindings {
namespace {

using Bytes = py::array_t<std::uint8_t, py::array::c_style>;

// A run's probes and readings: (element, neurons) and (element, neurons, tick).
using ProbeArgument = std::tuple<int, py::array>;
using ReadingArgument = std::tuple<int, py::array, std::int64_t>;
// One parameter set sample by sample: (name, neurons, values (samples, neurons)).
using OverrideArgument = std::tuple<std::string, py::array, py::array>;

void check_inputs(const Bytes& inputs, const Program& program) {
  if (inputs.ndim() != 3 || inputs.shape(2) != program.inputs())
    throw EmulationError("inputs", "must be (samples, ticks, lines)",
                         {.limit = std::to_string(program.inputs()) + " lines"});
}

Override override_of(const OverrideArgument& argument, const Program& program) {
  const auto& [name, neurons, values] = argument;
  Override change{program.param(name), ints_of(neurons, "override"), {}, {}};
  const py::array flat = py::array(values).reshape({values.size()});
  if (program.spec.analog)
    change.reals = std::get<Reals>(codes_of(flat, "override"));
  else
    change.values = longs_of(flat, "override");
  return change;
}

py::array_t<std::int64_t> events_of(const std::vector<EventRow>& events) {
  Longs flat;
  for (const EventRow& e : events)
    flat.insert(flat.end(), {e.spikes, e.input_spikes, e.synaptic_operations, e.neuron_updates, e.packets,
                             e.input_packets});
  return owned(std::move(flat), {static_cast<py::ssize_t>(events.size()), 6});
}

py::array_t<std::int32_t> rows_of(const std::vector<SpikeRow>& rows) {
  Ints flat;
  flat.reserve(rows.size() * 3);
  for (const SpikeRow& row : rows) flat.insert(flat.end(), {row.sample, row.tick, row.neuron});
  return owned(std::move(flat), {static_cast<py::ssize_t>(rows.size()), 3});
}

// Of each sample: rows (rows, ClockLog::columns), and counts that wait after a tick (words, 4).
py::list clocks_of(std::vector<ClockLog>&& logs) {
  const auto table = [](Longs&& flat, std::size_t columns) {
    const auto rows = static_cast<py::ssize_t>(flat.size() / columns);
    return owned(std::move(flat), {rows, static_cast<py::ssize_t>(columns)});
  };
  py::list found;
  for (ClockLog& log : logs)
    found.append(py::make_tuple(table(std::move(log.rows), ClockLog::columns),
                                table(std::move(log.schedule), ClockLog::schedule_columns)));
  return found;
}

py::dict result_of(RunResult&& result, const RunRequest& request, const Machine& machine) {
  const bool analog = machine.program().spec.analog;
  const auto samples = static_cast<py::ssize_t>(request.samples);
  const auto rules = static_cast<py::ssize_t>(all_counter_names(machine.program()).size());
  py::list probes, readings;
  for (std::size_t k = 0; k < request.probes.size(); ++k)
    probes.append(owned_values(std::move(result.probes[k]), analog,
                               {samples, static_cast<py::ssize_t>(request.ticks),
                                static_cast<py::ssize_t>(request.probes[k].neurons.size())}));
  for (std::size_t k = 0; k < request.readings.size(); ++k)
    readings.append(owned_values(std::move(result.readings[k]), analog,
                                 {samples, static_cast<py::ssize_t>(request.readings[k].neurons.size())}));
  py::dict answer;
  answer["counts"] = owned(std::move(result.counts), {samples, machine.program().neurons()});
  answer["probes"] = probes;
  answer["readings"] = readings;
  answer["spikes"] = rows_of(result.spikes);
  answer["events"] = events_of(result.events);
  answer["rules"] = owned(std::move(result.rules), {samples, rules});
  if (request.cycles) answer["cycles"] = cycles_of(result.cycles, machine);
  if (request.clocks) answer["clocks"] = clocks_of(std::move(result.clocks));
  return answer;
}

py::dict run(const Machine& machine, const Bytes& inputs, std::int64_t ticks, std::int64_t window,
             const py::array& depths, const std::vector<ProbeArgument>& probes,
             const std::vector<ReadingArgument>& readings, const Bytes& traced,
             const std::vector<OverrideArgument>& overrides, bool cycles, bool clocks, int threads,
             std::int64_t neurons_per_thread, std::uint32_t trial_seed,
             const std::vector<std::uint32_t>& sample_ids) {
  check_inputs(inputs, machine.program());
  RunRequest request;
  request.inputs = inputs.data();
  request.samples = inputs.shape(0);
  request.input_ticks = inputs.shape(1);
  request.ticks = ticks;
  request.window = window;
  request.depths = ints_of(depths, "depths");
  for (const auto& [element, neurons] : probes)
    request.probes.push_back({element, ints_of(neurons, "probe")});
  for (const auto& [element, neurons, tick] : readings)
    request.readings.push_back({element, ints_of(neurons, "reading"), tick});
  request.traced.assign(traced.data(), traced.data() + traced.size());
  for (const OverrideArgument& change : overrides)
    request.overrides.push_back(override_of(change, machine.program()));
  request.cycles = cycles;
  request.clocks = clocks;
  request.threads = threads;
  request.neurons_per_thread = neurons_per_thread;
  request.trial_seed = trial_seed;
  request.sample_ids = sample_ids;
  RunResult result;
  {
    const py::gil_scoped_release released;
    result = machine.run(request);
  }
  return result_of(std::move(result), request, machine);
}

}  // namespace

void bind_program(py::module_& module) {
  py::class_<Machine>(module, "Program", "A chip program, checked once and ready to run. Immutable.")
      .def(py::init([](const py::dict& spec, const py::dict& arrays) {
             return load(spec_of(spec), arrays_of(arrays));
           }),
           py::arg("spec"), py::arg("arrays"),
           "Load the arrays of a program; ProgramError or ProfileError names what is wrong.")
      .def("run", &run, py::arg("inputs"), py::kw_only(), py::arg("ticks"), py::arg("window"),
           py::arg("depths"), py::arg("probes"), py::arg("readings"), py::arg("traced"), py::arg("overrides"),
           py::arg("cycles"), py::arg("clocks") = false, py::arg("threads"),
           py::arg("neurons_per_thread") = RunRequest{}.neurons_per_thread, py::arg("trial_seed") = 0,
           py::arg("sample_ids") = std::vector<std::uint32_t>{},
           "Run samples from the initial state. inputs: uint8 (samples, ticks, lines). Returns counts "
           "(samples,\n"
           "neurons), probes [(samples, ticks, neurons)], readings [(samples, neurons)], spikes rows "
           "(sample, tick,\n"
           "neuron), events (samples, 6) and rules (samples, counters); with `cycles` also what\n"
           "`cycle_names` names, with `clocks` also rows of every clock.")
      .def_property_readonly(
          "cycle_names", [](const Machine& m) { return cycle_names_of(m.cycle_names()); },
          "Names of the columns of `cycles`, and whether they are exact.")
      .def_property_readonly("neurons", [](const Machine& m) { return m.program().neurons(); })
      .def_property_readonly("inputs", [](const Machine& m) { return m.program().inputs(); })
      .def_property_readonly(
          "elements",
          [](const Machine& m) {
            std::vector<std::string> names;
            for (const auto& r : m.program().spec.registers) names.push_back(r.name);
            return names;
          },
          "Register elements, in the order of their numbers.")
      .def_property_readonly(
          "counters", [](const Machine& m) { return all_counter_names(m.program()); },
          "What each column of `rules` counts.")
      .def_property_readonly("kernels", &Machine::kernels, "Processor level of the kernels in use.")
      .def_property_readonly("accumulator", &Machine::accumulator,
                             "Type of the accumulators, for inputs of any number of spikes: int16, int32, "
                             "int64 or double.")
      .def_property_readonly("one_pass", &Machine::one_pass,
                             "Whether the list of a tick is done in one pass over the neurons.");
}

}  // namespace spikeloom::bindings
