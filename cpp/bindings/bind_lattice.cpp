#include "base/error.hpp"
#include "bindings/convert.hpp"
#include "lattice/sphere.hpp"

namespace spikeloom::bindings {
namespace {

using Reals = py::array_t<double, py::array::c_style>;

void check(const Reals& pivot, const Reals& factor, const Reals& weights, const Reals& scales,
           const Reals& codes, std::int64_t count) {
  const py::ssize_t n = pivot.size(), m = scales.size();
  const bool fits = pivot.ndim() == 1 && factor.ndim() == 2 && factor.shape(0) == n && factor.shape(1) == n &&
                    weights.ndim() == 2 && weights.shape(0) == m && weights.shape(1) == n &&
                    scales.ndim() == 1 && codes.ndim() == 2 && codes.shape(0) == m && codes.shape(1) == n;
  if (!fits || n < 1 || count < 1)
    throw FitError("lattice", "needs pivot (n,), factor (n, n), weights and codes (m, n), scales (m,)");
  for (py::ssize_t i = 0; i < n; ++i)
    if (!(pivot.data()[i] > 0)) throw FitError("lattice", "needs pivots above 0", {.value = pivot.data()[i]});
  for (py::ssize_t j = 0; j < m; ++j)
    if (!(scales.data()[j] > 0))
      throw FitError("lattice", "needs scales above 0", {.value = scales.data()[j]});
}

py::tuple decode(const Reals& pivot, const Reals& factor, const Reals& weights, const Reals& scales,
                 double low, double step, std::int64_t count, Reals& codes, std::int64_t limit) {
  check(pivot, factor, weights, scales, codes, count);
  const std::int64_t n = pivot.size(), m = scales.size();
  Table<double> cost, bound;
  Table<std::int64_t> nodes;
  double* found = codes.mutable_data();
  {
    const py::gil_scoped_release released;
    for (std::int64_t j = 0; j < m; ++j) {
      const SphereProblem problem{n,   pivot.data(), factor.data(), weights.data() + j * n, scales.data()[j],
                                  low, step,         count};
      const SphereResult result = decode_sphere(problem, found + j * n, limit);
      cost.push_back(result.cost);
      bound.push_back(result.bound);
      nodes.push_back(result.nodes);
    }
  }
  const std::vector<py::ssize_t> shape{static_cast<py::ssize_t>(m)};
  return py::make_tuple(owned(std::move(cost), shape), owned(std::move(bound), shape),
                        owned(std::move(nodes), shape));
}

}  // namespace

void bind_lattice(py::module_& module) {
  module.def(
      "decode_sphere", &decode, py::arg("pivot"), py::arg("factor"), py::arg("weights"), py::arg("scales"),
      py::arg("low"), py::arg("step"), py::arg("count"), py::arg("codes").noconvert(), py::arg("limit"),
      "The codes (m, n) of least sum_i pivot_i (e_i + sum_j>i factor_ij e_j)^2, e = scale codes - weights,\n"
      "codes = low + step k, k < count. Starts from `codes` and overwrites them; visits at most `limit`\n"
      "nodes for each of the m outputs. Returns cost, lower bound and visited nodes, each (m,); a cost is\n"
      "proven where the bound equals it.");
}

}  // namespace spikeloom::bindings
