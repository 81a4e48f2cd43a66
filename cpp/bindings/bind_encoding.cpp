#include "base/encode.hpp"
#include "base/error.hpp"
#include "base/philox.hpp"
#include "bindings/convert.hpp"

namespace spikeloom::bindings {
namespace {

using Reals2 = py::array_t<double, py::array::c_style>;
using Bytes3 = py::array_t<std::uint8_t, py::array::c_style>;

struct Shape {
  std::int64_t samples, ticks, lines, columns;
};

// x: (samples, columns); spikes: (samples, ticks, lines), filled from line `first` on.
Shape checked(const Reals2& x, const Bytes3& spikes, std::int64_t first) {
  if (x.ndim() != 2 || spikes.ndim() != 3 || x.shape(0) != spikes.shape(0) || first < 0 ||
      first > spikes.shape(2) - x.shape(1))
    throw EmulationError("encoder", "needs x (samples, columns) and spikes (samples, ticks, lines)");
  for (py::ssize_t i = 0; i < x.size(); ++i)
    if (!(x.data()[i] >= 0 && x.data()[i] <= 1))
      throw EmulationError("encoder", "needs values from 0 to 1", {.value = x.data()[i]});
  return {spikes.shape(0), spikes.shape(1), spikes.shape(2), x.shape(1)};
}

void rate(const Reals2& x, Bytes3& spikes, std::int64_t first) {
  const Shape s = checked(x, spikes, first);
  const double* values = x.data();
  std::uint8_t* out = spikes.mutable_data() + first;
  const py::gil_scoped_release released;
  for (std::int64_t sample = 0; sample < s.samples; ++sample)
    encode_rate(values + sample * s.columns, s.columns, s.ticks, out + sample * s.ticks * s.lines, s.lines);
}

void bernoulli(const Reals2& x, Bytes3& spikes, std::int64_t first, std::uint32_t trial_seed,
               std::uint32_t first_sample, std::int64_t first_line) {
  const Shape s = checked(x, spikes, first);
  const double* values = x.data();
  std::uint8_t* out = spikes.mutable_data() + first;
  const py::gil_scoped_release released;
  for (std::int64_t sample = 0; sample < s.samples; ++sample)
    encode_bernoulli(values + sample * s.columns, s.columns, s.ticks, out + sample * s.ticks * s.lines,
                     s.lines, trial_seed, first_sample + static_cast<std::uint32_t>(sample), first_line);
}

}  // namespace

void bind_encoding(py::module_& module) {
  module.def("encode_rate", &rate, py::arg("x"), py::arg("spikes").noconvert(), py::arg("first"),
             "Integrate-and-emit, started half full: spikes[s, t, first + i] = floor(1/2 + (t+1) x[s, i]) -\n"
             "floor(1/2 + t x[s, i]), exactly. spikes must be 0.");
  module.def(
      "encode_bernoulli", &bernoulli, py::arg("x"), py::arg("spikes").noconvert(), py::arg("first"),
      py::arg("trial_seed"), py::arg("first_sample"), py::arg("first_line"),
      "One independent draw a line and tick; x is the probability. Draws are numbered by trial_seed, tick,\n"
      "sample (from first_sample on) and line (from first_line on). spikes must be 0.");
  module.def(
      "philox", [](const PhiloxCounter& counter, const PhiloxKey& key) { return philox(counter, key); },
      py::arg("counter"), py::arg("key"), "Philox4x32-10: four words from a counter and a key.");
}

}  // namespace spikeloom::bindings
