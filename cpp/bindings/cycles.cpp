// What clocks counted, as arrays.
#include "bindings/convert.hpp"

namespace spikeloom::bindings {
namespace {

// One column group of every sample, (samples, shape...).
py::array stacked(const std::vector<CycleRow>& rows, Longs CycleRow::* part,
                  std::initializer_list<std::size_t> shape) {
  Longs flat;
  for (const CycleRow& row : rows) flat.insert(flat.end(), (row.*part).begin(), (row.*part).end());
  std::vector<py::ssize_t> full{static_cast<py::ssize_t>(rows.size())};
  for (const std::size_t size : shape) full.push_back(static_cast<py::ssize_t>(size));
  return owned(std::move(flat), std::move(full));
}

}  // namespace

py::dict cycle_names_of(const CycleNames& names) {
  py::dict table;
  table["exact"] = names.exact;
  table["phases"] = names.phases;
  table["stalls"] = names.stalls;
  table["buffers"] = names.buffers;
  table["buffer_sizes"] = names.buffer_sizes;
  table["counters"] = names.counters;
  return table;
}

py::dict cycles_of(const std::vector<CycleRow>& rows, const Machine& machine) {
  const CycleNames names = machine.cycle_names();
  const std::size_t ticks = rows.empty() ? 0 : rows.front().ticks.size();
  const std::size_t cores = machine.program().core_neuron_start.size() - 1;
  std::size_t buffers = 0;
  for (const std::int32_t size : names.buffer_sizes) buffers += size;
  py::dict table;
  table["ticks"] = stacked(rows, &CycleRow::ticks, {ticks});
  table["phases"] = stacked(rows, &CycleRow::phases, {ticks, names.phases.size()});
  table["busy"] = stacked(rows, &CycleRow::busy, {cores});
  table["stalls"] = stacked(rows, &CycleRow::stalls, {names.stalls.size()});
  table["high_water"] = stacked(rows, &CycleRow::high_water, {buffers});
  table["counters"] = stacked(rows, &CycleRow::counters, {names.counters.size()});
  return table;
}

}  // namespace spikeloom::bindings
